"""The table of mail with month reports, which follows from the log.

Only a publication requests mail, so nobody is sent what was not approved. A row stays
after its mail is sent, so that nobody is sent an edition twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg.rows import class_row

from services.escalation.notifications.queued_messages import AGAIN, MessageQueue
from shared.database.cursors import Cursors
from shared.domain.events.month_report import MonthReportPublished
from shared.domain.identifiers import edition_ref
from shared.eventlog.entry import Entry

KEPT = timedelta(days=400)
"""How long rows of mail that is over are kept."""

_REQUEST = """
INSERT INTO escalation.month_report_mail (key, edition, person, published_at, next_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING
"""
_TAKE = """
UPDATE escalation.month_report_mail SET next_at = %(again)s, attempts = attempts + 1
WHERE key = (
    SELECT key FROM escalation.month_report_mail WHERE next_at <= %(now)s
    ORDER BY next_at, key LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING edition, person, published_at, attempts
"""
_AGAIN = """
UPDATE escalation.month_report_mail SET next_at = %s WHERE key = %s AND attempts = %s
"""
_OVER = """
UPDATE escalation.month_report_mail SET next_at = NULL, outcome = %s
WHERE key = %s AND attempts = %s
"""
_FORGET = """
DELETE FROM escalation.month_report_mail WHERE next_at IS NULL AND published_at < %s
"""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A mail that is to be sent to a contact of a client about an edition."""

    edition: str
    person: str
    published_at: datetime
    attempts: int = 0
    kind: Literal["month_report"] = "month_report"

    @property
    def key(self) -> str:
        """Identifies the mail at the mail server, also if it is sent again."""
        return f"month_report|{self.edition}|{self.person}"


def note(cursor: Cursors, entry: Entry) -> None:
    """Request the mail that a publication asks for, unless it was requested before."""
    match entry.event:
        case MonthReportPublished() as published:
            ref = edition_ref(published.client, published.month, published.edition)
            for person in published.recipients:
                each = ReportRequest(ref, person, published.at)
                row = (each.key, ref, person, published.at, published.at)
                cursor.execute(_REQUEST, row)
        case _:
            pass


def take(cursor: Cursors, now: datetime) -> ReportRequest | None:
    """Take the next mail that is due; None if none is. It is due again in a while."""
    asked = {"now": now, "again": now + AGAIN}
    with cursor.connection.cursor(row_factory=class_row(ReportRequest)) as rows:
        return rows.execute(_TAKE, asked).fetchone()


def again(cursor: Cursors, request: ReportRequest, at: datetime) -> bool:
    """Store when a mail is tried again; False if another sender took it meanwhile."""
    return bool(cursor.execute(_AGAIN, (at, request.key, request.attempts)).rowcount)


def over(cursor: Cursors, request: ReportRequest, outcome: str) -> bool:
    """Store how a mail was delivered, or why it was not; False as `again` does."""
    attempt = (outcome[:500], request.key, request.attempts)
    return bool(cursor.execute(_OVER, attempt).rowcount)


def forget(cursor: Cursors, now: datetime) -> None:
    """Delete rows of long ago."""
    cursor.execute(_FORGET, (now - KEPT,))


QUEUE = MessageQueue("month_report_mail", take, again, over, forget)
