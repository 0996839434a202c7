"""Applies the log to the generation of a read model that is live.

The next transaction that applies events notices a flip: it locks the row that names the
live generation, so nothing is applied to an old one. After two flips the old tables are
gone and no such transaction comes, so the follower also checks periodically.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from services.projections.generations import ReadModel, find_live, hold_live
from services.projections.rebuild.load import STAGES, ReportProgress
from services.projections.rebuild.rebuild import GivenUp
from services.projections.snapshots import Progress
from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.group_commit import GroupCommit
from shared.eventlog.readers.parked_events import PassOver
from shared.eventlog.readers.position import Bookmark, Overtaken, Tracked
from shared.eventlog.readers.reader import RETRY_SECONDS, STOPPED_SECONDS, Reader
from shared.eventlog.readers.status import BuildProgress, ReaderStatus
from shared.eventlog.readers.transaction import Apply
from shared.http.serve import end, pause
from shared.messaging.live_feed import Deliveries
from shared.observability.telemetry import reason
from shared.threads import in_thread

WATCH_SECONDS = 1.0
"""How often a follower checks that its generation is still live."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watched(ReaderStatus):
    """A reader status that wakes the callers waiting for a position."""

    progress: Progress | None = None

    def reached(self, tracked: Tracked) -> None:
        """Record the position, and wake the callers waiting for it."""
        ReaderStatus.reached(self, tracked)
        if self.progress is not None:
            self.progress.reached(self.name, tracked.position)


class Follower:
    """Keeps one read model up to date, from generation to generation.

    `ensure` returns the live schema and builds it first if necessary; it blocks, and
    reports how far it is. `group`: of the followers with which it shares transactions.
    """

    def __init__(
        self,
        model: ReadModel[Any],
        log: EventLog,
        deliveries: Deliveries,
        progress: Progress,
        ensure: Callable[[ReportProgress], str],
        group: GroupCommit | None = None,
    ) -> None:
        self._model = model.bound(log.vault)
        self._log = log
        self._deliveries = deliveries
        self._ensure = ensure
        self._group = group
        self.status: ReaderStatus = _Watched(model.name, progress=progress)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set; after a flip, follow the new live generation."""
        # Not in a thread of those that all share: health checks need them meanwhile.
        thread = ThreadPoolExecutor(1, f"build-{self._model.name}")
        try:
            await self._until(stop, thread)
        finally:
            thread.shutdown(wait=False)

    async def _until(self, stop: asyncio.Event, thread: ThreadPoolExecutor) -> None:
        told = ""

        def report(stage: str, done: int, of: int) -> None:
            if stop.is_set():
                raise GivenUp
            step = list(STAGES).index(stage)
            self.status.builds(BuildProgress(step, STAGES[stage], done, of))

        while not stop.is_set():
            try:
                schema = await in_thread(thread, self._ensure, report)
            except GivenUp:
                return
            except Unavailable:
                self.status.state = "away"
                await pause(stop, RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 # it checks again, red meanwhile
                if told != reason(error):
                    _log.exception("projection.stopped", model=self._model.name)
                told = reason(error)
                self.status.state, self.status.why = "stopped", told
                await pause(stop, STOPPED_SECONDS)
            else:
                await self._follow(schema, stop)

    async def _follow(self, schema: str, stop: asyncio.Event) -> None:
        _log.info("projection.follows", model=self._model.name, schema=schema)
        over = asyncio.Event()
        beside = [
            asyncio.create_task(_pass_on(stop, over)),
            asyncio.create_task(self._watch(schema, over)),
        ]
        try:
            await self._reader(schema, over).run(over)
        finally:
            for task in beside:
                await end(task)

    async def _watch(self, schema: str, over: asyncio.Event) -> None:
        """End the reader of `schema` once another generation is live."""
        while not over.is_set():
            await pause(over, WATCH_SECONDS)
            with suppress(Unavailable, psycopg.Error):  # it checks again
                if await asyncio.to_thread(self._is_live, schema):
                    continue
                over.set()

    def _is_live(self, schema: str) -> bool:
        held = self._log.read(lambda cursor: find_live(cursor, self._model.name))
        return held is not None and held.schema == schema

    def _reader(self, schema: str, over: asyncio.Event) -> Reader:
        loop = asyncio.get_running_loop()
        bookmark = Bookmark(schema, self._model.name)

        def flipped() -> None:
            loop.call_soon_threadsafe(over.set)

        apply = applying(self._model, schema, flipped)
        live = passing(self._model, schema, flipped)
        reader = Reader(
            self._log,
            bookmark,
            apply,
            self._deliveries,
            pass_over=live,
            group=self._group,
        )
        reader.status = self.status
        return reader


def applying(
    model: ReadModel[Any], schema: str, flipped: Callable[[], object]
) -> Apply:
    """Return the function that applies entries to `schema` while it is live.

    Once it is not live, the function calls `flipped` and raises `Overtaken`.
    """

    def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
        _demand_live(cursor, model, schema, flipped)
        model.apply(cursor, schema, entries)

    return apply


def passing(
    model: ReadModel[Any], schema: str, flipped: Callable[[], object]
) -> PassOver:
    """Return the function that skips an event; it only checks the live generation."""

    def pass_over(cursor: Cursors, _: Sequence[Row]) -> None:
        _demand_live(cursor, model, schema, flipped)

    return pass_over


def _demand_live(
    cursor: Cursors,
    model: ReadModel[Any],
    schema: str,
    flipped: Callable[[], object],
) -> None:
    held = hold_live(cursor, model.name, alone=False)
    if held is None or held.schema != schema:
        flipped()
        raise Overtaken(f"{schema} is no longer live")


async def _pass_on(stop: asyncio.Event, over: asyncio.Event) -> None:
    await stop.wait()
    over.set()
