"""The tail of the log: read once for all listeners, and kept for a while.

A listener only has a position: the events it still needs are here or, if it is further
behind, in the log. A slow listener costs nothing, and no thread waits for one.

The events contain no personal text, so one form serves every caller. The text is in
the timeline, which no longer shows it once its key is destroyed.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.api.limits import (
    LOG_PAGE_MAX,
    STREAM_RETRY_SECONDS,
    STREAMS_A_TOKEN_MAX,
    STREAMS_MAX,
)
from services.projections.read_models import QUEUE
from services.projections.snapshots import Progress
from services.projections.timeline.entry import project
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef, about, is_incident_ref
from shared.eventlog.epochs import ONLY_FIRST
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row
from shared.http.problem_details import HttpError
from shared.http.serve import pause


class StreamItem(Answer):
    """An event and its position; `actor`, `at` and `what` if it could be decoded."""

    position: int
    stream: str
    version: int
    type: str
    incident: IncidentRef | None
    """The incident it is about; null for policies, problems and changes."""
    at: AwareDatetime | None
    """When it was decided."""
    recorded_at: AwareDatetime
    actor: Actor | None
    what: dict[str, Any] | None
    """Its other fields as in the timeline, without personal text."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event ready to be sent: the fields that filters use, and its JSON."""

    id: str
    """The id with which a client reconnects: position, and epoch unless the first."""
    position: int
    type: str
    incident: IncidentRef | None
    json: str


def told(log: EventLog, rows: Sequence[Row]) -> list[Told]:
    """Return rows ready to be sent. Blocks: keys may have to be fetched."""
    items = [_item(log, row) for row in rows]
    epochs = log.epochs() if items else ONLY_FIRST
    return [
        Told(
            epochs.id_at(item.position),
            item.position,
            item.type,
            item.incident,
            item.model_dump_json(),
        )
        for item in items
    ]


def _item(log: EventLog, row: Row) -> StreamItem:
    at = actor = what = None
    # A newer service wrote it, or it is damaged. It is still reported: one event must
    # not end every stream.
    with suppress(Exception):
        entry = log.entry(row)
        line = project(entry)
        at, actor = entry.event.at, entry.event.by
        what = line.what if line else None
    ref = about(row.stream)
    return StreamItem(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        incident=ref if ref and is_incident_ref(ref) else None,
        at=at,
        recorded_at=row.recorded_at,
        actor=actor,
        what=what,
    )


KEPT_MAX = 2_000
POLL_SECONDS = 0.2
"""The longest delay of an event; the reader of the queue usually wakes the tail."""
RETRY_SECONDS = 1.0


class Tail:
    """The newest events; read only while there are listeners."""

    def __init__(self, log: EventLog, progress: Progress, threads: Executor) -> None:
        self._log = log
        self._progress = progress
        self._threads = threads
        self._kept: deque[Told] = deque(maxlen=KEPT_MAX)
        self._listeners: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self.head = 0
        """The position of the newest event in the tail."""
        self.is_over = False
        self.history = log.continuity.history
        """Changes when the log was restored: listeners have to start again."""

    @contextmanager
    def listening(self, head: int, token_id: str) -> Iterator[None]:
        """Register a listener; `HttpError` 429 if all places are taken.

        The first one sets the tail to `head`, the end of the log: older events are not
        needed.
        """
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
            yield
        finally:
            self._listeners[token_id] -= 1
            if not self._listeners[token_id]:
                del self._listeners[token_id]

    def after(self, position: int) -> Sequence[Told] | None:
        """Return the events after `position`; None if they are no longer kept here."""
        behind = self.head - position
        if behind > len(self._kept):
            return None
        return list(islice(self._kept, len(self._kept) - behind, None))

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
                    await self._read()
                except Unavailable:
                    await pause(stop, RETRY_SECONDS)
        finally:
            self.is_over = True
            self._wake()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        history = self._log.continuity.history
        if history != self.history:
            position = (await loop.run_in_executor(self._threads, self._log.head))[0]
            self._kept.clear()
            self.head, self.history = position, history
            self._wake()
        head = self.head
        fresh = await loop.run_in_executor(self._threads, self._since, head)
        if fresh and self.head == head:  # else a new first listener has reset it
            self._kept.extend(fresh)
            self.head = fresh[-1].position
            self._wake()

    def _since(self, position: int) -> Sequence[Told]:
        return told(self._log, self._log.rows_since(position, LOG_PAGE_MAX))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _no_place(sentence: str) -> HttpError:
    return HttpError(429, sentence, code="overloaded", retry_after=STREAM_RETRY_SECONDS)
