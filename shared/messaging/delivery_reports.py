"""Reports of providers about messages, from the endpoint to the service that sends.

They are rows of a table, written by intake and read by escalation, so that a report is
kept although NATS or the other service is away.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Cursor

WAITING_MAX = 100_000
"""Reports that may wait; further ones are dropped, since somebody floods."""
AGAIN, AGAIN_MAX = timedelta(seconds=5), timedelta(minutes=10)
"""When a report is due again that was taken: in the time that it waited already, within
these limits. So others follow one that cannot be recorded."""


class NotConfirmedYet(Exception):
    """The provider was faster than our own record of its answer."""


_KEEP = """
INSERT INTO escalation.delivery_reports (
    key, state, incident, provider, reason, reported_at, next_at
)
SELECT %(key)s, %(state)s, %(incident)s, %(provider)s, %(reason)s, %(at)s, %(at)s
WHERE (SELECT count(key) FROM escalation.delivery_reports) < %(most)s
ON CONFLICT DO NOTHING
"""
_TAKE = """
UPDATE escalation.delivery_reports
SET next_at = %(now)s + greatest(%(again)s, least(%(now)s - reported_at, %(most)s))
WHERE (key, state) = (
    SELECT key, state FROM escalation.delivery_reports WHERE next_at <= %(now)s
    ORDER BY next_at, key LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING key, state, incident, provider, reason, reported_at
"""
_DONE = "DELETE FROM escalation.delivery_reports WHERE (key, state) = (%s, %s)"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The result of the message with a key; `reason` says why it failed.

    The key is that outside the desk: see `Epochs.key`.
    """

    key: str
    state: Literal["delivered", "failed"]
    incident: str
    provider: str
    reason: str
    reported_at: datetime


def keep(cursor: Cursor[Any], report: DeliveryReport) -> None:
    """Store a report; a repeat changes nothing."""
    row = {
        "key": report.key,
        "state": report.state,
        "incident": report.incident,
        "provider": report.provider,
        "reason": report.reason,
        "at": report.reported_at,
        "most": WAITING_MAX,
    }
    cursor.execute(_KEEP, row)


def take(cursor: Cursor[Any], now: datetime) -> DeliveryReport | None:
    """Take the next report that is due, None if none is.

    It is due again in a while, unless it is `done`.
    """
    asked = {"now": now, "again": AGAIN, "most": AGAIN_MAX}
    row = cursor.execute(_TAKE, asked).fetchone()
    return DeliveryReport(*row) if row else None


def done(cursor: Cursor[Any], report: DeliveryReport) -> None:
    """Delete a report: it is in the log, says nothing new, or is given up."""
    cursor.execute(_DONE, (report.key, report.state))
