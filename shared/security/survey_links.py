"""Verifies the links by which users answer a survey.

A link is bound to one invitation and the person who was asked. It is void once
the directory has no address of the person, since they were removed or asked to be
forgotten. An expired one is still read, so that its page can say so. The API and the
owner of the streams check the same.
"""

from collections.abc import Sequence
from typing import Any

from shared.database.cursors import Cursors
from shared.directory import has_address
from shared.domain.commands.survey import AnswerSurvey
from shared.domain.survey.invitation import Invitation
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage
from shared.security.rights import is_removed
from shared.security.signed_links import (
    SURVEY_LINKS_PURPOSE,
    SurveyLink,
    read_survey_token,
)
from shared.surveys.invitations import invitation_named


def read_survey_link(keys: Sequence[bytes], token: str) -> SurveyLink:
    """Return the content of a link. Raises `HttpError` 404."""
    link = read_survey_token(keys, token)
    if link is None:
        raise _void("this link is not complete: open it from the message again")
    return link


def invitation_of(log: EventLog, cursor: Cursors, link: SurveyLink) -> Invitation:
    """Return the invitation that a link belongs to. Raises `HttpError` 404."""
    held = invitation_named(log, cursor, link.invitation)
    if (
        held is None
        or held.person != link.person
        # Another invitation: a restored log gives the same references again.
        or int(held.expires_at.timestamp()) != int(link.until.timestamp())
        or not has_address(cursor, link.person)
        or is_removed(cursor, link.person)
    ):
        raise _void("this link is no longer valid")
    return held


def answers_survey(
    log: EventLog, token: str, message: CommandMessage[Any]
) -> SurveyLink:
    """Return the link of a command that it allows. Raises `HttpError`; blocks."""
    link = read_survey_link(log.vault.keys_for(SURVEY_LINKS_PURPOSE), token)
    with log.transaction() as cursor:
        invitation_of(log, cursor, link)
    body = message.body
    if not isinstance(body, AnswerSurvey) or body.invitation != link.invitation:
        raise HttpError(403, f"the link only answers {link.invitation}", code="scope")
    return link


def _void(why: str) -> HttpError:
    return HttpError(404, why, code="unknown_link")
