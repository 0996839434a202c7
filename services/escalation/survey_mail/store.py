"""The table of mail about surveys, which follows from the log.

A row stays after its mail is sent, so that nobody is written to twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg.rows import class_row

from services.escalation.notifications.queued_messages import AGAIN, MessageQueue
from shared.database.cursors import Cursors
from shared.domain.events.survey import (
    SurveyAnswered,
    SurveyContactAnswered,
    SurveyContactInvited,
    SurveyInvited,
)
from shared.eventlog.entry import Entry

KEPT = timedelta(days=400)
"""How long rows of mail that is over are kept: longer than any invitation is valid."""

_REQUEST = """
INSERT INTO escalation.survey_mail (incident, kind, requested_at, next_at)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_ANSWERED = """
UPDATE escalation.survey_mail SET next_at = NULL, outcome = 'answered'
WHERE incident = %s AND next_at IS NOT NULL
"""
_TAKE = """
UPDATE escalation.survey_mail SET next_at = %(again)s, attempts = attempts + 1
WHERE (incident, kind) = (
    SELECT incident, kind FROM escalation.survey_mail AS due
    WHERE next_at <= %(now)s AND (kind = 'invitation' OR NOT EXISTS (
        SELECT FROM escalation.survey_mail AS invited
        WHERE invited.incident = due.incident AND invited.kind = 'invitation'
            AND invited.next_at IS NOT NULL))
    ORDER BY next_at, incident, kind LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING incident AS invitation, kind, requested_at, attempts
"""
_AGAIN = """
UPDATE escalation.survey_mail SET next_at = %s
WHERE (incident, kind, attempts) = (%s, %s, %s) AND next_at IS NOT NULL
"""
_OVER = """
UPDATE escalation.survey_mail SET next_at = NULL, outcome = %s
WHERE (incident, kind, attempts) = (%s, %s, %s) AND next_at IS NOT NULL
"""
_FORGET = """
DELETE FROM escalation.survey_mail WHERE next_at IS NULL AND requested_at < %s
"""


@dataclass(frozen=True, slots=True)
class SurveyRequest:
    """A mail that is to be sent to somebody who was asked.

    The invitation to a survey about an incident has the reference of the incident.
    """

    invitation: str
    kind: Literal["invitation", "reminder"]
    requested_at: datetime
    attempts: int = 0

    @property
    def key(self) -> str:
        """Identifies the mail at the mail server, also if it is sent again."""
        return f"survey|{self.invitation}|{self.kind}"


def note(cursor: Cursors, entry: Entry) -> None:
    """Request the mail that an event asks for, and withdraw what is not needed."""
    match entry.event:
        case (
            SurveyInvited(incident=ref, at=at, remind_at=remind_at)
            | SurveyContactInvited(invitation=ref, at=at, remind_at=remind_at)
        ):
            cursor.execute(_REQUEST, (ref, "invitation", at, at))
            if remind_at is not None:
                cursor.execute(_REQUEST, (ref, "reminder", at, remind_at))
        case SurveyAnswered(incident=ref) | SurveyContactAnswered(invitation=ref):
            cursor.execute(_ANSWERED, (ref,))
        case _:
            pass


def take(cursor: Cursors, now: datetime) -> SurveyRequest | None:
    """Take the next mail that is due; None if none is. It is due again in a while."""
    asked = {"now": now, "again": now + AGAIN}
    with cursor.connection.cursor(row_factory=class_row(SurveyRequest)) as rows:
        return rows.execute(_TAKE, asked).fetchone()


def again(cursor: Cursors, request: SurveyRequest, at: datetime) -> bool:
    """Store when a mail is tried again; False if it is over, or another sender's."""
    return bool(cursor.execute(_AGAIN, (at, *_attempt(request))).rowcount)


def over(cursor: Cursors, request: SurveyRequest, outcome: str) -> bool:
    """Store how a mail was delivered, or why it was not; False as `again` does."""
    return bool(cursor.execute(_OVER, (outcome[:500], *_attempt(request))).rowcount)


def _attempt(request: SurveyRequest) -> tuple[str, str, int]:
    return request.invitation, request.kind, request.attempts


def forget(cursor: Cursors, now: datetime) -> None:
    """Delete rows that no event can be about any more."""
    cursor.execute(_FORGET, (now - KEPT,))


QUEUE = MessageQueue("survey_mail", take, again, over, forget)
