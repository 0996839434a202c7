"""What every channel out of the desk has: a name, its traits, and a way to send.

A channel is one module beside this one, with a function that builds it from the
settings. `outlets.py` lists these functions; nothing else names a channel.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Outcome
from shared.domain.events.notification import Channel as ChannelName
from shared.settings import EscalationSettings

A_DAY = timedelta(days=1)
SOON = timedelta(minutes=10)
"""How long a page is tried by a channel that a person reads at once. After that the
next channel is of more use than this one."""


@dataclass(frozen=True)
class ChannelTraits:
    """What a channel is like, as far as others have to know."""

    internal: bool = False
    """Whether messages stay with the desk's own organisation. Others get the minimum
    of words, unless the policy calls the channel internal."""
    retried_for: timedelta = SOON
    """How long a message that fails for now is tried again."""
    at_once_max: int = 16
    """How many of its messages are in progress at the same time."""
    length_max: int = 4_000
    """Characters of the line that a message says; a longer one is cut."""


class Channel(Protocol):
    """A channel out of the desk."""

    @property
    def name(self) -> ChannelName:
        """Its name in events and policies."""

    @property
    def traits(self) -> ChannelTraits:
        """What it is like."""

    @property
    def missing(self) -> str | None:
        """The sentence that says which settings it lacks; None if it can send."""

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:
        """Send `parcel` once; never raises for errors of the other side.

        `at` is the instant of this attempt.
        """


@dataclass(frozen=True)
class ChannelContext:
    """What channels are built from.

    `client` is for providers that the settings name; `guarded` refuses inner addresses
    and is for URLs that people give.
    """

    settings: EscalationSettings
    client: httpx.AsyncClient
    guarded: httpx.AsyncClient


def contact_of(parcel: Parcel) -> ToContact:
    """Return a parcel for a contact. Raises `TypeError` for one of another kind."""
    if not isinstance(parcel, ToContact):
        raise TypeError(f"{type(parcel).__name__} is not addressed to a contact")
    return parcel
