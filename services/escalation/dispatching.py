"""Sends what waits in the outbox: one process at a time, a bounded number at once.

Each channel has its own bound: a mail server that hangs holds up no webhook.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import get_args

import structlog
from psycopg import OperationalError

from services.escalation import outbox
from services.escalation.outbox import Waiting
from services.escalation.postman import Postman
from shared.clock import Clock
from shared.database.leadership import Candidate, Leadership, Lease, LeaseLost
from shared.domain.events.notification import Channel
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.observability.telemetry import Outage

CHANNELS: tuple[Channel, ...] = get_args(Channel)
LEASE = Lease("escalation", "outbox")
AT_ONCE_MAX = 16
"""Notifications on their way at the same time, by one channel."""
LOOK_SECONDS = 0.1
ELECTION_SECONDS = 0.5
RETRY_SECONDS = 0.5
REST_SECONDS = 60.0
"""How long one rests that could not be taken on: it must not hold up the others."""
GRACE_SECONDS = 5.0
"""How long what is on its way may take once we are told to stop."""

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Sends by `postman` while `candidate` holds the lease of the outbox."""

    def __init__(
        self, log: EventLog, candidate: Candidate, postman: Postman, clock: Clock
    ) -> None:
        self._log = log
        self._candidate = candidate
        self._postman = postman
        self._clock = clock
        self._under_way: dict[Waiting, asyncio.Task[None]] = {}
        self._resting: dict[str, float] = {}
        self._woken = asyncio.Event()
        self.leads = False
        self._outage = Outage("outbox", "notifications wait; trying again")

    def listen(self) -> Callable[[], object]:
        """Return what any thread calls when there may be more to send."""
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Send, whenever elected, until `stop` is set. Does not end before."""
        while not stop.is_set():
            try:
                await self._stand(stop)
            except (OperationalError, Unavailable) as error:
                self._outage.away(error)
            except LeaseLost as error:
                _log.warning("outbox.lease_lost", why=str(error))
            except Exception:  # noqa: BLE001 # it may falter, not vanish
                _log.exception("outbox.failed")
            finally:
                self.leads = False
            await pause(stop, RETRY_SECONDS)
        await self._leave()

    async def _stand(self, stop: asyncio.Event) -> None:
        # Who cannot use the log does not take the lease: else it would lead and fail,
        # again and again, and tell of each time.
        await asyncio.to_thread(self._require_log)
        async with self._candidate.standing() as seat:
            while not await seat.won():
                self._outage.back()
                if stop.is_set():
                    return
                await pause(stop, ELECTION_SECONDS)
            self.leads = True
            _log.info("outbox.leads", holder=self._candidate.holder)
            await self._lead(seat, stop)
            await self._leave()

    def _require_log(self) -> None:
        with self._log.transaction() as cursor:
            self._log.look(cursor)

    async def _lead(self, seat: Leadership, stop: asyncio.Event) -> None:
        while not stop.is_set():
            seat.prove()
            self._woken.clear()
            for waiting in await self._heads():
                self._send(waiting, seat)
            self._outage.back()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)

    async def _heads(self) -> list[Waiting]:
        # Here, not in the thread: what is under way changes on this side alone.
        taken = Counter(each.channel for each in self._under_way)
        now = time.monotonic()
        self._resting = {k: end for k, end in self._resting.items() if end > now}
        passed_over = [*(each.key for each in self._under_way), *self._resting]
        free = {name: AT_ONCE_MAX - taken[name] for name in CHANNELS}
        if not any(free.values()):
            return []
        return await asyncio.to_thread(self._look, free, passed_over)

    def _look(
        self, free: Mapping[Channel, int], passed_over: Sequence[str]
    ) -> list[Waiting]:
        with self._log.transaction() as cursor:
            self._log.look(cursor)  # nothing leaves for a log that went back
            return [
                head
                for name, room in free.items()
                for head in outbox.heads(cursor, name, self._clock(), passed_over, room)
            ]

    def _send(self, waiting: Waiting, seat: Leadership) -> None:
        task = asyncio.create_task(self._postman.deliver(waiting, seat))
        self._under_way[waiting] = task
        task.add_done_callback(lambda done: self._done(waiting, done))

    def _done(self, waiting: Waiting, task: asyncio.Task[None]) -> None:
        del self._under_way[waiting]
        self._woken.set()
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, LeaseLost):  # it leaves again, sent by who has the lease
            _log.info("notification.left_to_another", key=waiting.key)
        elif error is not None:
            _log.error("notification.rests", key=waiting.key, exc_info=error)
            self._resting[waiting.key] = time.monotonic() + REST_SECONDS

    async def _leave(self) -> None:
        """Let what is on its way arrive; what does not leaves again, later."""
        if not self._under_way:
            return
        tasks = list(self._under_way.values())
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
