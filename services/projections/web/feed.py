"""Which events a page is read again for: what it says of itself to `page.js`.

A page that asked again at each event of the desk would keep it busy with what changes
nothing. This decides no more than when a page asks: what it shows is what the API
answers. A page follows records, or it is a queue: then an event may change a row that
is shown, move an incident into the queue or out of it, or change the counts alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.events import EVENT_TYPES

ANYWHERE = frozenset(
    type_
    for type_ in EVENT_TYPES
    if type_.startswith(("policy.", "person.", "promises.", "log."))
)
"""Events about no incident that may change any page: rights, names, teams, policies."""
_OF_ROWS = frozenset(
    type_
    for type_ in EVENT_TYPES
    if type_.startswith(("incident.", "sla.", "escalation."))
)
STILL = frozenset(
    {
        "incident.absorbed",
        "incident.file_attached",
        "incident.file_left_out",
        "incident.file_removed",
        "incident.file_scanned",
        "incident.informed",
        "incident.note_added",
        "incident.noted",
        "incident.recovered",
        "incident.reminded",
        "incident.signalled",
        "incident.solution_noted",
        "incident.source_acknowledged",
        "incident.source_noted",
    }
)
"""Events that change what a row of a queue shows of its incident, such as its version,
and nothing by which queues filter, sort or count."""
UNSEEN = frozenset(
    {
        "escalation.acknowledgement_reminded",
        "escalation.another_requested",
        "escalation.declined",
        "escalation.exhausted",
        "escalation.nobody_notified",
        "escalation.paged",
        "escalation.problem_suggested",
        "escalation.raised",
        "escalation.step_skipped",
        "escalation.unanswered",
        "escalation.unreachable",
        "sla.breach_attributed",
        "sla.extension_expired",
        "sla.extension_proposed",
        "sla.extension_refused",
        "sla.warned",
    }
)
"""Events that change no row at all."""
MOVING = _OF_ROWS - STILL - UNSEEN
"""Events that may move an incident from one queue to another, or within one."""


def _joined(types: Iterable[str]) -> str:
    return " ".join(sorted(types))


ALL = _joined(EVENT_TYPES)
_PLACED = ("service", "client", "priority")


@dataclass(frozen=True, slots=True)
class Feed:
    """The attributes of a page by which `page.js` knows what concerns it."""

    after: int
    follows: str | None = None
    """The records that it shows; None for a queue."""
    rows: str = ""
    """Types of events that may change a queue, the rows that it shows included."""
    moves: str = ""
    """Those of them that may bring other incidents into it."""
    within: str = "[]"
    """What these must have: pairs of a field and of its values, as JSON."""

    @property
    def types(self) -> str:
        """All types of events: other tabs hear of them through this one."""
        return ALL


def of_records(after: int, refs: Iterable[str | None]) -> Feed:
    """Return the feed of a page that shows these records."""
    return Feed(after, " ".join(sorted({ref for ref in refs if ref})))


def of_queue(after: int, asked: Sequence[tuple[str, str]], team: str | None) -> Feed:
    """Return the feed of a queue with these parameters; `team` if it is of a team.

    Whether an incident matches words or an expression is not said by an event; what is
    said about it may match words.
    """
    single = dict(asked)
    if single.get("q"):
        return Feed(after, rows=ALL, moves=ALL)
    within: list[tuple[str, list[str]]] = [("team", [team])] if team else []
    if not single.get("filter"):
        within += _placed(asked)
    moves = _OF_ROWS if single.get("filter") else MOVING
    return Feed(
        after,
        rows=_joined(ANYWHERE | MOVING | STILL | moves),
        moves=_joined(moves),
        within=json.dumps(within),
    )


def of_all(after: int) -> Feed:
    """Return the feed of a page that counts incidents of all queues."""
    return Feed(after, rows=_joined(ANYWHERE | MOVING), moves=_joined(MOVING))


def linked(incident: Mapping[str, Any]) -> list[str | None]:
    """Return an incident, and the records that its page shows the state of."""
    return [
        incident["ref"],
        incident["merged_into"],
        *(link["target"] for link in incident["links"]),
    ]


def _placed(asked: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    values = {n: [v for name, v in asked if name == n and v] for n in _PLACED}
    return [(name, found) for name, found in values.items() if found]
