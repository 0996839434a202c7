"""The long tail of services, by Apprise: a person gives the URL of their service.

Apprise says only whether the service accepted a message, and has no keys for repeats. A
URL comes from a person, so it is used under a guard: no inner address, no program and
no file. Only services that are called over HTTP are taken.

https://appriseit.com/services/
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from services.escalation.notifications.channels.channel import (
    ChannelContext,
    ChannelTraits,
    contact_of,
)
from services.escalation.notifications.channels.http_call import INNER
from services.escalation.notifications.channels.parcel import Parcel, ToContact
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from shared.domain.events.notification import Channel as ChannelName
from shared.http.networks import Networks, proxies
from shared.http.outbound_audit import Guard, under
from shared.threads import in_thread

if TYPE_CHECKING:  # it takes long to import: a desk without it starts sooner
    from apprise import NotifyBase

MISSING = "Apprise is not allowed: set PERMANENCE_APPRISE=true"
NO_SERVICE = "the address is not a URL of Apprise for a service over HTTP"
FORBIDDEN = "the URL would run a program or read a file of the desk"
NOT_ACCEPTED = "the service did not accept it, or could not be reached"
URL_MAX = 2_000
SECONDS_MAX = 10.0
"""How long a service has. After that its connections are cut, which frees the thread:
others wait for it."""
AT_ONCE_MAX = 16
"""Threads, since the library blocks: as many as messages that are sent at once."""
NO_ANSWER = "the service did not answer in time"


@dataclass(frozen=True)
class Apprise:
    """Services that the library knows. `allowed` are inner networks."""

    name: ClassVar[ChannelName] = "apprise"
    traits: ClassVar = ChannelTraits(length_max=1_000, at_once_max=AT_ONCE_MAX)

    threads: ThreadPoolExecutor
    is_allowed: bool = False
    allowed: Networks = field(default=())
    seconds: float = SECONDS_MAX

    @property
    def missing(self) -> str | None:
        """The settings that it lacks."""
        return None if self.is_allowed else MISSING

    async def send(self, parcel: Parcel, at: datetime) -> Outcome:  # noqa: ARG002 # the library has no use for it
        """Notify a service once."""
        contact = contact_of(parcel)
        loop, guard = asyncio.get_running_loop(), Guard(self.allowed)
        await in_thread(self.threads, _load)
        call = loop.run_in_executor(self.threads, _notified, contact, guard)
        try:
            async with asyncio.timeout(self.seconds):
                return await call
        except TimeoutError:
            return Failed(NO_ANSWER, permanent=False)
        finally:
            guard.end()


def apprise_channel(context: ChannelContext) -> Apprise:
    """Return the channel as the settings configure it."""
    settings = context.settings
    return Apprise(
        ThreadPoolExecutor(AT_ONCE_MAX, "apprise"),
        settings.apprise,
        proxies(settings.outbound_networks),
    )


@cache
def _load() -> None:
    """Import all services, which is not for a person's URL to begin."""
    from apprise.manager_plugins import NotificationManager

    NotificationManager().load_modules()  # type: ignore[no-untyped-call] # its own


def _notified(contact: ToContact, guard: Guard) -> Outcome:
    from apprise import NotifyType

    message = contact.message
    links = filter(None, (message.accept_url, message.url))
    with under(guard):
        service = _service(contact.to)
        if service is None:
            return _refused(guard) or Failed(NO_SERVICE, permanent=True)
        service.request_rate_per_sec = 0.0  # it would sleep between its targets
        accepted = service.notify(
            body="\n".join((message.summary, *links)),
            title=message.incident,
            notify_type=NotifyType.FAILURE if message.urgent else NotifyType.INFO,
        )
    if accepted:
        return Delivered("accepted")
    return _refused(guard) or Failed(NOT_ACCEPTED, permanent=False)


def _service(url: str) -> "NotifyBase | None":
    """Return the service of a URL, None if there is none that speaks HTTP only."""
    import apprise

    if len(url) > URL_MAX:
        return None
    asset = apprise.AppriseAsset(storage_mode=apprise.PersistentStoreMode.MEMORY)
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    module = sys.modules.get(type(service).__module__)
    speaks_http = hasattr(module, "requests") and not hasattr(module, "threading")
    return service if isinstance(service, apprise.NotifyBase) and speaks_http else None


def _refused(guard: Guard) -> Failed | None:
    if not guard.refused:
        return None
    is_network = any(each.startswith("socket.") for each in guard.refused)
    return Failed(INNER if is_network else FORBIDDEN, permanent=True)
