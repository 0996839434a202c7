"""Composes the messages of page tests: each says at once that nothing is wrong.

The tables have ids only: names and addresses are in the directory. A message to an
outside provider has no more than the subject of the mail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.escalation.notifications.channels.channel import ChannelTraits
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.parcel import (
    ByMail,
    Parcel,
    ToContact,
)
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import (
    GONE,
    callback_url,
    contact_value,
    shortened,
)
from services.escalation.notifications.recall import person
from services.escalation.page_tests.store import MessageRequest
from shared.contact_methods.fingerprints import checked_values
from shared.contact_methods.store import ContactValue
from shared.domain.events.notification import Channel as ChannelName
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.i18n.catalog import Language
from shared.i18n.formats import Reader, language_of
from shared.i18n.messages import say
from shared.i18n.on_call_notices import PageTestNotice
from shared.i18n.short_messages import ShortMessage
from shared.security.callback_links import CALLBACK_VALID, CallbackLink
from shared.security.rights import is_removed
from shared.security.signed_links import (
    PAGE_TEST_LINKS_PURPOSE,
    PageTestLink,
    token_of,
)


class Line(NamedTuple):
    """What a short message says."""

    subject: str
    language: Language
    link: str


OVER = "the test was over before the message could be sent"
_NO_POLICY = Failed("no policy is in force", permanent=True)


@dataclass(frozen=True)
class PageTestLetters:
    """Composes messages; `public_url` is where people open the desk, or empty."""

    log: EventLog
    public_url: str
    traits: Callable[[ChannelName], ChannelTraits]

    def of(self, request: MessageRequest, now: datetime) -> Parcel | Failed:
        """Return the message of a request, or why it cannot be sent. Blocks."""
        if now >= request.expires_at:  # the process may have been frozen
            return Failed(OVER, permanent=True)
        with self.log.transaction() as cursor:
            if is_removed(cursor, request.person):
                return Failed(GONE, permanent=True)
            to = [request.person]
            methods = checked_values(self.log.vault, cursor, to)[request.person]
            target = contact_value(methods, request.method)
            policy = policy_now(self.log, cursor)
            reader = person(cursor, request.person)
            epochs = read_epochs(cursor)
            key = epochs.key(request.key, request.position)
            # of the test, also if a new one began before it was planned
            epoch = epochs.of(request.test_position).label
        if isinstance(target, Failed):
            return target
        if policy is None:
            return _NO_POLICY
        zone = policy.desk.timezone
        by = reader.as_reader(zone) if reader else Reader(None, zone)
        link = self._link(request, epoch)
        notice = PageTestNotice(request.test, request.expires_at, link)
        message = say(notice, by, policy.desk.languages[0])
        if target.kind == "mail":
            return ByMail(key, Mailbox(target.value, by.name), message)
        language = language_of(by.language, policy.desk.languages[0])
        text = Line(message.subject, language, link)
        return self._short(request, key, target, text)

    def _short(
        self, request: MessageRequest, key: str, target: ContactValue, text: Line
    ) -> ToContact:
        length_max = self.traits(request.channel).length_max
        return ToContact(
            key,
            request.channel,
            target.value,
            ShortMessage(
                "",
                shortened(text.subject, length_max),
                text.language,
                urgent=True,
                accept_url=text.link,
                is_test=True,
            ),
            method=target.method,
            callback_url=self._callback(request, key),
        )

    def _link(self, request: MessageRequest, epoch: str) -> str:
        """Return the link by which the person answers, or ""."""
        key = self.log.vault.key_for(PAGE_TEST_LINKS_PURPOSE)
        if not self.public_url or key is None:
            return ""
        link = PageTestLink(request.test, request.person, request.expires_at, epoch)
        return f"{self.public_url}/page-test/{token_of(key, link)}"

    def _callback(self, request: MessageRequest, message_key: str) -> str:
        """Return the link at which the provider reports the result, or ""."""
        until = request.requested_at + CALLBACK_VALID
        link = CallbackLink(request.test, message_key, request.person, until)
        return callback_url(self.log.vault, self.public_url, link)
