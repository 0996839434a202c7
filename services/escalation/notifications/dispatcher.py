"""Sends the notifications of the outbox: one process at a time, with limits.

Each channel has its own limit, so a mail server that hangs does not delay webhooks.

A notification is composed, recorded as sent, handed over, and its outcome is recorded.
If the process dies after handing it over, the notification is sent again with the same
key: delivery is at least once. What is recorded at the same time shares a transaction.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from itertools import count
from typing import TypeVar

import structlog
from psycopg import OperationalError

from services.escalation.notifications import outbox
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import (
    Delivered,
    Failed,
    Outcome,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recorder import (
    STEPS_MAX,
    DeliveryRecorder,
    Step,
)
from shared.clock import Clock
from shared.database.leadership import Candidate, Leadership, Lease, LeaseLost
from shared.domain.events.notification import Channel
from shared.eventlog.batcher import Batcher
from shared.eventlog.errors import StaleVersion, Unavailable, away, is_unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import end, pause
from shared.observability.telemetry import Outage
from shared.process_manager.worker import CaseBehindLog
from shared.threads import in_thread

AGAIN_SECONDS = 0.1
"""Delay before trying again if the log is unavailable or the reader is behind."""

ATTEMPTS_MAX = 50
"""Attempts while the reader is behind, before the notification rests."""

STEPS_WAITING_MAX = 10_000
"""Far more than there are notifications in progress: none of them is turned away."""

COMPOSED_MAX = 16
"""The maximum number of notifications that are composed in one transaction."""

Compose = Callable[[Sequence[Waiting]], Sequence[Parcel | Failed]]
"""Creates messages, or the reasons why they cannot be sent, in order. It blocks, and
raises if it fails for one of them."""
_Done = TypeVar("_Done")
_log = structlog.get_logger(__name__)


class NotificationSender:
    """Delivers notifications; `compose` creates the messages."""

    def __init__(
        self,
        log: EventLog,
        recorder: DeliveryRecorder,
        clock: Clock,
        compose: Compose,
        outlets: Outlets,
        executor: Executor,
    ) -> None:
        self._log = log
        self._clock = clock
        self._compose = compose
        self._outlets = outlets
        self._executor = executor
        self._steps: Batcher[Step, bool] = Batcher(
            recorder.record,
            executor,
            weight_max=STEPS_MAX,
            waiting_max=STEPS_WAITING_MAX,
        )
        self._texts: Batcher[Waiting, Parcel | Failed] = Batcher(
            self._parcels,
            executor,
            weight_max=COMPOSED_MAX,
            waiting_max=STEPS_WAITING_MAX,
        )
        self.confirmed_total = 0
        self.failed_total = 0
        self.withheld_total = 0

    def at_once_max(self, channel: Channel) -> int:
        """Return how many notifications of a channel may be in progress."""
        return self._outlets.at_once_max(channel)

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Compose and record what is delivered meanwhile."""
        running = [
            asyncio.create_task(each.run()) for each in (self._texts, self._steps)
        ]
        try:
            yield
        finally:
            for each in running:
                await end(each)

    async def deliver(self, waiting: Waiting, seat: Leadership) -> None:
        """Deliver one notification now, within `recording`.

        Cancel the task if the process has to stop. Raises `LeaseLost` if `seat` no
        longer holds the lease of the outbox.
        """
        parcel: Parcel | Failed | None = self._outlets.refusal(waiting.channel)
        if parcel is None:
            parcel = await self._composed(waiting)
        members = await self._members(waiting)
        if isinstance(parcel, Failed):
            outcome: Outcome = parcel
        elif members := await self._each([Step(each, seat) for each in members]):
            seat.check()  # it may have been frozen since the transaction
            outcome = await self._outlets.send(parcel, self._clock())
        else:
            return
        for _ in await self._each([Step(each, seat, outcome) for each in members]):
            self._count(outcome)

    async def _members(self, waiting: Waiting) -> Sequence[Waiting]:
        """Return the messages that leave with this one, which is the last of them."""
        if not waiting.bundle:
            return (waiting,)
        members = await self._until_there(
            lambda: in_thread(self._executor, self._members_of, waiting.bundle)
        )
        return (*(each for each in members if each.key != waiting.key), waiting)

    def _members_of(self, bundle: str) -> Sequence[Waiting]:
        with self._log.transaction() as cursor:
            return outbox.members(cursor, bundle)

    async def _each(self, steps: Sequence[Step]) -> Sequence[Waiting]:
        """Record steps of one message; return the messages for which it says yes.

        A page of a bundle that cannot be recorded does not hold up the others: it is
        sent again when it can. Raises what is wrong if this is so for each of them.
        """
        *members, leader = steps
        answers = await asyncio.gather(
            *map(self._recorded, members), return_exceptions=True
        )
        # The row of the leader is deleted last: until then no other is sent for it.
        answers += await asyncio.gather(self._recorded(leader), return_exceptions=True)
        failed = [each for each in answers if isinstance(each, BaseException)]
        lost = [each for each in failed if isinstance(each, LeaseLost)]
        if lost or len(failed) == len(steps):
            raise (lost or failed)[0]
        for error in failed:
            _log.error("notification.not_recorded", exc_info=error)
        both = zip(steps, answers, strict=True)
        return [step.waiting for step, answer in both if answer is True]

    async def _composed(self, waiting: Waiting) -> Parcel | Failed:
        return await self._until_there(lambda: self._texts.submit(waiting))

    async def _recorded(self, step: Step) -> bool:
        return await self._until_there(lambda: self._steps.submit(step))

    async def _until_there(self, work: Callable[[], Awaitable[_Done]]) -> _Done:
        """Await `work`; repeat it while the log is unavailable or the reader is behind.

        Raises `CaseBehindLog` or `StaleVersion` if that does not end.
        """
        for attempt in count(1):
            try:
                return await work()
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
            except (StaleVersion, CaseBehindLog):
                if attempt >= ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
        raise AssertionError("counting does not end")

    def _parcels(self, messages: Sequence[Waiting]) -> Sequence[Parcel | Failed]:
        """Compose messages together, or each alone if one of them cannot be.

        Together they may also take too long: PostgreSQL ends an idle transaction.
        """
        try:
            return self._compose(messages)
        except Exception as error:
            if len(messages) > 1:
                return [found for each in messages for found in self._parcels([each])]
            if is_unavailable(error):
                raise away(error) from error
            _log.exception("notification.wordless", key=messages[0].key)
            why = f"its text could not be written ({type(error).__name__})"
            return [Failed(why, permanent=False)]

    def _count(self, outcome: Outcome) -> None:
        match outcome:
            case Delivered():
                self.confirmed_total += 1
            case Failed(withheld=True):
                self.withheld_total += 1
            case Failed():
                self.failed_total += 1


LEASE = Lease("escalation", "outbox")
LOOK_SECONDS = 0.1
"""How often to check what has become due, and what other processes have requested."""
ELECTION_SECONDS = 0.5
RETRY_SECONDS = 0.5
REST_SECONDS = 60.0
"""How long a failed notification rests, so that it does not block the others."""
GRACE_SECONDS = 5.0
"""How long deliveries in progress may take after a stop was requested."""


class Dispatcher:
    """Sends by `sender` while `candidate` holds the lease of the outbox."""

    def __init__(
        self,
        log: EventLog,
        candidate: Candidate,
        sender: NotificationSender,
        clock: Clock,
    ) -> None:
        self._log = log
        self._candidate = candidate
        self._sender = sender
        self._clock = clock
        self._under_way: dict[Waiting, asyncio.Task[None]] = {}
        self._resting: dict[str, float] = {}
        self._woken = asyncio.Event()
        self.leads = False
        self._outage = Outage("outbox", "notifications wait; trying again")

    def listen(self) -> Callable[[], object]:
        """Return a thread-safe callback that announces new notifications."""
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Send, whenever elected, until `stop` is set; returns only then."""
        async with self._sender.recording():
            await self._send_until(stop)

    async def _send_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._stand(stop)
            except (OperationalError, Unavailable) as error:
                self._outage.away(error)
            except LeaseLost as error:
                _log.warning("outbox.lease_lost", why=str(error))
            except Exception:  # noqa: BLE001 # it may fail, but must not end
                _log.exception("outbox.failed")
            finally:
                self.leads = False
            await pause(stop, RETRY_SECONDS)
        await self._leave()

    async def _stand(self, stop: asyncio.Event) -> None:
        # A process without access to the log must not take the lease: it would lead and
        # fail, again and again, and log each failure.
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
            await seat.rest(
                self._woken,
                stop,
                lambda: seat.finds(outbox.IS_DUE, (self._clock(),)),
                LOOK_SECONDS,
            )

    async def _heads(self) -> list[Waiting]:
        # Read here, not in the thread: only the event loop changes the dictionary.
        taken: Counter[str] = Counter(each.channel for each in self._under_way)
        now = time.monotonic()
        self._resting = {k: end for k, end in self._resting.items() if end > now}
        passed_over = [*(each.key for each in self._under_way), *self._resting]
        return await asyncio.to_thread(self._look, taken, passed_over)

    def _look(self, taken: Counter[str], passed_over: Sequence[str]) -> list[Waiting]:
        now = self._clock()
        with self._log.transaction() as cursor:
            self._log.look(cursor)  # nothing is sent if the log went back
            return [
                head
                for name in outbox.channels(cursor, now)
                if (room := self._sender.at_once_max(name) - taken[name]) > 0
                for head in outbox.heads(cursor, name, now, passed_over, room)
            ]

    def _send(self, waiting: Waiting, seat: Leadership) -> None:
        task = asyncio.create_task(self._sender.deliver(waiting, seat))
        self._under_way[waiting] = task
        task.add_done_callback(lambda done: self._done(waiting, done))

    def _done(self, waiting: Waiting, task: asyncio.Task[None]) -> None:
        del self._under_way[waiting]
        self._woken.set()
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, LeaseLost):  # the new holder of the lease sends it again
            _log.info("notification.left_to_another", key=waiting.key)
        elif error is not None:
            _log.error("notification.rests", key=waiting.key, exc_info=error)
            self._resting[waiting.key] = time.monotonic() + REST_SECONDS

    async def _leave(self) -> None:
        """Let deliveries in progress finish; cancelled ones are sent again later."""
        if not self._under_way:
            return
        tasks = list(self._under_way.values())
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
