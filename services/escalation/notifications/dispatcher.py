"""Sends the notifications of the outbox: one process at a time, with limits.

Each channel has its own limit, so a mail server that hangs does not delay webhooks.

A notification is composed, recorded as sent, handed over, and its outcome is recorded.
If the process dies after handing it over, the notification is sent again with the same
key: delivery is at least once.
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
"""Delay before trying again if the log is unavailable or the reader is behind."""

ATTEMPTS_MAX = 50
"""Attempts while the reader is behind, before the notification rests."""

_Done = TypeVar("_Done")
_log = structlog.get_logger(__name__)


class NotificationSender:
    """Delivers notifications; `compose` creates the message, and blocks."""

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
        """Deliver one notification now. Cancel the task if the process has to stop.

        Raises `LeaseLost` if `seat` no longer holds the lease of the outbox.
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
        """Run `work`; repeat it while the log is unavailable or the reader is behind.

        Raises `CaseBehindLog` or `StaleVersion` if that does not end.
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
        """Record that it is about to be sent; tell whether it still has to be."""
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            self._log.look(cursor)  # a repeat appends nothing: check here
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
        """Record the outcome, or when to try again."""
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
"""Notifications that are in progress at the same time, per channel."""
LOOK_SECONDS = 0.1
ELECTION_SECONDS = 0.5
RETRY_SECONDS = 0.5
REST_SECONDS = 60.0
"""How long a failed notification rests, so that it does not block the others."""
GRACE_SECONDS = 5.0
"""How long deliveries in progress may take after a stop was requested."""


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
        """Return a thread-safe callback that announces new notifications."""
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Send, whenever elected, until `stop` is set; returns only then."""
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
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)

    async def _heads(self) -> list[Waiting]:
        # Read here, not in the thread: only the event loop changes the dictionary.
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
            self._log.look(cursor)  # nothing is sent if the log went back
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
