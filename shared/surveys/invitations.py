"""Reads the invitation to a survey, and whether it was answered.

The log says so of an answer that is kept with its person. Of an anonymous one, only the
mark says so: no event names an invitation and its use.
"""

from dataclasses import replace

from shared.database.cursors import Cursors
from shared.domain.events import is_survey_event
from shared.domain.identifiers import survey_stream
from shared.domain.survey.invitation import Invitation, replay_survey
from shared.eventlog.log import EventLog

_IS_USED = "SELECT FROM intake.used_invitations WHERE invitation = %s"


def invitation_named(log: EventLog, cursor: Cursors, ref: str) -> Invitation | None:
    """Return an invitation by its reference, None if nobody was asked."""
    entries = log.histories(cursor, [survey_stream(ref)])
    held = replay_survey(e.event for e in entries if is_survey_event(e.event))
    if held is None or not held.is_anonymous:
        return held
    return replace(held, is_answered=is_used(cursor, ref))


def is_used(cursor: Cursors, invitation: str) -> bool:
    """Return whether an invitation to an anonymous survey was answered."""
    return bool(cursor.execute(_IS_USED, (invitation,)).rowcount)
