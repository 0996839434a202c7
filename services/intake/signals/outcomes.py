"""The result for each signal: stored to detect repeats and to answer later queries.

The result for an event id is final, or follows once a held signal takes effect. Signals
that were suppressed are also listed, with the reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.intake.signals.rules.context import (
    Correlated,
    KeyRow,
    Outcome,
    Suppressed,
    SuppressionReason,
)
from services.intake.signals.schemas import PostponedSignal, Result
from shared.database.cursors import Cursors
from shared.eventlog.log import EventLog

_JOINED = SuppressionReason("correlated", "threshold")


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """The final result of the signals held for an alert: rule and incident."""

    signal_key: str
    outcome: Outcome
    incident: str | None
    why: SuppressionReason


def hold_outcome(
    before: KeyRow, after: KeyRow, heard: Correlated
) -> HoldOutcome | None:
    """Return the final result of what a row held; None if not held, or still held.

    A signal that maintenance held back was reported as suppressed when it came, so it
    has no further result.
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
"""Source and event id: event ids are unique within a source only."""

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
"""  # noqa: S608 # only constants
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
"""  # noqa: S608 # only constants


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The stored result for an event id."""

    event_id: str
    received_at: datetime
    status: str
    incident: str | None
    position: int | None
    reason: str | None
    rule: str | None
    """The rule or suppressor that decided it."""
    rule_of: str | None


def known_events(cursor: Cursors, asked: Iterable[EventId]) -> dict[EventId, Result]:
    """Return the results for those event ids that were received before."""
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
    """A result to remember; `version` is the stream version of its last event.

    The version is stored instead of the position, which is known only under the append
    lock, when these rows may no longer be touched.
    """

    source: str
    received_at: datetime
    result: Result
    version: int | None
    held_of: str | None = None
    """The key of the alert for which it is held, as long as it is."""
    known: bool = False
    """Whether it is already remembered as waiting in quarantine."""


@dataclass(frozen=True, slots=True)
class StoredHoldOutcome:
    """The final result of what is held for an alert; `version` as in `Received`."""

    hold: HoldOutcome
    version: int | None


def remember_events(cursor: Cursors, received: Sequence[Received]) -> None:
    """Store the result for each element with an event id; the ids must be locked."""
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
    source, event_id, *columns = _named(each)
    return (source, event_id, each.received_at.date(), each.received_at, *columns)


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


def settle_held(cursor: Cursors, settled: Sequence[StoredHoldOutcome]) -> None:
    """Update the stored results of signals that were remembered as held."""
    # If an alert was held twice in one batch, the first one was remembered.
    first = {each.hold.signal_key: each for each in reversed(settled)}
    if not first:
        return
    rows = [first[key] for key in sorted(first)]
    cursor.execute(
        _BECAME,
        (
            [each.hold.signal_key for each in rows],
            [each.hold.outcome for each in rows],
            [each.hold.incident for each in rows],
            [each.version for each in rows],
            [each.hold.why.reason for each in rows],
            [each.hold.why.code for each in rows],
            [each.hold.why.of for each in rows],
        ),
    )


def find_request(log: EventLog, source: str, event_id: str) -> StoredOutcome | None:
    """Return the result for an event id of `source`, or None if it is unknown."""
    with log.transaction() as cursor:
        row = cursor.execute(_FIND, (source, event_id)).fetchone()
    return StoredOutcome(*row) if row else None


@dataclass(frozen=True, slots=True)
class ElementResult:
    """One element's result; `member` is the append unit with its events, if any."""

    delivery: int
    result: Result
    member: int | None = None
    version: int | None = None
    repeated: bool = False
    held_of: str | None = None
    """The key of the alert for which it is held."""
    postponed: PostponedSignal | None = None
    """The waiting signal in quarantine, if it has to wait."""
    known: bool = False
    """Whether its event id is already remembered as waiting."""


def with_hold(line: ElementResult, settled: StoredHoldOutcome) -> ElementResult:
    """Return the line of a held signal with its final result."""
    end = settled.hold
    result = replace(
        line.result,
        status=end.outcome,
        incident=end.incident,
        error=end.why.reason,
        rule=end.why.code,
        rule_of=end.why.of,
    )
    return replace(line, result=result, version=settled.version, held_of=None)


PAGE, PAGE_MAX = 50, 500

_KEEP_SUPPRESSED = """
INSERT INTO intake.suppressed (day, received_at, source, signal_key, event_id, action,
            service, code, suppressor, until, reason, incident, policy)
SELECT coalesce(today.day, fresh.day), received_at, source, signal_key, event_id,
       action, service, code, suppressor, until, reason, incident, %b::bigint
FROM unnest(%b::date[], %b::timestamptz[], %b::text[], %b::text[], %b::text[],
            %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
            %b::text[], %b::text[])
     AS fresh (day, received_at, source, signal_key, event_id, action, service, code,
               suppressor, until, reason, incident),
     log.today
"""
# A signal received just before midnight may be recorded, with its day, after it.
_FIND_SUPPRESSED = """
SELECT suppressed_id, received_at, source, signal_key, event_id, action, service, code,
       suppressor, until, reason, policy, incident
FROM intake.suppressed
WHERE (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(service)s::text IS NULL OR service = %(service)s)
  AND (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(since)s::timestamptz IS NULL OR
       (received_at >= %(since)s AND day >= (%(since)s AT TIME ZONE 'UTC')::date))
  AND (%(until)s::timestamptz IS NULL OR
       (received_at < %(until)s AND day <= (%(until)s AT TIME ZONE 'UTC')::date + 1))
  AND (%(before)s::bigint IS NULL OR suppressed_id < %(before)s)
ORDER BY suppressed_id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SuppressedQuery:
    """A filter for suppressed signals; `until` is exclusive."""

    source: str | None = None
    service: str | None = None
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class SuppressedSignal:
    """A suppressed signal as stored."""

    suppressed_id: int
    received_at: datetime
    source: str
    signal_key: str
    event_id: str | None
    action: str
    service: str
    code: str
    suppressor: str | None
    until: datetime | None
    reason: str | None
    policy: int
    incident: str | None


def keep_suppressed(
    cursor: Cursors, suppressed: Sequence[Suppressed], policy: int
) -> None:
    """Store the suppressed signals, with the policy version of the decision."""
    if not suppressed:
        return
    rows = [
        (
            each.received_at.date(),
            each.received_at,
            each.source,
            each.signal_key,
            each.event_id,
            each.action,
            each.service,
            each.why.code,
            each.why.of,
            each.why.until,
            each.why.reason,
            each.incident,
        )
        for each in suppressed
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    cursor.execute(_KEEP_SUPPRESSED, [policy, *columns])


def find_suppressed(log: EventLog, asked: SuppressedQuery) -> list[SuppressedSignal]:
    """Return a page of suppressed signals, newest first."""
    values = {name: getattr(asked, name) for name in SuppressedQuery.__slots__}
    with log.transaction() as cursor:
        return [
            SuppressedSignal(*row)
            for row in cursor.execute(_FIND_SUPPRESSED, values).fetchall()
        ]
