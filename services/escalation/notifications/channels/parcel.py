"""What is handed to a channel: a mail, a post, or a short message to a contact.

The key of a parcel is what receivers see: the same whenever it is sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from services.escalation.notifications.channels.mail_message import Mailbox
from shared.domain.events.notification import Channel as ChannelName
from shared.i18n.messages import Message
from shared.i18n.short_messages import ShortMessage
from shared.security.signed_links import ReplyTag


@dataclass(frozen=True)
class ByMail:
    """A message to a person."""

    channel: ClassVar[ChannelName] = "mail"

    key: str
    to: Mailbox
    message: Message
    tag: ReplyTag | None = None
    """Authenticates a reply to it."""
    incident: str = ""
    """The incident in whose thread it belongs, if any."""


@dataclass(frozen=True)
class ByWebhook:
    """A message to the receiver of pages."""

    channel: ClassVar[ChannelName] = "webhook"

    key: str
    payload: Mapping[str, object]


@dataclass(frozen=True)
class ToContact:
    """A short message to one address of a person, or of a team, at a channel.

    `to` is what the channel calls an address: a room, a topic, a number, a URL.
    """

    key: str
    channel: ChannelName
    to: str
    message: ShortMessage
    incident: str = ""
    method: str | None = None
    """Id of the person's contact method."""
    callback_url: str = ""
    """Where the provider reports the result; "" without a public address."""
    is_of_team: bool = False
    """Whether a team reads it there, and not one person."""


Parcel = ByMail | ByWebhook | ToContact
