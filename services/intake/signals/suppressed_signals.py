"""The table of suppressed signals: written with each batch, read in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from services.intake.signals.rules.suppression import Suppressed
from shared.eventlog.log import EventLog

PAGE, PAGE_MAX = 50, 500

_KEEP = """
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
_FIND = """
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
    cursor: Cursor[tuple[Any, ...]], suppressed: Sequence[Suppressed], policy: int
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
    cursor.execute(_KEEP, [policy, *columns])


def find_suppressed(log: EventLog, asked: SuppressedQuery) -> list[SuppressedSignal]:
    """Return a page of suppressed signals, newest first."""
    values = {name: getattr(asked, name) for name in SuppressedQuery.__slots__}
    with log.transaction() as cursor:
        return [
            SuppressedSignal(*row) for row in cursor.execute(_FIND, values).fetchall()
        ]
