"""What a reader sees: all records, or those within the limits of their rights.

A record outside of the limits does not exist for the reader, and no number counts it.
Where it belongs is its place now, also in an answer about the past.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.projections.queue.filter_fields import Where
from services.projections.queue.row import QueueRow
from services.projections.queue.tables import ROWS
from shared.database.cursors import Cursors
from shared.domain.limits import Limits, Place, Within, covered, names_of

_MOVING = [
    "incident.classified",
    "incident.assigned",
    "incident.reopened",
    "escalation.escalated",
    "escalation.returned",
    "escalation.accepted",
]
"""The events after which an incident may belong somewhere else."""
_SETTLED = """ref NOT IN (
    SELECT substring(originator_id FROM '-(.*)$') FROM log.events
    WHERE notification_id > (SELECT min(position) FROM {schema}.tracking)
      AND topic = ANY(%s)
    UNION ALL SELECT substring(stream FROM '-(.*)$') FROM {schema}.parked)"""
_PLACES = """
SELECT ref, client, service, team FROM {schema}.{table}
WHERE ref = ANY(%s) AND {settled}
"""
_COLUMNS = ("client", "service", "team")
_REFERENCE = re.compile(r"\b(?:INC-(?:[0-9]{1,3}-)?|PRB-|CHG-)[0-9]{6,12}\b")
HIDDEN = "[hidden]"
"""What a reader sees instead of the reference of a record that they may not see."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The limits of a reader; None: everything."""

    within: Within = None
    internal: bool = True
    """Whether the reader works for the desk: a client's people see less."""

    def sees(self, place: Place | None) -> bool:
        """Return whether a record is within the limits; None: it does not exist."""
        return place is not None and covered(self.within, place)

    def sees_client(self, client: str | None) -> bool:
        """Return whether people of this client are within the limits."""
        return self.within is None or any(
            each.clients is None or client in each.clients for each in self.within
        )

    def sees_service(self, service: str) -> bool:
        """Return whether a limit names the service, or none names services."""
        return self.within is None or any(
            each.services is None or service in each.services for each in self.within
        )

    def sees_team(self, team: str) -> bool:
        """Return whether a limit names the team, or none names teams."""
        return self.within is None or any(
            each.teams is None or team in each.teams for each in self.within
        )

    def conditions(self, schema: str) -> list[Where]:
        """Return the conditions on rows of the queue; none if everything is seen.

        What may have moved since the queue was written is not shown.
        """
        if self.within is None:
            return []
        parts = [_condition(limits) for limits in self.within]
        text = " OR ".join(part for part, _ in parts) or "false"
        values = tuple(value for _, values in parts for value in values)
        return [(f"({text})", values), (_SETTLED.format(schema=schema), (_MOVING,))]


EVERYTHING = Sight()


def _condition(limits: Limits) -> Where:
    """Return the condition of one limit; `=` for a single name: an index fits it."""
    texts: list[str] = []
    values: list[object] = []
    for column, names in zip(_COLUMNS, names_of(limits), strict=True):
        match names:
            case None:
                continue
            case [one]:
                texts.append(f"{column} = %s")
                values.append(one)
            case several:
                texts.append(f"{column} = ANY(%s::text[])")
                values.append(several)
    return f"({' AND '.join(texts) or 'true'})", tuple(values)


def place_of_row(row: QueueRow) -> Place:
    """Return where an incident is, by its row in the queue."""
    return Place(row.client, row.service, row.team)


def places_in_queue(
    cursor: Cursors, schema: str, refs: Iterable[str]
) -> Mapping[str, Place]:
    """Return the places of incidents that have not moved since it was written."""
    settled = _SETTLED.format(schema=schema)
    query = _PLACES.format(schema=schema, table=ROWS.name, settled=settled)
    rows = cursor.execute(query, (sorted(set(refs)), _MOVING))
    return {ref: Place(*place) for ref, *place in rows}


def visible(
    cursor: Cursors, schema: str, sight: Sight, refs: Sequence[str]
) -> frozenset[str]:
    """Return those of these incidents that are within the limits."""
    if sight.within is None or not refs:
        return frozenset(refs)
    found = places_in_queue(cursor, schema, refs)
    return frozenset(ref for ref, place in found.items() if sight.sees(place))


def references(text: str) -> frozenset[str]:
    """Return the references of records in a text."""
    return frozenset(_REFERENCE.findall(text))


def masked(text: str, seen: frozenset[str]) -> str:
    """Return a text without the references of records that are not `seen`."""
    return _REFERENCE.sub(lambda found: found[0] if found[0] in seen else HIDDEN, text)
