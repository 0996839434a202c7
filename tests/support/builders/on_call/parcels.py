"""Parcels for contacts, and one attempt to send them over a channel."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx

from services.escalation.notifications.channels.channel import Channel, ChannelContext
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.parcel import ToContact
from services.escalation.notifications.channels.retry import Outcome
from services.escalation.notifications.channels.webhook import forgetful_client
from shared.domain.events.notification import Channel as ChannelName
from shared.http.outbound import GuardedTransport
from shared.i18n.short_messages import ShortMessage
from shared.settings import EscalationSettings

KEY = "3f0c6f3e-2b1d-5f0e-9c55-0d1f6a0f8f11"
AT = datetime(2025, 6, 30, 7, 52, tzinfo=UTC)
INCIDENT = "INC-000042"
URL = "https://desk.example/incidents/INC-000042"
ACCEPT = "https://desk.example/take/SU5D"
CALLBACK = "https://desk.example/v1/callbacks/twilio/SU5D"
PAGE = ShortMessage(
    INCIDENT, "P1: you are needed: Payroll: CPU <95 %", "en", True, URL, ACCEPT
)
SERVERS = {"database_url": "postgresql://x", "nats_url": "nats://x"}

Build = Callable[[ChannelContext], Channel]


def to_contact(
    channel: ChannelName, to: str, message: ShortMessage = PAGE
) -> ToContact:
    """Return a page to a contact."""
    return ToContact(KEY, channel, to, message, INCIDENT, "m-1", CALLBACK)


def sent(
    build: Build, parcel: ToContact, settings: Mapping[str, str], times: int = 1
) -> Outcome:
    """Send a parcel by the channel that these settings configure; the last outcome."""
    read = EscalationSettings.model_validate(SERVERS | {**settings})

    async def send() -> Outcome:
        async with (
            httpx.AsyncClient(follow_redirects=True) as client,
            forgetful_client(GuardedTransport()) as guarded,
        ):
            outlets = Outlets.of((build(ChannelContext(read, client, guarded)),))
            for _ in range(times):
                outcome = await outlets.send(parcel, AT)
            return outcome

    return asyncio.run(send())
