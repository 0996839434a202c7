"""The outcome of each event id: known repeats, and the answer to who asks later.

What becomes of a signal that was held, once its trouble goes on. Pure.

What each element of a batch comes to, as told and as remembered. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.quarantine.postponed import PostponedSignal
from services.intake.signals.delivery import Result
from services.intake.signals.rules.context import Correlated, Outcome
from services.intake.signals.rules.key_row import KeyRow
from services.intake.signals.rules.suppression import SuppressionReason
from shared.eventlog.log import EventLog

_JOINED = SuppressionReason("correlated", "threshold")


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """The outcome of all that was held of a trouble, by which rule, and where."""

    signal_key: str
    outcome: Outcome
    incident: str | None
    why: SuppressionReason


def fate(before: KeyRow, after: KeyRow, heard: Correlated) -> HoldOutcome | None:
    """Return the outcome of what was held of a row; None: nothing was, or it still is.

    What announced work held back was told so when it came: that was its end.
    """
    held = before.held
    if held is None or held.code == "maintenance":
        return None
    if after.held is not None and after.held.code != "maintenance":
        return None
    key, incident = after.signal_key, after.incident
    if before.state == "recovered" and after.state == "firing":
        reason = f"it fired again before it had held for {held.of}"
        return HoldOutcome(
            key, "suppressed", incident, SuppressionReason(held.code, held.of, reason)
        )
    if after.signal_key != heard.row.signal_key:
        return HoldOutcome(key, "signalled", incident, _JOINED)
    return HoldOutcome(key, heard.outcome, incident, heard.why)


EventId = tuple[str, str]
"""Source and event id: an id is its source's own."""

_POSITION = """
(SELECT notification_id FROM log.events
 WHERE originator_id = 'incident-' || r.incident AND originator_version = r.version)
"""
_KNOWN = f"""
SELECT r.source, r.event_id, r.status, r.incident, {_POSITION}, r.reason, r.rule,
       r.rule_of
FROM intake.requests r
JOIN unnest(%b::text[], %b::text[]) AS asked(source, event_id)
  ON r.source = asked.source AND r.event_id = asked.event_id
"""  # noqa: S608 # our own names
_REMEMBER = """
INSERT INTO intake.requests
       (source, event_id, day, received_at, status, incident, version, reason, rule,
        rule_of, signal_key)
SELECT source, event_id, coalesce(today.day, fresh.day), received_at, status, incident,
       version, reason, rule, rule_of, signal_key
FROM unnest(%b::text[], %b::text[], %b::date[], %b::timestamptz[], %b::text[],
            %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[])
     AS fresh (source, event_id, day, received_at, status, incident, version, reason,
               rule, rule_of, signal_key),
     log.today
ON CONFLICT DO NOTHING
"""
_BECAME = """
UPDATE intake.requests AS r
SET status = b.status, incident = b.incident, version = b.version, reason = b.reason,
    rule = b.rule, rule_of = b.rule_of
FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[],
            %b::text[])
     AS b(signal_key, status, incident, version, reason, rule, rule_of)
WHERE r.signal_key = b.signal_key AND r.status = 'held'
"""
_TAKEN = """
UPDATE intake.requests AS r
SET status = b.status, incident = b.incident, version = b.version, reason = b.reason,
    rule = b.rule, rule_of = b.rule_of, signal_key = b.signal_key
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[],
            %b::text[], %b::text[], %b::text[])
     AS b(source, event_id, status, incident, version, reason, rule, rule_of,
          signal_key)
WHERE r.source = b.source AND r.event_id = b.event_id AND r.status = 'quarantined'
"""
_FIND = f"""
SELECT event_id, received_at, status, incident, {_POSITION}, reason, rule, rule_of
FROM intake.requests r WHERE source = %s AND event_id = %s
ORDER BY received_at LIMIT 1
"""  # noqa: S608 # our own names


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The outcome of an event id."""

    event_id: str
    received_at: datetime
    status: str
    incident: str | None
    position: int | None
    reason: str | None
    rule: str | None
    """By which rule or suppressor."""
    rule_of: str | None


def known_events(
    cursor: Cursor[tuple[Any, ...]], asked: Iterable[EventId]
) -> dict[EventId, Result]:
    """Return the results of those event ids that were received before."""
    pairs = sorted(set(asked))
    if not pairs:
        return {}
    sources, ids = zip(*pairs, strict=True)
    rows = cursor.execute(_KNOWN, (list(sources), list(ids))).fetchall()
    return {
        (source, event_id): Result(
            0,
            status,
            event_id,
            None,
            incident,
            position,
            reason,
            rule=rule,
            rule_of=rule_of,
        )
        for source, event_id, status, incident, position, reason, rule, rule_of in rows
    }


@dataclass(frozen=True, slots=True)
class Received:
    """A result to remember; `version` of the incident's stream has its last event.

    Not its position: that is known only under the append lock, when no row of ours may
    be touched any more.
    """

    source: str
    received_at: datetime
    result: Result
    version: int | None
    held_of: str | None = None
    """The key of the trouble it was held of, as long as it is."""
    known: bool = False
    """It is remembered already, as one that waits in quarantine."""


@dataclass(frozen=True, slots=True)
class StoredHoldOutcome:
    """The outcome of all that is held of a trouble; `version` as in `Received`."""

    fate: HoldOutcome
    version: int | None


def remember_events(
    cursor: Cursor[tuple[Any, ...]], received: Sequence[Received]
) -> None:
    """Keep the outcome of each element that has an event id; the ids are locked."""
    kept = sorted(
        (each for each in received if each.result.event_id),
        key=lambda each: (each.source, each.result.event_id),
    )
    fresh = [each for each in kept if not each.known]
    taken = [each for each in kept if each.known]
    if taken:
        columns = zip(*map(_named, taken), strict=True)
        cursor.execute(_TAKEN, [list(column) for column in columns])
    if fresh:
        columns = zip(*map(_columns, fresh), strict=True)
        cursor.execute(_REMEMBER, [list(column) for column in columns])


def _columns(each: Received) -> tuple[object, ...]:
    source, event_id, *became = _named(each)
    return (source, event_id, each.received_at.date(), each.received_at, *became)


def _named(each: Received) -> tuple[object, ...]:
    result = each.result
    return (
        each.source,
        result.event_id,
        result.status,
        result.incident,
        each.version,
        result.error,
        result.rule,
        result.rule_of,
        each.held_of,
    )


def settle_held(
    cursor: Cursor[tuple[Any, ...]], settled: Sequence[StoredHoldOutcome]
) -> None:
    """Say the outcome of what was held, and remembered so."""
    # Of a trouble that was held twice in one batch, the first is what was remembered.
    first = {each.fate.signal_key: each for each in reversed(settled)}
    if not first:
        return
    rows = [first[key] for key in sorted(first)]
    cursor.execute(
        _BECAME,
        (
            [each.fate.signal_key for each in rows],
            [each.fate.outcome for each in rows],
            [each.fate.incident for each in rows],
            [each.version for each in rows],
            [each.fate.why.reason for each in rows],
            [each.fate.why.code for each in rows],
            [each.fate.why.of for each in rows],
        ),
    )


def find_request(log: EventLog, source: str, event_id: str) -> StoredOutcome | None:
    """Return the outcome of an event id of `source`, None where it is not known."""
    with log.transaction() as cursor:
        row = cursor.execute(_FIND, (source, event_id)).fetchone()
    return StoredOutcome(*row) if row else None


@dataclass(frozen=True, slots=True)
class ElementResult:
    """One element's result; `member` is the one that records its events, if any."""

    delivery: int
    result: Result
    member: int | None = None
    version: int | None = None
    repeated: bool = False
    held_of: str | None = None
    """The key of the trouble of which it is held."""
    postponed: PostponedSignal | None = None
    """That it waits in quarantine, and for what."""
    known: bool = False
    """Its event id is remembered already, as one that waits."""


def became(line: ElementResult, settled: StoredHoldOutcome) -> ElementResult:
    """Return a line of something held as it is to be remembered."""
    end = settled.fate
    result = replace(
        line.result,
        status=end.outcome,
        incident=end.incident,
        error=end.why.reason,
        rule=end.why.code,
        rule_of=end.why.of,
    )
    return replace(line, result=result, version=settled.version, held_of=None)
