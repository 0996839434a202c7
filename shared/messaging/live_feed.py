"""New events as NATS delivers them: possibly twice, late, or not at all.

One consumer, provisioned by intake, delivers them to all readers. Each reader checks
the order itself, by position.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error
from nats.js.api import Header, StatusCode

from shared.eventlog.log import Row
from shared.messaging import subjects
from shared.messaging.connection import Link, settled
from shared.messaging.envelope import Unreadable, row_of

WAITING_MAX = 20_000
"""How many messages are buffered for a busy reader; beyond that it reads the log."""
SETUP_SECONDS = 2


class LiveFeed:
    """The events since it was opened, in order of arrival, for one reader."""

    def __init__(self, link: Link | None, generation: int) -> None:
        self._link = link
        self._generation = generation
        self._waiting: deque[Row] = deque()
        self._arrived = asyncio.Event()
        self.live = False
        """False if nothing will arrive: NATS is, or was briefly, disconnected."""
        self._broken = False

    def heard(self, row: Row) -> None:
        """Buffer an event; on overflow the whole buffer becomes useless."""
        if len(self._waiting) >= WAITING_MAX:
            self.broken()
        elif self.live:
            self._waiting.append(row)
        self._arrived.set()

    def broken(self) -> None:
        """Drop what waits: there are too many, or one that cannot be read."""
        self._waiting.clear()
        self.live = False
        self._broken = True
        self._arrived.set()

    def wake(self) -> None:
        """End the wait of `take`, which then returns what has arrived."""
        self._arrived.set()

    async def take(self, limit: int, seconds: float) -> list[Row]:
        """Return up to `limit` events, waiting at most `seconds` for the first.

        Empty if nothing arrives, or if nothing more will; at once if it has broken.
        """
        if not self._waiting and not self._broken:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), seconds)
        link = self._link
        if not link or not link.client or link.generation != self._generation:
            self.live = False
        count = min(limit, len(self._waiting))
        return [self._waiting.popleft() for _ in range(count)]


@dataclass(eq=False)
class _Subscribed:
    """A subscription of one connection, and the feeds that it fills."""

    client: Client
    generation: int
    feeds: set[LiveFeed] = field(default_factory=set)
    subscription: Subscription | None = None
    ended: bool = False

    async def heard(self, message: Msg) -> None:
        """Read a message once for all feeds."""
        if await _is_control(self.client, message):
            return
        try:
            row = row_of(message.headers, message.data)
        except Unreadable:
            for feed in self.feeds:
                feed.broken()
        else:
            for feed in self.feeds:
                feed.heard(row)


class Deliveries:
    """New events as NATS delivers them to this process: one subscription for all feeds.

    A reader that falls behind loses its own feed only. `link` is None without NATS.
    """

    def __init__(self, link: Link | None) -> None:
        self._link = link
        self._subscribed: _Subscribed | None = None
        self._subscribing: asyncio.Task[_Subscribed | None] | None = None

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[LiveFeed]:
        """Yield a feed of events from now on; it is not `live` without NATS."""
        subscribed = await self._current()
        while subscribed is not None and subscribed.ended:
            subscribed = await self._current()  # those it was made for have left
        feed = LiveFeed(self._link, subscribed.generation if subscribed else 0)
        if subscribed is not None:
            subscribed.feeds.add(feed)
            feed.live = True
        try:
            yield feed
        finally:
            feed.live = False
            if subscribed is not None:
                await self._leave(subscribed, feed)

    async def _current(self) -> _Subscribed | None:
        """Return the subscription of the present connection; None without one.

        All who come while it is made, or fails to be, have the same.
        """
        client = self._link.client if self._link else None
        if self._link is None or client is None:
            return None
        held, generation = self._subscribed, self._link.generation
        if held is not None and (held.client, held.generation) == (client, generation):
            return held
        if self._subscribing is None or self._subscribing.done():
            self._subscribing = asyncio.create_task(self._subscribe(client, generation))
        return await asyncio.shield(self._subscribing)

    async def _subscribe(self, client: Client, generation: int) -> _Subscribed | None:
        made = _Subscribed(client, generation)
        try:
            made.subscription = await client.subscribe(subjects.FEED, cb=made.heard)
            await settled(client, SETUP_SECONDS)
        except (Error, OSError):
            await _end(made.subscription)
            return None
        self._subscribed = made
        return made

    async def _leave(self, subscribed: _Subscribed, feed: LiveFeed) -> None:
        """Leave the feed of a reader that missed something, or ends.

        The next feed has a new subscription: the server may have dropped this one.
        """
        subscribed.feeds.discard(feed)
        if self._subscribed is subscribed:
            self._subscribed = None
        if not subscribed.feeds:
            subscribed.ended = True
            await _end(subscribed.subscription)


async def _is_control(client: Client, message: Msg) -> bool:
    """Answer flow control of JetStream; return whether it was that or a heartbeat.

    The first process that answers lets the consumer continue: a slower one loses
    messages and reads the log, instead of delaying the others.
    """
    headers = message.headers or {}
    if headers.get(Header.STATUS) != StatusCode.CONTROL_MESSAGE:
        return False
    wanted = message.reply or headers.get(Header.CONSUMER_STALLED)
    if wanted:
        await client.publish(wanted)
    return True


async def _end(subscription: Subscription | None) -> None:
    if subscription is not None:
        with suppress(Error, OSError):
            await subscription.unsubscribe()
