"""What needs an auditor's judgement in a period: how much of each kind, and lists.

Most is read from the log by position. Refused commands and destroyed keys are in
journals of their own; they are listed in the same form, without a position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from services.projections.audit.kinds import JUDGED, KINDS, Judged, Kind, judged_of
from services.projections.log_queries import known_at, rows_of_streams, streams_about
from services.projections.timeline.entry import project
from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.domain.identifiers import about
from shared.eventlog.codec import personal_fields
from shared.eventlog.entry import Entry
from shared.eventlog.log import NEWEST, SELECT_ROWS, EventLog, Row

HIDDEN = "[…]"
"""What a list shows instead of personal words."""
_MICROSECOND = timedelta(microseconds=1)
_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A period [start, end), and the positions in it: after `low`, up to `high`."""

    start: datetime
    end: datetime
    low: int
    high: int


def span_of(cursor: Cursors, start: datetime, end: datetime, upto: int) -> Span:
    """Return a period as far as the log goes, or up to the position `upto`."""
    low = known_at(cursor, start - _MICROSECOND).position
    high = known_at(cursor, end - _MICROSECOND).position
    return Span(start, end, min(low, upto), min(high, upto))


class Only(NamedTuple):
    """Limits a list to one actor or one incident."""

    actor: str | None = None
    incident: str | None = None


EVERYTHING = Only()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that needs judgement, without personal words.

    `position` is None for what is not in the log. `fields` are those of the event.
    `reason` is None if it is personal or was not given; `has_reason` says which.
    """

    kind: Kind
    type: str
    key: str
    recorded_at: datetime
    actor: str | None
    position: int | None = None
    stream: str | None = None
    incident: str | None = None
    subject: str | None = None
    effective_at: datetime | None = None
    reason: str | None = None
    has_reason: bool = False
    fields: Mapping[str, Any] | None = None

    @property
    def backdated_seconds(self) -> int | None:
        """How much earlier than recorded it is in effect; None if it is not."""
        if self.effective_at is None or self.effective_at >= self.recorded_at:
            return None
        return int((self.recorded_at - self.effective_at).total_seconds())


_EVENTS = """
topic = %s AND notification_id > %s AND notification_id <= %s{condition}
  AND (%s::bytea IS NULL OR position(%s::bytea in state) > 0)
  AND (%s::text[] IS NULL OR originator_id = ANY(%s::text[]))
"""


def _where(judged: Judged) -> str:
    condition = f" AND {judged.condition}" if judged.condition else ""
    return _EVENTS.format(condition=condition)


def _asked(judged: Judged, span: Span, only: Only) -> tuple[object, ...]:
    by = f'"by":"{only.actor}"'.encode() if only.actor else None
    streams = list(streams_about(only.incident)) if only.incident else None
    return (judged.type, span.low, span.high, by, by, streams, streams)


_REFUSALS = " UNION ALL ".join(
    f"SELECT '{service}' AS service, refusal_id AS id, at, actor, verb, incident, code"  # noqa: S608 # our own names
    f" FROM {schema}.refusals"
    for service, schema in (
        ("escalation", "escalation"),
        ("intake", "intake"),
        ("sla_watcher", "sla"),
    )
)
_REFUSED = f"""
SELECT service, id, at, actor, verb, incident, code FROM ({_REFUSALS}) AS refused
WHERE at >= %s AND at < %s
  AND (%s::text IS NULL OR actor = %s) AND (%s::text IS NULL OR incident = %s)
"""  # noqa: S608 # our own names
_FORGOTTEN = """
SELECT key_id, owner, destroyed_at, destroyed_because FROM vault.keys
WHERE destroyed_at IS NOT NULL AND destroyed_at >= %s AND destroyed_at < %s
"""


def counts(cursor: Cursors, span: Span, only: Only = EVERYTHING) -> Mapping[Kind, int]:
    """Return how much of each kind there is in a period."""
    found = dict.fromkeys(KINDS, 0)
    for judged in JUDGED:
        query = f"SELECT count(*) FROM log.events WHERE {_where(judged)}"  # noqa: S608 # our own names
        found[judged.kind] += _count(cursor, query, _asked(judged, span, only))
    refused = f"SELECT count(*) FROM ({_REFUSED}) AS found"  # noqa: S608 # our own names
    found["refusals"] = _count(cursor, refused, _journal(span, only))
    if only == EVERYTHING:
        forgotten = f"SELECT count(*) FROM ({_FORGOTTEN}) AS found"  # noqa: S608 # the same
        found["forgets"] = _count(cursor, forgotten, (span.start, span.end))
    return found


def _journal(span: Span, only: Only) -> tuple[object, ...]:
    actor, incident = only
    return (span.start, span.end, actor, actor, incident, incident)


def _count(cursor: Cursors, query: str, asked: Sequence[object]) -> int:
    row = cursor.execute(query, tuple(asked)).fetchone()
    return int(row[0]) if row else 0


class WrongCursor(ValueError):
    """The text is not a cursor of this list."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which entries of a list: after the entry with the key `after`, in this order."""

    limit: int
    after: str | None = None
    newest: bool = True


def listed(
    log: EventLog, cursor: Cursors, kind: Kind, span: Span, only: Only, page: Page
) -> list[AuditEntry]:
    """Return entries of a kind. Raises `WrongCursor`."""
    match kind:
        case "refusals":
            return _refusals(cursor, span, only, page)
        case "forgets":
            return _forgets(cursor, span, page) if only == EVERYTHING else []
        case _:
            return _events(log, cursor, kind, span, only, page)


def of_incident(log: EventLog, cursor: Cursors, ref: str) -> list[AuditEntry]:
    """Return all that needs judgement about an incident, oldest first."""
    span = Span(_EVER, _EVER, 0, NEWEST)
    page = Page(OF_INCIDENT_MAX, newest=False)
    found = [
        each
        for kind in dict.fromkeys(judged.kind for judged in JUDGED)
        for each in _events(log, cursor, kind, span, Only(incident=ref), page)
    ]
    return sorted(found, key=lambda each: (each.position or 0, each.kind))


def decisions_of(log: EventLog, cursor: Cursors, ref: str) -> list[Entry]:
    """Return what people did about an incident, oldest first; machines are left out."""
    rows = rows_of_streams(cursor, streams_about(ref), 0, OF_INCIDENT_MAX)
    return [
        entry
        for entry in log.without_words(rows).entries
        if entry.event.by.startswith("person:")
    ]


OF_INCIDENT_MAX = 1_000
"""The maximum number of events about an incident that are looked at."""


def _events(  # each limits the list
    log: EventLog, cursor: Cursors, kind: Kind, span: Span, only: Only, page: Page
) -> list[AuditEntry]:
    span = _beyond(span, page)
    order = "DESC" if page.newest else "ASC"
    judged = judged_of(kind)
    parts = [
        f"({SELECT_ROWS} WHERE {_where(each)} "
        f"ORDER BY notification_id {order} LIMIT {page.limit:d})"
        for each in judged
    ]
    union = " UNION ALL ".join(parts)
    query = f"SELECT * FROM ({union}) AS found ORDER BY 1 {order} LIMIT {page.limit:d}"  # noqa: S608 # our own names
    asked = [value for each in judged for value in _asked(each, span, only)]
    rows = [Row(*row) for row in cursor.execute(query, asked, binary=True)]
    by_type = {each.type: each for each in judged}
    read = {each.position: each for each in log.without_words(rows).entries}
    return [entry_of(by_type[row.type], row, read.get(row.position)) for row in rows]


def _beyond(span: Span, page: Page) -> Span:
    """Return the rest of a period after a page."""
    if page.after is None:
        return span
    if not (page.after.isascii() and page.after.isdigit()):
        raise WrongCursor(page.after)
    position = min(int(page.after), NEWEST)
    if page.newest:
        return Span(span.start, span.end, span.low, min(span.high, position - 1))
    return Span(span.start, span.end, max(span.low, position), span.high)


def entry_of(judged: Judged, row: Row, read: Entry | None) -> AuditEntry:
    """Return an event that needs judgement; None: it cannot be read."""
    event = read.event if read else None
    given = getattr(event, judged.reason, None) if event else None
    is_personal = event is not None and judged.reason in personal_fields(type(event))
    effective = getattr(event, judged.effective, None) if judged.effective else None
    return AuditEntry(
        kind=judged.kind,
        type=row.type,
        key=str(row.position),
        recorded_at=row.recorded_at,
        actor=event.by if event else None,
        position=row.position,
        stream=row.stream,
        incident=about(row.stream),
        subject=getattr(event, judged.subject, None) if judged.subject else None,
        effective_at=effective if isinstance(effective, datetime) else None,
        reason=str(given) if given is not None and not is_personal else None,
        has_reason=given is not None,
        fields=fields_of(event, read) if event and read else None,
    )


def fields_of(event: AnyEvent, read: Entry) -> dict[str, Any]:
    """Return the fields of an event, with `HIDDEN` in place of personal words."""
    line = project(read)
    dumped = event.model_dump(mode="json", exclude_none=True)
    known = line.what if line else dumped
    hidden = {name: HIDDEN for name in personal_fields(type(event)) if name in dumped}
    return {**known, **hidden}


_REFUSAL_KEY = "(at, service, id)"


def _refusals(cursor: Cursors, span: Span, only: Only, page: Page) -> list[AuditEntry]:
    order, compared = ("DESC", "<") if page.newest else ("ASC", ">")
    query, asked = _REFUSED, list(_journal(span, only))
    if page.after is not None:
        at, service, number = _key_of(page.after, 3)
        query += f" AND {_REFUSAL_KEY} {compared} (%s, %s, %s::bigint)"
        asked += [_instant(at), service, _number(number)]
    query += f" ORDER BY at {order}, service {order}, id {order} LIMIT {page.limit:d}"
    return [
        AuditEntry(
            kind="refusals",
            type="command.refused",
            key=f"{at.isoformat()}~{service}~{number}",
            recorded_at=at,
            actor=actor,
            incident=incident,
            fields={"service": service, "verb": verb, "code": code},
        )
        for service, number, at, actor, verb, incident, code in cursor.execute(
            query, asked
        )
    ]


def _forgets(cursor: Cursors, span: Span, page: Page) -> list[AuditEntry]:
    order, compared = ("DESC", "<") if page.newest else ("ASC", ">")
    query, asked = _FORGOTTEN, _period(span)
    if page.after is not None:
        at, key = _key_of(page.after, 2)
        query += f" AND (destroyed_at, key_id) {compared} (%s, %s)"
        asked += [_instant(at), key]
    query += f" ORDER BY destroyed_at {order}, key_id {order} LIMIT {page.limit:d}"
    return [
        AuditEntry(
            kind="forgets",
            type="key.destroyed",
            key=f"{at.isoformat()}~{key}",
            recorded_at=at,
            actor=None,
            subject=owner,
            reason=because,
            has_reason=because is not None,
            fields={"owner": owner},
        )
        for key, owner, at, because in cursor.execute(query, asked)
    ]


def _period(span: Span) -> list[object]:
    return [span.start, span.end]


def _key_of(text: str, parts: int) -> Sequence[str]:
    found = text.split("~")
    if len(found) != parts:
        raise WrongCursor(text)
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise WrongCursor(text)
    return min(int(text), NEWEST)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongCursor(text) from error
    if found.tzinfo is None:
        raise WrongCursor(text)
    return found
