"""All channels out of the desk by name, and one attempt to send over one of them.

A new channel is a module beside this one, and a line in `REGISTRY`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import structlog

from services.escalation.notifications.channels.apprise import apprise_channel
from services.escalation.notifications.channels.channel import (
    Channel,
    ChannelContext,
    ChannelTraits,
)
from services.escalation.notifications.channels.mail import mail_channel
from services.escalation.notifications.channels.matrix import matrix_channel
from services.escalation.notifications.channels.mattermost import mattermost_channel
from services.escalation.notifications.channels.ntfy import ntfy_channel
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import Failed, Outcome
from services.escalation.notifications.channels.slack import slack_channel
from services.escalation.notifications.channels.twilio import (
    sms_channel,
    voice_channel,
)
from services.escalation.notifications.channels.web_push import web_push_channel
from services.escalation.notifications.channels.webhook import webhook_channel
from shared.domain.events.notification import Channel as ChannelName
from shared.observability.telemetry import frames_of

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outlets:
    """The channels by name, whether they are configured or not."""

    channels: Mapping[ChannelName, Channel]

    @classmethod
    def of(cls, channels: Iterable[Channel]) -> Self:
        """Return these channels by their names."""
        return cls({each.name: each for each in channels})

    def kinds(self) -> Sequence[ChannelName]:
        """Return the channels to people over which something can be sent."""
        return tuple(
            name for name in self.channels if name != "webhook" and self.is_open(name)
        )

    def is_open(self, name: ChannelName) -> bool:
        """Return whether something can be sent by a channel."""
        return self.refusal(name) is None

    def refusal(self, name: ChannelName) -> Failed | None:
        """Return why nothing can be sent by a channel; None if it can."""
        channel = self.channels.get(name)
        if channel is None:
            return Failed(f"this desk has no channel {name}", permanent=True)
        why = channel.missing
        return None if why is None else Failed(why, permanent=True)

    def traits(self, name: ChannelName) -> ChannelTraits:
        """Return what a channel is like. KeyError for one that is not there."""
        return self.channels[name].traits

    def at_once_max(self, name: ChannelName) -> int:
        """Return how many messages of a channel, there or not, may be in progress."""
        channel = self.channels.get(name)
        return (channel.traits if channel else ChannelTraits()).at_once_max

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Send `parcel` once by its channel; its key identifies repeats. Never raises.

        A channel that raises has failed for now: otherwise nothing would count the
        attempt, and the message would be tried without end.
        """
        refusal = self.refusal(parcel.channel)
        if refusal is not None:
            return refusal
        try:
            return await self.channels[parcel.channel].send(parcel, at)
        except Exception as error:  # noqa: BLE001 # it may fail, but must not end here
            what = type(error).__name__
            # Not the error itself: its text may contain the address.
            _log.error(
                "channel.failed",
                channel=parcel.channel,
                key=parcel.key,
                error=what,
                frames=frames_of(error),
            )
            return Failed(f"the channel failed ({what})", permanent=False)


REGISTRY: tuple[Callable[[ChannelContext], Channel], ...] = (
    mail_channel,
    webhook_channel,
    mattermost_channel,
    matrix_channel,
    slack_channel,
    ntfy_channel,
    sms_channel,
    voice_channel,
    apprise_channel,
    web_push_channel,
)


def outlets_of(context: ChannelContext) -> Outlets:
    """Return all channels as configured; one without settings stays closed."""
    return Outlets.of(build(context) for build in REGISTRY)
