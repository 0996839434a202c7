"""The tail of the log: read once for all listeners, and kept for a while.

A listener only has a position: the events it still needs are here or, if it is further
behind, in the `Backlog`. A slow listener costs nothing, and no thread waits for one.
What listeners have in common is read and encoded once; so is which of their tokens and
sessions have ended.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from itertools import islice
from threading import Lock

from services.projections.api.limits import (
    LOG_PAGE_MAX,
    STREAM_PAGE,
    STREAM_PAGES_MAX,
    STREAM_READS_MAX,
    STREAM_RETRY_SECONDS,
    STREAMS_A_TOKEN_MAX,
    STREAMS_MAX,
)
from services.projections.api.log.blocks import StreamedEvent, streamed
from services.projections.api.log.credentials import OpenCredentials, credential_id
from services.projections.read_models import QUEUE
from services.projections.snapshots import Progress
from shared.clock import Clock
from shared.domain.limits import Place
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import read_head
from shared.http.problem_details import HttpError
from shared.http.serve import pause
from shared.security.access import Caller
from shared.security.places import places
from shared.threads import in_thread

_PERSON = "person."
KEPT_MAX = 2_000
_PlaceAsOf = tuple[int, Place | None]
"""Where an incident belongs, as of a position; None if it was never opened."""
PLACES_MAX = 20_000
"""The maximum number of incidents whose place is kept."""
POLL_SECONDS = 0.2
"""The longest delay of an event; the reader of the queue usually wakes the tail."""
RETRY_SECONDS = 1.0
REST_A_LISTENER_SECONDS = 0.0002
"""How long the tail rests after an event, for each listener: a few times as long as it
takes to tell one, so that many listeners and many events leave room for requests."""


def rest_seconds(listeners: int) -> float:
    """Return how long the tail rests after it told so many listeners something new."""
    return min(POLL_SECONDS, listeners * REST_A_LISTENER_SECONDS)


_Page = Sequence[StreamedEvent]


class Backlog:
    """Pages of the log for listeners that are far behind, each read once for all.

    After a restart all listeners come back from about the same position, and one that
    does not read stays where it is: what they need is decoded and encoded once. A page
    that is full never changes, so it is kept; the last one is read again. The methods
    block, and any thread may call them.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._full: OrderedDict[tuple[object, int], _Page] = OrderedDict()
        self._reading = Lock()

    def after(self, position: int) -> tuple[int, list[StreamedEvent]]:
        """Return the next events after `position`, and up to where they reach.

        Raises `Unavailable`.
        """
        number = position // STREAM_PAGE
        with self._reading:
            page = self._page(number)
        found = [each for each in page if each.position > position]
        return found[-1].position if found else position, found

    def _page(self, number: int) -> _Page:
        key = (self._log.continuity.history, number)
        held = self._full.get(key)
        if held is not None:
            self._full.move_to_end(key)
            return held
        rows = self._log.rows_since(number * STREAM_PAGE, STREAM_PAGE)
        page = streamed(self._log, rows)
        if len(rows) == STREAM_PAGE:
            self._full[key] = page
            if len(self._full) > STREAM_PAGES_MAX:
                self._full.popitem(last=False)
        return page


class Tail:
    """The newest events; read only while there are listeners."""

    def __init__(
        self, log: EventLog, progress: Progress, threads: Executor, clock: Clock
    ) -> None:
        self._log = log
        self._progress = progress
        self._threads = threads
        self.backlog = Backlog(log)
        self.credentials = OpenCredentials(log, threads, clock)
        self._kept: deque[StreamedEvent] = deque(maxlen=KEPT_MAX)
        self._listeners: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._places: dict[str, _PlaceAsOf] = {}
        """Where incidents belong, each as of a position: for listeners with limits."""
        self.head = 0
        """The position of the newest event in the tail."""
        self.rights_changed = 0
        """The position of the newest event about what somebody may do."""
        self.is_over = False
        self.history = log.continuity.history
        """Changes when the log was restored: listeners have to start again."""
        self.reads = asyncio.Semaphore(STREAM_READS_MAX)
        """Limits what listeners read at the same time, each for itself."""
        self.openings = asyncio.Semaphore(STREAM_READS_MAX)
        """Limits how many streams are opened at the same time."""
        self._learning = asyncio.Lock()

    async def places_of(
        self, found: Sequence[StreamedEvent]
    ) -> Mapping[str, Place | None]:
        """Return where the incidents of these events belong. Raises `Unavailable`.

        All listeners with limits ask for the same at the same time: the first one
        reads it.
        """
        newest = {e.incident: e.position for e in found if e.incident is not None}
        known = self._known(newest)
        if len(known) < len(newest):
            async with self._learning:
                known = self._known(newest)
                if unknown := sorted(newest.keys() - known.keys()):
                    known |= await self._learn(unknown)
        return {ref: place for ref, (_, place) in known.items()}

    def _known(self, newest: Mapping[str, int]) -> dict[str, _PlaceAsOf]:
        """Return the places that are known as of these positions, or a later one."""
        held = {ref: self._places[ref] for ref in newest if ref in self._places}
        return {ref: each for ref, each in held.items() if each[0] >= newest[ref]}

    async def _learn(self, refs: Sequence[str]) -> Mapping[str, _PlaceAsOf]:
        read = await in_thread(self._threads, self._read_places, refs)
        if len(self._places) + len(read) > PLACES_MAX:
            self._places.clear()
        self._places.update(read)
        return read

    def _read_places(self, refs: Sequence[str]) -> Mapping[str, _PlaceAsOf]:
        with self._log.transaction() as cursor:
            upto = read_head(cursor).position
            found = places(self._log, cursor, refs)
        return {ref: (upto, found.get(ref)) for ref in refs}

    @contextmanager
    def listening(self, head: int, caller: Caller) -> Iterator[None]:
        """Register a listener; `HttpError` 429 if all places are taken.

        The first one sets the tail to `head`, the end of the log: older events are not
        needed.
        """
        token_id = caller.token_id
        if self._listeners.total() >= STREAMS_MAX:
            raise _no_place(
                f"{STREAMS_MAX} streams are open, and there are no more: come again"
            )
        if self._listeners[token_id] >= STREAMS_A_TOKEN_MAX:
            raise _no_place(
                f"{STREAMS_A_TOKEN_MAX} streams are open by this token: close one, or "
                "share one among those who listen"
            )
        if not self._listeners:
            self._kept.clear()
            self.head = head
        self._listeners[token_id] += 1
        try:
            with self.credentials.held(credential_id(caller)):
                yield
        finally:
            self._listeners[token_id] -= 1
            if not self._listeners[token_id]:
                del self._listeners[token_id]

    def after(self, position: int) -> Sequence[StreamedEvent] | None:
        """Return the events after `position`; None if they are no longer kept here."""
        behind = self.head - position
        if behind > len(self._kept):
            return None
        # From the end: most listeners are behind by a few of thousands.
        return list(islice(reversed(self._kept), max(0, behind)))[::-1]

    async def changed(self, position: int, seconds: float) -> None:
        """Return once there are events after `position`, or after `seconds`."""
        if self.head > position or self.is_over:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the log until `stop` is set; then all streams end."""
        try:
            while not stop.is_set():
                if not self._listeners:
                    await pause(stop, POLL_SECONDS)
                    continue
                await self._progress.wait(QUEUE.name, self.head + 1, POLL_SECONDS)
                try:
                    if await self.credentials.look():
                        self._wake()
                    if await self._read():
                        await pause(stop, rest_seconds(self._listeners.total()))
                except Unavailable:
                    await pause(stop, RETRY_SECONDS)
        finally:
            self.is_over = True
            self._wake()

    async def _read(self) -> bool:
        """Read what is new; return whether there was something."""
        history = self._log.continuity.history
        if history != self.history:
            position = (await in_thread(self._threads, self._log.head))[0]
            self._kept.clear()
            self._places.clear()
            self.head, self.history = position, history
            self._wake()
        head = self.head
        fresh = await in_thread(self._threads, self._since, head)
        if fresh and self.head == head:  # else a new first listener has reset it
            self._kept.extend(fresh)
            self.head = fresh[-1].position
            about_people = (e.position for e in fresh if e.type.startswith(_PERSON))
            self.rights_changed = max(about_people, default=self.rights_changed)
            self._wake()
        return bool(fresh)

    def _since(self, position: int) -> Sequence[StreamedEvent]:
        return streamed(self._log, self._log.rows_since(position, LOG_PAGE_MAX))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _no_place(sentence: str) -> HttpError:
    return HttpError(429, sentence, code="overloaded", retry_after=STREAM_RETRY_SECONDS)
