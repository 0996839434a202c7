"""Turns a request into a mail with the link to the survey.

The table has references and instants only: names and addresses are in the directory.
"""

from dataclasses import dataclass
from datetime import datetime

from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import GONE, NO_ADDRESS
from services.escalation.notifications.recall import Person, person
from services.escalation.survey_mail.store import SurveyRequest
from shared.database.cursors import Cursors
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.teams import Desk
from shared.domain.survey.invitation import Invitation
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.i18n.messages import say
from shared.i18n.user_notices import ClientSurveyQuestion, SurveyQuestion
from shared.security.rights import is_removed
from shared.security.signed_links import (
    REPLY_TAGS_PURPOSE,
    SURVEY_LINKS_PURPOSE,
    ReplyTag,
    SurveyLink,
    tag_of,
    token_of,
)
from shared.surveys.invitations import invitation_named

_OVER = Failed("it was no longer so when it was to be sent", permanent=True)
_NO_POLICY = Failed("no policy is in force", permanent=True)
IMPOSSIBLE = Failed(
    "set PERMANENCE_PUBLIC_URL and PERMANENCE_VAULT_KEY_FILE of escalation",
    permanent=False,
)


@dataclass(frozen=True)
class SurveyLetters:
    """Composes mail; `public_url` is where people open the desk, or empty."""

    log: EventLog
    public_url: str

    def of(self, request: SurveyRequest, now: datetime) -> ByMail | Failed:
        """Return the mail of a request, or why it cannot be sent. Blocks."""
        signing = self.log.vault.key_for(SURVEY_LINKS_PURPOSE)
        if not self.public_url or signing is None:
            return IMPOSSIBLE
        with self.log.transaction() as cursor:
            found = self._read(cursor, request, now)
        if isinstance(found, Failed):
            return found
        held, reader, desk, key = found
        link = SurveyLink(held.ref, held.person, held.expires_at)
        url = f"{self.public_url}/survey/{token_of(signing, link)}"
        is_reminder = request.kind == "reminder"
        notice = (
            ClientSurveyQuestion(url, held.expires_at, again=is_reminder)
            if held.incident is None
            else SurveyQuestion(held.incident, url, held.expires_at, again=is_reminder)
        )
        message = say(notice, reader.as_reader(desk.timezone), desk.languages[0])
        return ByMail(
            key,
            reader.mailbox,
            message,
            self._tag(request, reader.mailbox.address),
            held.incident or "",
        )

    def _tag(self, request: SurveyRequest, address: str) -> ReplyTag | None:
        """Return the tag that authenticates a reply, as in other mails to users."""
        key = self.log.vault.key_for(REPLY_TAGS_PURPOSE)
        if key is None or not is_incident_ref(request.invitation):
            return None
        return tag_of(key, request.invitation, address, request.requested_at.date())

    def _read(
        self, cursor: Cursors, request: SurveyRequest, now: datetime
    ) -> tuple[Invitation, Person, Desk, str] | Failed:
        held = invitation_named(self.log, cursor, request.invitation)
        if held is None or held.is_answered or held.is_over(now):
            return _OVER
        policy = policy_now(self.log, cursor)
        if policy is None:
            return _NO_POLICY
        if is_removed(cursor, held.person):
            return Failed(GONE, permanent=True)
        reader = person(cursor, held.person)
        if reader is None or not reader.mailbox.address:
            return Failed(NO_ADDRESS, permanent=True)
        label = read_epochs(cursor).newest.label
        key = f"{request.key}@{label}" if label else request.key
        return held, reader, policy.desk, key
