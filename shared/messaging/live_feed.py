"""New events as NATS delivers them: possibly twice, late, or not at all.

One consumer, provisioned by intake, delivers them to all readers. Each reader checks
the order itself, by position.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

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
    """The messages since `open_feed`, in order of arrival."""

    def __init__(self, link: Link | None) -> None:
        self._link = link
        self._generation = link.generation if link else 0
        self._waiting: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self.live = False
        """False if nothing will arrive: NATS is, or was briefly, disconnected."""

    async def heard(self, message: Msg) -> None:
        """Buffer a message; on overflow the whole buffer becomes useless."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.clear()
            self.live = False
        if self.live:
            self._waiting.append(message)
        self._arrived.set()

    def wake(self) -> None:
        """End the wait of `take`, which then returns what has arrived."""
        self._arrived.set()

    async def take(self, limit: int, seconds: float) -> list[Row]:
        """Return up to `limit` events, waiting at most `seconds` for the first.

        Empty if nothing arrives, or if nothing more will.
        """
        if not self._waiting:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), seconds)
        if self._link is None or self._link.generation != self._generation:
            self.live = False
        count = min(limit, len(self._waiting))
        try:
            return [_row(self._waiting.popleft()) for _ in range(count)]
        except Unreadable:
            self.live = False
            return []


def _row(message: Msg) -> Row:
    return row_of(message.headers, message.data)


@asynccontextmanager
async def open_feed(link: Link | None) -> AsyncIterator[LiveFeed]:
    """Yield a feed of events from now on; it is not `live` without NATS."""
    feed = LiveFeed(link)
    client = link.client if link else None
    subscription = await _subscribe(client, feed) if client else None
    try:
        yield feed
    finally:
        feed.live = False
        if subscription is not None:
            await _end(subscription)


async def _subscribe(client: Client, feed: LiveFeed) -> Subscription | None:
    async def heard(message: Msg) -> None:
        if not await _is_control(client, message):
            await feed.heard(message)

    feed.live = True
    try:
        subscription = await client.subscribe(subjects.FEED, cb=heard)
        await settled(client, SETUP_SECONDS)
    except (Error, OSError):
        feed.live = False
        return None
    return subscription


async def _is_control(client: Client, message: Msg) -> bool:
    """Answer flow control of JetStream; return whether it was that or a heartbeat.

    The first reader that answers lets the consumer continue: a slower one loses
    messages and reads the log, instead of delaying the others.
    """
    headers = message.headers or {}
    if headers.get(Header.STATUS) != StatusCode.CONTROL_MESSAGE:
        return False
    wanted = message.reply or headers.get(Header.CONSUMER_STALLED)
    if wanted:
        await client.publish(wanted)
    return True


async def _end(subscription: Subscription) -> None:
    with suppress(Error, OSError):
        await subscription.unsubscribe()
