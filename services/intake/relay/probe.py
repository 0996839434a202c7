"""Reports which process is the relay, and whether events wait to be relayed.

Every worker reports this, including those on standby: it compares the event log with
the stream itself.
"""

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from nats.aio.client import Client
from nats.errors import Error
from nats.js.errors import NotFoundError

from services.intake.relay.relay import LEASE, NOWHERE, Relay, Tail, read_tail
from shared.database.leadership import LeaseState, look
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import read_head
from shared.messaging.connection import Link
from shared.messaging.streams import Refused
from shared.observability.health import Check

BEHIND_SECONDS_MAX = 30.0
"""How long events may wait while NATS is reachable and none is relayed."""
TAIL_SECONDS = 2.0
"""How long NATS may take to report the end of the stream."""


@dataclass
class Backlog:
    """How far the stream is behind the log, and since when it has not advanced."""

    waiting: int = 0
    _reached: int | None = None
    _since: float | None = None
    _empty_from: int | None = None

    def seen(self, head: int, tail: Tail | None, now: float, *, led: bool) -> float:
        """Return for how long nothing was relayed although events wait.

        `tail` is None if the stream does not exist. A relay starts an empty stream at
        the head of the log, so events from before the relay `led` do not count as
        waiting. A stream that is ahead of the log belongs to a different log.
        """
        reached = self._reached_by(head, tail, led=led)
        self.waiting = head - reached
        if self.waiting == 0:
            self._since = None
        elif self._since is None or reached != self._reached:
            self._since = now
        self._reached = reached
        return 0.0 if self._since is None else now - self._since

    def _reached_by(self, head: int, tail: Tail | None, *, led: bool) -> int:
        if tail is None:
            return NOWHERE
        if tail.chain is not None:
            self._empty_from = None
            return tail.position if tail.position <= head else NOWHERE
        if led or self._empty_from is None or self._empty_from > head:
            self._empty_from = head
        return self._empty_from


@dataclass(frozen=True, eq=False)
class RelayProbe:
    """Raises an alarm if NATS is reachable and events wait too long to be relayed.

    It is always ready: intake records, and consumers read from the log.
    """

    log: EventLog
    link: Link
    relay: Relay
    backlog: Backlog = field(default_factory=Backlog)

    async def __call__(self) -> Check:
        """Return the progress of the relay, in whichever process it runs."""
        own = self.relay.own()
        client = self.link.client
        try:
            tail = await _tail(client) if client else None
            head, lease = await asyncio.to_thread(self._look)
        except (Error, OSError, Unavailable, Refused):
            return Check("relay", "events", True, {}, own, self.relay.refusal)
        numbers = {**own, **lease.numbers()}
        words = lease.words()
        if client is None:
            return Check("relay", "events", True, words, numbers)
        led = not lease.free_seconds
        behind = self.backlog.seen(head, tail, monotonic(), led=led)
        waiting = self.backlog.waiting
        numbers |= {"waiting": float(waiting), "behind_seconds": behind}
        alarm = self.relay.refusal
        if not alarm and behind > BEHIND_SECONDS_MAX:
            alarm = f"{waiting} events wait, and none was relayed for {behind:.0f} s"
        return Check("relay", "events", True, words, numbers, alarm)

    def _look(self) -> tuple[int, LeaseState]:
        with self.log.transaction() as cursor:
            return read_head(cursor).position, look(cursor, LEASE)


async def _tail(client: Client) -> Tail | None:
    """Return the end of the stream, or None if the stream does not exist."""
    try:
        async with asyncio.timeout(TAIL_SECONDS):
            return await read_tail(client, NOWHERE)
    except NotFoundError:
        return None
