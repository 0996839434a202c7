"""Turns a request into a mail, with what is known when it is sent.

The table has ids and instants only: names and addresses are in the directory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import GONE, mail_reader
from services.escalation.notifications.recall import Person
from services.escalation.on_call_mail.context import MailContext
from services.escalation.on_call_mail.coverage_report import coverage_report
from services.escalation.on_call_mail.shift_notices import (
    gap_alarm,
    hand_off,
    monthly_statement,
    shift_reminder,
    swap_answers,
    swap_requests,
)
from services.escalation.on_call_mail.store import MailKind, MailRequest
from services.escalation.on_call_mail.unverified import unverified, unverified_alarm
from shared.database.cursors import Cursors
from shared.domain.policy.teams import Desk
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.i18n.formats import language_of
from shared.i18n.messages import say
from shared.i18n.on_call_notices import OnCallNotice
from shared.security.rights import is_removed

_NO_POLICY = Failed("no policy is in force", permanent=True)
_OVER = Failed("it was no longer so when it was to be sent", permanent=True)


_NOTICES: Mapping[
    MailKind, Callable[[MailContext, MailRequest], OnCallNotice | None]
] = {
    "hand_off": hand_off,
    "shift_reminder": shift_reminder,
    "on_call_gap": gap_alarm,
    "swap_request": swap_requests,
    "swap_answer": swap_answers,
    "unverified": unverified,
    "unverified_alarm": unverified_alarm,
    "coverage_report": coverage_report,
    "monthly_statement": monthly_statement,
}
"""What each kind of mail says; None if there is nothing to say any more."""


@dataclass(frozen=True)
class OnCallLetters:
    """Composes mail; `public_url` is where people open the desk, or empty."""

    log: EventLog
    public_url: str

    def of(self, request: MailRequest, now: datetime) -> ByMail | Failed:
        """Return the mail of a request, or why it cannot be sent. Blocks."""
        with self.log.transaction() as cursor:
            found = self._read(cursor, request, now)
        if isinstance(found, Failed):
            return found
        # Outside of the transaction: the first text of a language takes a while.
        notice, reader, desk, key = found
        message = say(notice, reader.as_reader(desk.timezone), desk.languages[0])
        return ByMail(key, reader.mailbox, message)

    def _read(
        self, cursor: Cursors, request: MailRequest, now: datetime
    ) -> tuple[OnCallNotice, Person, Desk, str] | Failed:
        policy = policy_now(self.log, cursor)
        if policy is None:
            return _NO_POLICY
        if is_removed(cursor, request.person):
            return Failed(GONE, permanent=True)
        reader = mail_reader(self.log.vault, cursor, request.person)
        if isinstance(reader, Failed):
            return reader
        language = language_of(reader.language, policy.desk.languages[0])
        context = MailContext(self.log, cursor, policy, now, language, self.public_url)
        notice = _NOTICES[request.kind](context, request)
        if notice is None:
            return _OVER
        label = read_epochs(cursor).newest.label
        key = f"{request.key}@{label}" if label else request.key
        return notice, reader, policy.desk, key
