"""The configured channels out of the desk, and one attempt to send over one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from services.escalation.notifications.channels.mail import MailServer, send_mail
from services.escalation.notifications.channels.mail_message import Mailbox, MailMessage
from services.escalation.notifications.channels.retry import Failed, Outcome
from services.escalation.notifications.channels.webhook import Receiver, post_webhook
from shared.i18n.template import Message
from shared.security.signed_links import ReplyTag

NO_MAIL = "no mail server is set: set PERMANENCE_SMTP_URL and PERMANENCE_MAIL_FROM"
LOCAL_PART_MAX = 64
"""Characters before the @ (RFC 5321): a tag that does not fit is left out."""
NO_RECEIVER = "no receiver of pages is set: set PERMANENCE_WEBHOOK_URL"


@dataclass(frozen=True)
class ByMail:
    """A message to a person."""

    key: str
    """The key that receivers see: the same whenever the message is sent again."""
    to: Mailbox
    message: Message
    tag: ReplyTag | None = None
    """Authenticates a reply to it."""


@dataclass(frozen=True)
class ByWebhook:
    """A message to the receiver of pages."""

    key: str
    payload: Mapping[str, object]


Parcel = ByMail | ByWebhook


@dataclass(frozen=True)
class Outlets:
    """The configured channels; one that is not configured is None."""

    client: httpx.AsyncClient
    server: MailServer | None = None
    sender: Mailbox | None = None
    receiver: Receiver | None = None
    plus_addresses: bool = False
    """Whether the sender's mailbox accepts mail to `desk+anything@…`."""

    def closed_to(self, channel: str) -> Failed | None:
        """Return why nothing can be sent by `channel`; None if it can."""
        if channel == "mail":
            ready = self.server is not None and self.sender is not None
            return None if ready else Failed(NO_MAIL, permanent=True)
        ready = self.receiver is not None
        return None if ready else Failed(NO_RECEIVER, permanent=True)

    async def send(self, parcel: Parcel, incident: str, at: datetime) -> Outcome:
        """Send `parcel` once; its key identifies repeats."""
        key = parcel.key
        match parcel:
            case ByMail(to=to, message=message) if self.server and self.sender:
                reply_to = self._reply_to(self.sender.address, parcel.tag)
                letter = MailMessage(
                    key, incident, self.sender, to, message, at, parcel.tag, reply_to
                )
                return await send_mail(self.server, letter)
            case ByWebhook(payload=payload) if self.receiver:
                return await post_webhook(self.client, self.receiver, key, at, payload)
            case ByMail():
                return Failed(NO_MAIL, permanent=True)
            case ByWebhook():
                return Failed(NO_RECEIVER, permanent=True)

    def _reply_to(self, sender: str, tag: ReplyTag | None) -> str | None:
        local, _, domain = sender.rpartition("@")
        tagged = f"{local}+{tag}"
        if not self.plus_addresses or tag is None or len(tagged) > LOCAL_PART_MAX:
            return None
        return f"{tagged}@{domain}"
