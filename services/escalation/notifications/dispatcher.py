"""Sends what waits in the outbox: one process at a time, a bounded number at once.

Each channel has its own bound: a mail server that hangs holds up no webhook.

One notification on its way: put into words, noted as sent, handed over, noted again.

Between handing over and noting that, the process may die: then the same leaves again,
with the same key. At least once, and we say so.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from itertools import count
from typing import TypeVar, get_args

import structlog
from psycopg import OperationalError

from services.escalation.notifications import outbox
from services.escalation.notifications.channels.outlets import Outlets, Parcel
from services.escalation.notifications.channels.retry import (
    Delivered,
    Failed,
    Outcome,
    next_attempt,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.process import owns
from services.escalation.rules.case import Case
from services.escalation.rules.context import BY, EscalationContext
from shared.clock import Clock
from shared.database.leadership import Candidate, Leadership, Lease, LeaseLost
from shared.domain.events.notification import (
    Channel,
    NotificationConfirmed,
    NotificationFailed,
    NotificationSent,
)
from shared.eventlog.errors import StaleVersion, Unavailable, away, is_unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.observability.telemetry import Outage
from shared.process_manager import Worker
from shared.process_manager.worker import CaseBehindLog, require_read, settle

AGAIN_SECONDS = 0.1
"""How long to wait where the log is away or the incident is not read to its end."""

ATTEMPTS_MAX = 50
"""How often what is not read to its end is looked at before it rests."""

_Done = TypeVar("_Done")
_log = structlog.get_logger(__name__)


class NotificationSender:
    """Takes notifications where they go; `compose` puts one into words, and blocks."""

    def __init__(
        self,
        log: EventLog,
        worker: Worker[Case, EscalationContext],
        clock: Clock,
        compose: Callable[[Waiting], Parcel | Failed],
        outlets: Outlets,
        executor: Executor,
    ) -> None:
        self._log = log
        self._worker = worker
        self._clock = clock
        self._compose = compose
        self._outlets = outlets
        self._executor = executor
        self.confirmed_total = 0
        self.failed_total = 0
        self.withheld_total = 0

    async def deliver(self, waiting: Waiting, seat: Leadership) -> None:
        """Take one as far as it goes now. Cancel it where the process has to end.

        Raises `LeaseLost` where `seat` no longer has the lease of the outbox.
        """
        parcel: Parcel | Failed | None = self._outlets.closed_to(waiting.channel)
        if parcel is None:
            parcel = await self._until_there(lambda: self._composed(waiting))
        if isinstance(parcel, Failed):
            outcome: Outcome = parcel
        elif await self._until_there(lambda: self._begin(waiting, seat)):
            seat.check()  # it may have been frozen since the transaction
            incident, now = waiting.incident, self._clock()
            outcome = await self._outlets.send(parcel, incident, now)
        else:
            return
        await self._until_there(lambda: self._finish(waiting, outcome, seat))

    async def _until_there(self, work: Callable[[], _Done]) -> _Done:
        """Do a piece of work, again while the log is away, or the reader behind it.

        Raises `CaseBehindLog` or `StaleVersion` where that does not end.
        """
        loop = asyncio.get_running_loop()
        for attempt in count(1):
            try:
                return await loop.run_in_executor(self._executor, work)
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
            except (StaleVersion, CaseBehindLog):
                if attempt >= ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
        raise AssertionError("counting does not end")

    def _composed(self, waiting: Waiting) -> Parcel | Failed:
        try:
            return self._compose(waiting)
        except Exception as error:
            if is_unavailable(error):
                raise away(error) from error
            _log.exception("notification.wordless", key=waiting.key)
            why = f"it could not be put into words ({type(error).__name__})"
            return Failed(why, permanent=False)

    def _begin(self, waiting: Waiting, seat: Leadership) -> bool:
        """Note that it is handed over; tell whether it still is to be."""
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            self._log.look(cursor)  # of what is tried again nothing is appended
            held = outbox.held(cursor, waiting.key)
            if held is None:
                return False
            desk = self._worker.desk(cursor, held.incident)
            require_read(cursor, desk, owns(held.incident))
            outbox.tried(cursor, held.key, held.attempts + 1)
            if not held.sent:
                at = self._clock()
                sent = NotificationSent(
                    at=at, by=BY, incident=held.incident, key=held.key
                )
                desk.record(sent)
                settle(self._log, cursor, desk)
        return True

    def _finish(self, waiting: Waiting, outcome: Outcome, seat: Leadership) -> None:
        """Note its outcome, or when to try again."""
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            held = outbox.held(cursor, waiting.key)
            if held is None:
                return
            at = self._clock()
            if isinstance(outcome, Failed) and not outcome.permanent:
                attempts = waiting.attempts + 1
                when = next_attempt(held.key, attempts, at, outcome.retry_after)
                if when is not None:
                    outbox.again(cursor, held.key, when, attempts)
                    return
            desk = self._worker.desk(cursor, held.incident)
            require_read(cursor, desk, owns(held.incident))
            outbox.over(cursor, held.key)
            desk.record(self._end(held, outcome))
            settle(self._log, cursor, desk)
        match outcome:
            case Delivered():
                self.confirmed_total += 1
            case Failed(withheld=True):
                self.withheld_total += 1
            case Failed():
                self.failed_total += 1

    def _end(
        self, held: Waiting, outcome: Outcome
    ) -> NotificationConfirmed | NotificationFailed:
        at, incident, key = self._clock(), held.incident, held.key
        match outcome:
            case Delivered(receipt=receipt):
                return NotificationConfirmed(
                    at=at,
                    by=BY,
                    incident=incident,
                    key=key,
                    attempts=held.attempts,
                    receipt=receipt,
                )
            case Failed(reason=reason):
                return NotificationFailed(
                    at=at,
                    by=BY,
                    incident=incident,
                    key=key,
                    attempts=held.attempts,
                    reason=reason,
                )


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


class Dispatcher:
    """Sends by `postman` while `candidate` holds the lease of the outbox."""

    def __init__(
        self,
        log: EventLog,
        candidate: Candidate,
        postman: NotificationSender,
        clock: Clock,
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
