"""Queries on the log for readers: by type, stream, instant, and policies in force.

What was known at an instant is a prefix of the log. `recorded_at` never decreases with
the position, so the last event up to an instant is found by binary search, in about
twenty look-ups for a million events.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import orjson

from services.projections.generations import AsOf
from services.projections.metrics.period import Disclosure
from shared.database.cursors import Cursors
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.events.upcasters import upcast
from shared.domain.identifiers import (
    escalation_stream,
    handover_stream,
    incident_stream,
    sla_stream,
)
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable, each_event, skipped_by_owner
from shared.eventlog.log import NEWEST, SELECT_ROWS, EventLog, Row
from shared.eventlog.policies import policy_of
from shared.eventlog.recorder import Head, read_head

_OF_TYPES = f"""
{SELECT_ROWS}
WHERE notification_id > %s AND notification_id <= %s
  AND (%s::text[] IS NULL OR topic = ANY(%s::text[]))
ORDER BY notification_id LIMIT %s
"""
_OF_STREAM = f"""
{SELECT_ROWS}
WHERE originator_id = %s AND notification_id > %s
ORDER BY originator_version LIMIT %s
"""
# Separate, so that the planner does not scan the whole log to return them in order.
_OF_STREAMS = f"""
WITH found AS MATERIALIZED ({SELECT_ROWS} WHERE originator_id = ANY(%s))
SELECT * FROM found WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""  # noqa: S608 # our own names
_AT = f"{SELECT_ROWS} WHERE notification_id = ANY(%s)"
_NEWEST = f"""
{SELECT_ROWS} WHERE originator_id = %s
ORDER BY originator_version DESC LIMIT 1
"""
SKIPPED = "an administrator had it skipped"


def streams_about(ref: str) -> Sequence[str]:
    """Return the names of all streams about an incident, its own first."""
    named = (incident_stream, sla_stream, escalation_stream, handover_stream)
    return [name(ref) for name in named]


def rows_of_types(
    cursor: Cursors, between: tuple[int, int], types: Sequence[str] | None, limit: int
) -> list[Row]:
    """Return events after the first position up to the second; None: of all types."""
    given = None if types is None else list(types)
    return _rows(cursor, _OF_TYPES, (*between, given, given, limit))


def rows_of_stream(cursor: Cursors, stream: str, after: int, limit: int) -> list[Row]:
    """Return events of a stream whose position is greater than `after`."""
    return _rows(cursor, _OF_STREAM, (stream, after, limit))


def rows_of_streams(
    cursor: Cursors, streams: Sequence[str], after: int, limit: int
) -> list[Row]:
    """Return events of several streams after a position, in the order of the log."""
    return _rows(cursor, _OF_STREAMS, (list(streams), after, limit))


def all_about(
    log: EventLog, cursor: Cursors, ref: str
) -> list[tuple[Row, Entry | Unreadable]]:
    """Return the events about an incident in all streams, in the order of the log.

    Each as its entry or with the reason why it cannot be read; raises `Unavailable`.
    """
    return each_of(log, cursor, streams_about(ref))


def each_of(
    log: EventLog, cursor: Cursors, streams: Sequence[str], upto: int = NEWEST
) -> list[tuple[Row, Entry | Unreadable]]:
    """Return the events of several streams up to a position, likewise."""
    rows = log.stored_histories(cursor, streams, upto)
    skipped = skipped_by_owner(cursor, streams)
    read = each_event(log, [row for row in rows if row.position not in skipped])
    left = ((row, _left_out(log, row)) for row in rows if row.position in skipped)
    return sorted((*read, *left), key=lambda each: each[0].position)


def _left_out(log: EventLog, row: Row) -> Unreadable:
    log.unreadable.succeeded(row.position)  # nobody has to do anything about it
    return Unreadable(row.version, SKIPPED, skipped=True)


def histories(
    log: EventLog, cursor: Cursors, streams: Sequence[str], upto: int
) -> Mapping[str, Sequence[Entry]]:
    """Return the events up to a position of each stream that has any."""
    by_stream: dict[str, list[Entry]] = {}
    for entry in log.histories(cursor, streams, upto) if streams else ():
        by_stream.setdefault(entry.stream, []).append(entry)
    return by_stream


def rows_at(cursor: Cursors, positions: Sequence[int]) -> list[Row]:
    """Return the events at these positions, in no order."""
    return _rows(cursor, _AT, (list(positions),)) if positions else []


def newest_row(cursor: Cursors, stream: str) -> Row | None:
    """Return the last event of a stream, None if there is no such stream."""
    return next(iter(_rows(cursor, _NEWEST, (stream,))), None)


def _rows(cursor: Cursors, query: str, given: tuple[object, ...]) -> list[Row]:
    return [Row(*row) for row in cursor.execute(query, given, binary=True)]


_INSTANTS_AT = "SELECT recorded_at FROM log.events WHERE notification_id = %s"


def known_at(cursor: Cursors, instant: datetime | None) -> AsOf:
    """Return the last event recorded up to `instant`, or the head without one."""
    head = read_head(cursor)
    if instant is None or head.recorded_at <= instant:
        return _as_of(head)
    low, high = 0, head.position  # `low` was known then, `high` was not
    while high - low > 1:
        middle = (low + high) // 2
        if _recorded_at(cursor, middle) <= instant:
            low = middle
        else:
            high = middle
    return AsOf(low, _recorded_at(cursor, low) if low else None)


def _as_of(head: Head) -> AsOf:
    return AsOf(head.position, head.recorded_at if head.position else None)


def _recorded_at(cursor: Cursors, position: int) -> datetime:
    row = cursor.execute(_INSTANTS_AT, (position,)).fetchone()
    if row is None:
        raise LookupError(f"the log has no position {position}: run audit verify")
    recorded_at: datetime = row[0]
    return recorded_at


_POLICIES = """
SELECT originator_version, state FROM log.events
WHERE originator_id = %s AND originator_version = ANY(%s)
"""


def policies(cursor: Cursors, versions: Iterable[int]) -> Mapping[int, Policy]:
    """Return these versions, without those that the log does not contain."""
    wanted = sorted(set(versions))
    found = cursor.execute(_POLICIES, (STREAM, wanted)) if wanted else ()
    applied = {version: _applied(bytes(stored)) for version, stored in found}
    return {version: policy_of(cursor, each) for version, each in applied.items()}


def _applied(stored: bytes) -> PolicyApplied:
    return PolicyApplied.model_validate(upcast("policy.applied", orjson.loads(stored)))


_UPTO = f"""
{SELECT_ROWS} WHERE originator_id = %s AND notification_id <= %s
ORDER BY originator_version DESC LIMIT 1
"""


def policy_at(
    log: EventLog, cursor: Cursors, position: int
) -> tuple[int, Policy] | None:
    """Return the version and the policy; None if none was applied by then."""
    row = cursor.execute(_UPTO, (STREAM, position), binary=True).fetchone()
    if row is None:
        return None
    entry = log.entry(Row(*row))
    match entry.event:
        case PolicyApplied() as applied:
            return entry.version, policy_of(cursor, applied)
        case _:
            return None


def policy_in_force(log: EventLog, cursor: Cursors) -> Policy | None:
    """Return the newest policy, None if none was applied."""
    row = newest_row(cursor, STREAM)
    event = log.entry(row).event if row else None
    match event:
        case PolicyApplied() as applied:
            return policy_of(cursor, applied)
        case _:
            return None


def desk_zone(log: EventLog, cursor: Cursors) -> str:
    """Return the desk's time zone from the policy in force; UTC without a policy."""
    policy = policy_in_force(log, cursor)
    return policy.desk.timezone if policy else "UTC"


def disclosure_of(log: EventLog, cursor: Cursors) -> Disclosure:
    """Return the desk's time zone, and how many answers each survey needs."""
    policy = policy_in_force(log, cursor)
    if policy is None:
        return Disclosure(ZoneInfo("UTC"))
    least = {name: survey.min_answers for name, survey in policy.surveys.items()}
    return Disclosure(ZoneInfo(policy.desk.timezone), least)


def teams(log: EventLog, cursor: Cursors) -> frozenset[str]:
    """Return the names of the teams, each with a queue; none without a policy."""
    policy = policy_in_force(log, cursor)
    return frozenset(policy.teams) if policy else frozenset()
