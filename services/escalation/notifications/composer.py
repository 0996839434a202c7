"""Turns a notification in the outbox into a message with a text and a recipient.

The result is not stored: words are in the log, sealed, and addresses in the directory.

Also limits the mails to an address whose owner is not known to have written to us.
Anybody can give any address, by mail or in the form, as often as they like; without a
limit the desk would write to the owner as often. Mails are counted in the database, so
the limit holds across restarts and processes.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Cursor

from services.escalation.notifications.channels.outlets import ByMail, ByWebhook, Parcel
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recall import Person, Recalled, person, recall
from services.escalation.notifications.staff_notices import for_staff, service_name
from services.escalation.notifications.user_notices import for_user
from services.escalation.rules.context import PolicyOf
from services.escalation.rules.notification_requests import STAFF
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.i18n.messages import say
from shared.security.signed_links import PURPOSE, AnswerLink, ReplyTag, tag_of, token_of
from shared.security.signed_links import REPLY_TAGS_PURPOSE as REPLY_TAGS

A_DAY_MAX = 3
A_DAY = timedelta(days=1)
TOO_MANY = Failed(
    f"its reader has had {A_DAY_MAX} mails within a day about what nothing proves they "
    "wrote: a person at the desk can tell them more",
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
NO_ADDRESS = "the directory has no address of that person: import them"


class Composer:
    """Composes notifications; `public_url` is where people open the desk."""

    def __init__(
        self, log: EventLog, policy_of: PolicyOf, public_url: str | None
    ) -> None:
        self._log = log
        self._policy_of = policy_of
        self._public_url = (public_url or "").rstrip("/")

    def __call__(self, waiting: Waiting) -> Parcel | Failed:
        """Return the message, or why it cannot be sent. Blocks."""
        policy = self._policy_of(waiting.policy)
        with self._log.transaction() as cursor:
            of = recall(self._log, cursor, waiting, policy)
            reader = person(cursor, waiting.person) if waiting.person else None
            # after a restore, references and keys are assigned a second time
            key = read_epochs(cursor).key(waiting.key, waiting.position)
        if not waiting.person:
            return ByWebhook(key, self._payload(key, waiting, of))
        if reader is None:
            return Failed(NO_ADDRESS, permanent=True)
        if waiting.kind not in STAFF:
            return self._to_user(key, waiting, of, reader)
        fallback = policy.desk.languages[0]
        language = reader.language or fallback
        message = say(
            for_staff(of, language, self._url(waiting)),
            reader.as_reader(policy.desk.timezone),
            fallback,
        )
        return ByMail(key, reader.mailbox, message)

    def _to_user(
        self, key: str, waiting: Waiting, of: Recalled, reader: Person
    ) -> ByMail | Failed:
        """Return the mail to a user, with the tag that authenticates their reply."""
        desk, address = of.policy.desk, reader.mailbox.address
        if not self._may_leave(waiting, of, address):
            return TOO_MANY
        notice = for_user(of, waiting.person, self._policy_of, self._answer_at)
        return ByMail(
            key,
            reader.mailbox,
            say(notice, reader.as_reader(desk.timezone), desk.languages[0]),
            self._tag(waiting, address),
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
