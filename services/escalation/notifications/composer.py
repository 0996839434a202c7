"""Turns notifications in the outbox into messages with a text and a recipient.

The result is not stored: words are in the log, sealed, and addresses in the directory.

Also limits the mails to an address whose owner is not known to have written to us.
Anybody can give any address, by mail or in the form, as often as they like; without a
limit the desk would write to the owner as often. Mails are counted in the database, so
the limit holds across restarts and processes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Cursor

from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.parcel import ByMail, ByWebhook, Parcel
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import (
    CHANGED,
    GONE,
    NO_ADDRESS,
    Contacts,
    Links,
    contact_value,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import (
    MessageContext,
    Person,
    Recalled,
    recall,
)
from services.escalation.notifications.staff_notices import (
    for_staff,
    in_brief,
    service_name,
)
from services.escalation.notifications.team_channels import TeamChannels
from services.escalation.notifications.user_notices import for_user
from services.escalation.rules.context import PolicyOf
from services.escalation.rules.requests import STAFF
from shared.contact_methods.store import ContactValue
from shared.domain.events import EscalationPaged
from shared.domain.events.contact_method import DIRECTORY_MAIL
from shared.eventlog.log import EventLog
from shared.i18n.messages import say
from shared.security.signed_links import (
    PAGE_LINK_VALID,
    PAGE_LINKS_PURPOSE,
    PURPOSE,
    USER_LINK_VALID,
    USER_LINKS_PURPOSE,
    AnswerLink,
    PageLink,
    ReplyTag,
    UserLink,
    page_tag_of,
    tag_of,
    token_of,
)
from shared.security.signed_links import PAGE_TAGS_PURPOSE as PAGE_TAGS
from shared.security.signed_links import REPLY_TAGS_PURPOSE as REPLY_TAGS

A_DAY_MAX = 3
A_DAY = timedelta(days=1)
TOO_MANY = Failed(
    f"the address has had {A_DAY_MAX} mails within a day about reports that its owner "
    "may not have sent: inform them in another way",
    permanent=True,
    withheld=True,
)

_ALONE = "LOCK TABLE escalation.unsolicited_mail IN SHARE ROW EXCLUSIVE MODE"
_FORGET = "DELETE FROM escalation.unsolicited_mail WHERE sent_at <= %s"
_COUNT = """
SELECT count(*) FROM escalation.unsolicited_mail WHERE address = %s AND key <> %s
"""
_KEEP = """
INSERT INTO escalation.unsolicited_mail (key, address, sent_at) VALUES (%s, %s, %s)
ON CONFLICT (key) DO NOTHING
"""


def may_leave(cursor: Cursor[Any], key: str, address: str, at: datetime) -> bool:
    """Count a mail to an address as of `at`; tell whether it is within the limit.

    A mail sent again under the same key counts once.
    """
    whose = _digest(address)
    cursor.execute(_ALONE)
    cursor.execute(_FORGET, (at - A_DAY,))
    row = cursor.execute(_COUNT, (whose, key)).fetchone()
    if row is None or row[0] >= A_DAY_MAX:
        return False
    cursor.execute(_KEEP, (key, whose, at))
    return True


def _digest(address: str) -> str:
    """Return a digest of the mailbox; `zoe+a@…` and `zoe+b@…` have the same one."""
    local, _, domain = address.lower().rpartition("@")
    return sha256(f"{local.partition('+')[0]}@{domain}".encode()).hexdigest()


_PERSON = "person:"


class Composer:
    """Composes notifications; `public_url` is where people open the desk.

    `contacts` are the addresses of people at channels other than mail, `team_channels`
    those of teams.
    """

    def __init__(
        self,
        log: EventLog,
        policy_of: PolicyOf,
        public_url: str | None,
        contacts: Contacts | None = None,
        team_channels: TeamChannels | None = None,
    ) -> None:
        self._log = log
        self._contacts = contacts or Contacts()
        self._policy_of = policy_of
        self._public_url = (public_url or "").rstrip("/")
        self._team_channels = team_channels or TeamChannels(
            traits=self._contacts.traits
        )

    def __call__(self, messages: Sequence[Waiting]) -> list[Parcel | Failed]:
        """Return each message, or why it cannot be sent. Blocks.

        All or none: it raises what goes wrong with one of them.
        """
        policies = [self._policy_of(each.policy) for each in messages]
        with self._log.transaction() as cursor:
            context = MessageContext.of(self._log, cursor, messages)
            recalled = [
                recall(context, waiting, policy)
                for waiting, policy in zip(messages, policies, strict=True)
            ]
        return [
            self._parcel(context, waiting, of)
            for waiting, of in zip(messages, recalled, strict=True)
        ]

    def _parcel(
        self, context: MessageContext, waiting: Waiting, of: Recalled
    ) -> Parcel | Failed:
        # After a restore, references and keys are assigned a second time.
        key = context.epochs.key(waiting.key, waiting.position)
        if not waiting.person:
            return self._to_channel(key, waiting, of)
        if waiting.kind in STAFF and waiting.person in context.removed:
            # Nobody needs to know that a reminder was not sent.
            withheld = waiting.kind == "reminder"
            return Failed(GONE, permanent=True, withheld=withheld)
        reader = context.people.get(waiting.person)
        methods = context.contacts[waiting.person]
        target = contact_value(methods, waiting.method or DIRECTORY_MAIL)
        if waiting.channel != "mail" and target is not CHANGED:
            links = Links(self._url(waiting), self._answer_page_at(waiting, of))
            contact = self._contacts.address_of(methods, waiting)
            return self._contacts.parcel(key, waiting, of, contact, reader, links)
        if isinstance(target, Failed):
            return target
        if reader is None:
            return Failed(NO_ADDRESS, permanent=True)
        # The value that was compared, whatever the entry has by now.
        reader = replace(reader, mailbox=Mailbox(target.value, reader.mailbox.name))
        to_whom = self._to_staff if waiting.kind in STAFF else self._to_user
        return to_whom(key, waiting, of, reader, target)

    def _to_channel(self, key: str, waiting: Waiting, of: Recalled) -> Parcel | Failed:
        """Return the message to the channel of a team, or to the desk's receiver."""
        if waiting.team_channel:
            url = self._url(waiting)
            return self._team_channels.parcel(key, waiting, of, url)
        return ByWebhook(key, self._payload(key, waiting, of))

    def _to_staff(
        self,
        key: str,
        waiting: Waiting,
        of: Recalled,
        reader: Person,
        target: ContactValue,
    ) -> ByMail:
        """Return the mail to somebody of the desk."""
        fallback = of.policy.desk.languages[0]
        language = reader.language or fallback
        # Nobody has proved whose an unverified address is: it gets the least text.
        says = for_staff if target.verified_at or waiting.kind != "page" else in_brief
        message = say(
            says(of, language, self._url(waiting)),
            reader.as_reader(of.policy.desk.timezone),
            fallback,
            self._answer_page_at(waiting, of),
        )
        tag = self._page_tag(waiting, of, target.value)
        return ByMail(key, reader.mailbox, message, tag, incident=waiting.incident)

    def _page_tag(
        self, waiting: Waiting, of: Recalled, address: str
    ) -> ReplyTag | None:
        """Return the tag that authenticates a reply to a page, None for other mails."""
        key = self._log.vault.key_for(PAGE_TAGS)
        if not isinstance(of.cause, EscalationPaged) or key is None:
            return None
        if waiting.person not in of.cause.people:
            return None
        written_on = waiting.requested_at.date()
        return page_tag_of(key, of.cause.key, address, written_on, of.epoch)

    def _to_user(
        self,
        key: str,
        waiting: Waiting,
        of: Recalled,
        reader: Person,
        _target: ContactValue,
    ) -> ByMail | Failed:
        """Return the mail to a user, with the tag that authenticates their reply."""
        desk, address = of.policy.desk, reader.mailbox.address
        if not self._may_leave(waiting, of, address):
            return TOO_MANY
        notice = for_user(
            of,
            waiting.person,
            self._policy_of,
            self._answer_at,
            reader.language or desk.languages[0],
        )
        return ByMail(
            key,
            reader.mailbox,
            say(
                notice,
                reader.as_reader(desk.timezone),
                desk.languages[0],
                self._page_of(waiting),
            ),
            self._tag(waiting, address),
            waiting.incident,
        )

    def _may_leave(self, waiting: Waiting, of: Recalled, address: str) -> bool:
        """Tell whether the mail may go; limited if the reader may not have written."""
        if of.confirms(waiting.person) or of.cause.by.startswith(_PERSON):
            return True  # or an agent, who has read the incident, caused it
        with self._log.transaction() as cursor:
            at = waiting.requested_at
            return may_leave(cursor, waiting.key, address, at)

    def _tag(self, waiting: Waiting, address: str) -> ReplyTag | None:
        key = self._log.vault.key_for(REPLY_TAGS)
        if key is None:
            return None
        return tag_of(key, waiting.incident, address, waiting.requested_at.date())

    def _answer_at(self, extension: str, who: str, until: datetime) -> str:
        """Return the link by which a person can answer without an account, or ""."""
        key = self._log.vault.key_for(PURPOSE)
        if not self._public_url or key is None:
            return ""
        token = token_of(key, AnswerLink(extension, who, until))
        return f"{self._public_url}/answer/{token}"

    def _answer_page_at(self, waiting: Waiting, of: Recalled) -> str:
        """Return the link by which somebody answers the page they were sent, or ""."""
        key = self._log.vault.key_for(PAGE_LINKS_PURPOSE)
        if not self._public_url or key is None:
            return ""
        match of.cause:
            case EscalationPaged(key=page, people=people) if waiting.person in people:
                until = waiting.requested_at + PAGE_LINK_VALID
                link = PageLink(page, waiting.person, until, of.epoch)
                token = token_of(key, link)
                return f"{self._public_url}/take/{token}"
            case _:
                return ""

    def _page_of(self, waiting: Waiting) -> str:
        """Return the link by which a user follows the incident, or ""."""
        key = self._log.vault.key_for(USER_LINKS_PURPOSE)
        if not self._public_url or key is None or not waiting.person:
            return ""
        until = waiting.requested_at + USER_LINK_VALID
        token = token_of(key, UserLink(waiting.incident, waiting.person, until))
        return f"{self._public_url}/my/{token}"

    def _url(self, waiting: Waiting) -> str:
        if not self._public_url:
            return ""
        return f"{self._public_url}/incidents/{waiting.incident}"

    def _payload(self, key: str, waiting: Waiting, of: Recalled) -> dict[str, object]:
        """Return the payload for the receiver of pages: ids, title and service name."""
        return _payload_of_record(of) | {
            "id": key,
            "kind": waiting.kind,
            "incident": waiting.incident,
            "title": of.incident.title,
            "priority": of.incident.priority,
            "service": of.incident.service,
            "service_name": service_name(of, of.policy.desk.languages[0]),
            "url": self._url(waiting),
            "event": of.cause.model_dump(mode="json", exclude_none=True),
        }


def _payload_of_record(of: Recalled) -> dict[str, object]:
    """Return the part of the payload about a problem or change assigned to a team."""
    if of.routed is None:
        return {}
    record = of.routed.record
    listed = [{"ref": each.ref, "title": each.title} for each in of.routed.incidents]
    return {"record": {"ref": record.ref, "title": record.title, "incidents": listed}}
