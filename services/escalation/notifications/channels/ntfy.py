"""Push messages by ntfy, with the highest priority if somebody is waited for.

A topic is a secret that its subscriber chose. The key is the sequence id: from version
2.16 on, a repeat replaces the earlier message on the phone; older servers show both.

https://docs.ntfy.sh/publish/#publish-as-json
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar

import httpx

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.http_call import deliver, outcome
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Failed, Outcome
from shared.domain.contact_methods.values import TOPIC
from shared.domain.events.notification import Channel as ChannelName
from shared.i18n.short_messages import ShortMessage

MISSING = "ntfy is not set: set PERMANENCE_NTFY_URL"
NO_TOPIC = "the address is not a topic of ntfy: write 1 to 64 of A-Z a-z 0-9 _ -"
URGENT, HIGH, LOW = 5, 4, 2
_SEQUENCE_DIGITS = 40


@dataclass(frozen=True)
class Ntfy:
    """A server of ntfy."""

    name: ClassVar[ChannelName] = "ntfy"
    traits: ClassVar = ChannelTraits()

    client: httpx.AsyncClient
    url: str = ""
    token: str = field(default="", repr=False)

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.url else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Publish to a topic once."""
        contact = contact_of(parcel)
        if TOPIC.fullmatch(contact.to) is None:
            return Failed(NO_TOPIC, permanent=True)
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        request = self.client.build_request(
            "POST", f"{self.url}/", json=_message(contact), headers=headers
        )
        read = partial(outcome, id_="id", code="code")
        return await deliver(self.client, request, at, read)


def ntfy_channel(context: ChannelContext) -> Ntfy:
    """Return the channel as the settings configure it."""
    settings = context.settings
    url, token = settings.ntfy_url, settings.ntfy_token
    return Ntfy(
        context.client,
        url.get_secret_value().rstrip("/") if url else "",
        token.get_secret_value() if token else "",
    )


def _message(contact: ToContact) -> dict[str, Any]:
    message = contact.message
    sequence = sha256(contact.key.encode()).hexdigest()[:_SEQUENCE_DIGITS]
    whole: dict[str, Any] = {
        "topic": contact.to,
        "title": message.incident or message.summary,
        "message": message.summary,
        "priority": _priority(message),
        "tags": _tags(message),
        "sequence_id": sequence,
    }
    if message.url:
        whole["click"] = message.url
    if message.accept_url:
        whole["actions"] = [
            {
                "action": "view",
                "label": message.accept_label,
                "url": message.accept_url,
                "clear": True,
            }
        ]
    return whole


def _priority(message: ShortMessage) -> int:
    if message.is_silent:
        return LOW
    return URGENT if message.urgent else HIGH


def _tags(message: ShortMessage) -> list[str]:
    if message.is_test:
        return ["test_tube"]
    return ["rotating_light"] if message.urgent else []
