"""Follows the event log: catches up from it, then applies what NATS delivers.

A reader has a row in `<schema>.tracking` and its parked events in `<schema>.parked`
(created by `position.tracking_tables`). NATS only makes it fast: events that are
missing, duplicated, out of order or of another log are read from the log. Any number of
processes may run the same reader; the one that moves the tracked position applies
events, the others are on standby.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from shared.database.cursors import Cursors
from shared.eventlog.errors import StaleVersion, Unavailable, is_cancelled
from shared.eventlog.log import EventLog, Row, follows
from shared.eventlog.readers.group_commit import GroupCommit
from shared.eventlog.readers.parked_commands import ParkedRequests
from shared.eventlog.readers.parked_events import PassOver
from shared.eventlog.readers.position import (
    BEGINNING,
    Bookmark,
    MissingEvent,
    Overtaken,
    Tracked,
)
from shared.eventlog.readers.status import ReaderStatus
from shared.eventlog.readers.transaction import Apply, Part, PoisonEvent, apply_rows
from shared.http.serve import pause
from shared.messaging.live_feed import Deliveries, LiveFeed
from shared.messaging.subjects import EVENTS_STREAM
from shared.observability.telemetry import Outage, wordless
from shared.threads import in_thread

BATCH = 1_000
"""The number of events in one transaction."""
SILENCE_SECONDS = 0.5
"""How long the feed may be silent before the log is polled."""
POLL_SECONDS = 0.2
"""The polling interval of the log without a feed."""
STANDBY_SECONDS = 1.0
"""How long the position may lag without progress before a standby takes over."""
RETRY_SECONDS = 1.0
STOPPED_SECONDS = 5.0
"""How often a stopped reader checks whether the cause is resolved."""
REQUESTS_SECONDS = 1.0
"""How often a reader checks for requests about parked events."""
PARKED_STREAMS_MAX = 100
CANCELLED_MAX = 10
"""How often in a row PostgreSQL may cancel a statement for a single event.

Then the event is parked: the server had no other errors in between.
"""

_log = structlog.get_logger(__name__)


class Stopped(Exception):
    """The reader cannot continue until somebody intervenes; the text says how.

    It checks again every `STOPPED_SECONDS`.
    """


def _nothing_waits(_cursor: Cursors, _rows: Sequence[Row]) -> None:
    pass


class Reader:
    """Applies every event of the log once, in order, to tables next to its position.

    Times are in seconds. `batch` is the maximum number of
    events in one transaction. `pass_over` marks a skipped event, so that nothing waits
    for it. `group`: of the readers with which it shares transactions, if any.
    """

    def __init__(  # noqa: PLR0913 the last three have a default for good
        self,
        log: EventLog,
        bookmark: Bookmark,
        apply: Apply,
        deliveries: Deliveries,
        *,
        silence: float = SILENCE_SECONDS,
        standby: float = STANDBY_SECONDS,
        poll: float = POLL_SECONDS,
        batch: int = BATCH,
        pass_over: PassOver = _nothing_waits,
        group: GroupCommit | None = None,
    ) -> None:
        self._log = log
        self._bookmark = bookmark
        self._apply_entries = apply
        self._deliveries = deliveries
        self._silence = silence
        self._standby = standby
        self._poll = poll
        self._batch = batch
        self._group = group
        self._most = batch
        """The current batch size: smaller while PostgreSQL ends transactions."""
        self._cancelled = 0
        self._tracked = BEGINNING
        self._requests = ParkedRequests(log, bookmark, apply, pass_over)
        self._outage = Outage("log", "reading goes on when PostgreSQL is back")
        self._feed: LiveFeed | None = None
        self._missed = False
        """Whether the log had an event after a silence, and none was heard since."""
        self._woken = False
        self._executor = ThreadPoolExecutor(1, f"reader-{bookmark.reader}")
        self.status = ReaderStatus(bookmark.reader)

    def wake(self) -> None:
        """Read the log at once; call it in the event loop after a commit.

        What this process appended comes over NATS as well, but later.
        """
        self._woken = True
        if self._feed is not None:
            self._feed.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the log until `stop` is set. Never returns earlier, never raises."""
        answering = asyncio.create_task(self._answer_requests(stop))
        try:
            await self._until(stop)
            await answering
        finally:
            answering.cancel()
            self._executor.shutdown()

    async def _answer_requests(self, stop: asyncio.Event) -> None:
        """Execute requests about parked events, also while the reader is stopped."""
        while not stop.is_set():
            try:
                if await in_thread(self._executor, self._requests.answer_all):
                    tracked = await in_thread(self._executor, self._load)
                    self.status.tracked = replace(
                        self.status.tracked, parked_streams=tracked.parked_streams
                    )
            except (Unavailable, StaleVersion, Overtaken):
                pass  # the reader's status shows it; the request waits
            except Exception:  # noqa: BLE001 # it looks again; the request waits
                _log.exception("parked_requests.failed", reader=self._bookmark.reader)
            await pause(stop, REQUESTS_SECONDS)

    async def _until(self, stop: asyncio.Event) -> None:
        overtaken = False
        while not stop.is_set():
            try:
                if overtaken:
                    await self._stand_by(stop)
                overtaken = False
                await self._follow(stop)
            except Overtaken:
                overtaken = True
            except StaleVersion:
                continue  # somebody appended to the same stream: decide again
            except Unavailable as error:
                self.status.state = "away"
                self._outage.away(error)
                await pause(stop, RETRY_SECONDS)
            except Stopped as error:
                await self._rest(stop, str(error))
            except Exception as error:  # noqa: BLE001 # a reader may stop, not vanish
                await self._rest(stop, f"failed: {wordless(error)}", error)

    async def _follow(self, stop: asyncio.Event) -> None:
        self._note(await in_thread(self._executor, self._load))
        self._demand_few_parked()
        while not stop.is_set():
            # Open the feed first: it buffers what is recorded during catch-up.
            async with self._deliveries.feed() as feed:
                self._feed, self._missed = feed, False
                await self._catch_up(stop)
                while not stop.is_set() and await self._step(feed, stop):
                    pass

    async def _step(self, feed: LiveFeed, stop: asyncio.Event) -> bool:
        """Apply what arrives next; return False if the feed must be reopened."""
        self.status.goes_on("live" if feed.live else "polling")
        wait = self._silence if feed.live else self._poll
        heard = [] if self._woken else await feed.take(self._batch, wait)
        if self._woken:
            self._woken = False
            await self._catch_up(stop)
            return feed.live
        fresh = [row for row in heard if row.position > self._tracked.position]
        self._missed = self._missed and not heard
        if fresh and self._continue(fresh):
            await self._apply(_without_repeats(fresh))
            return True
        if heard and not fresh:
            return True  # repeats only
        if not await self._catch_up(stop):
            return feed.live and not fresh
        # What comes after a silence may be on its way: only twice shows that none is.
        delivers, self._missed = not self._missed, True
        return feed.live and not fresh and delivers

    def _continue(self, rows: Sequence[Row]) -> bool:
        """Return whether `rows` without repeats directly follow the tracked event."""
        position, chain = self._tracked.position, self._tracked.chain
        for row in rows:
            if row.position <= position:
                continue
            if row.position != position + 1 or not follows(chain, row):
                return False
            position, chain = row.position, row.chain
        return True

    async def _catch_up(self, stop: asyncio.Event) -> bool:
        """Apply events after the tracked position; return whether there were any."""
        behind = False
        while not stop.is_set():
            rows = await in_thread(self._executor, self._after_tracked)
            self._outage.back()
            if not rows:
                break
            behind = True
            if len(rows) == self._batch:
                self.status.goes_on("catching up")
            await self._apply(rows)
        return behind

    def _after_tracked(self) -> list[Row]:
        """Read the events after the tracked one; `Stopped` if the log lacks that."""
        before = self._tracked
        if before.position == 0:
            return self._log.rows_since(0, self._batch)
        rows = self._log.rows_since(before.position - 1, self._batch + 1)
        if not rows or rows[0].chain != before.chain:
            raise Stopped(
                self._log.continuity.blocked  # then it continues by itself
                or f"the log does not hold the event applied at {before.position}: it "
                "is another log, or was restored to an earlier state; rebuild this "
                "reader"
            )
        return rows[1:]

    async def _apply(self, rows: Sequence[Row]) -> None:
        """Apply in one transaction; in smaller and smaller ones if an event fails."""
        size = len(rows)
        while rows:
            self._demand_few_parked()
            size = min(size, self._most)
            part = rows[:size]
            try:
                self._note(await self._apply_part(part))
            except PoisonEvent:
                size = len(part) // 2
                continue
            except Unavailable as error:
                # It may have taken too long: PostgreSQL ends such transactions.
                alone = len(part) == 1 and is_cancelled(error)
                self._cancelled = self._cancelled + 1 if alone else 0
                self._most = max(1, len(part) // 2)
                raise
            except MissingEvent as error:
                raise Stopped(
                    f"{error}, which arrived over NATS: the stream {EVENTS_STREAM} "
                    "holds events of another log, or of a later state of this one"
                ) from error
            self._cancelled = 0
            self._most = min(self._batch, 2 * self._most)
            self.status.applied_total += len(part)
            rows = rows[size:]
            size *= 2

    def _demand_few_parked(self) -> None:
        parked = self._tracked.parked_streams
        if parked > PARKED_STREAMS_MAX:
            raise Stopped(
                f"{parked} streams are parked, at most {PARKED_STREAMS_MAX}: find out "
                "why (`permanence parked list`), then `permanence parked retry`"
            )

    async def _apply_part(self, rows: Sequence[Row]) -> Tracked:
        part = Part(
            self._bookmark,
            self._apply_entries,
            self._tracked,
            park_cancelled=self._cancelled >= CANCELLED_MAX and len(rows) == 1,
        )
        after = await self._group.apply(part, rows) if self._group else None
        if after is not None:
            return after
        again = self._requests.skip_again
        return await in_thread(self._executor, apply_rows, self._log, part, rows, again)

    async def _stand_by(self, stop: asyncio.Event) -> None:
        """Wait until the active process makes no progress although the log is ahead."""
        self.status.goes_on("standby")
        _log.info("reader.standby", reader=self._bookmark.reader)
        seen = -1
        while not stop.is_set():
            self._note(await in_thread(self._executor, self._load))
            self._outage.back()
            if self._tracked.position == seen and await in_thread(
                self._executor, self._ahead
            ):
                _log.info("reader.takes_over", reader=self._bookmark.reader)
                return
            seen = self._tracked.position
            await pause(stop, self._standby)

    async def _rest(
        self, stop: asyncio.Event, why: str, error: Exception | None = None
    ) -> None:
        """Report the stop, wait, and let the caller try again."""
        if self.status.why != why:
            reader = self._bookmark.reader
            _log.error("reader.stopped", reader=reader, why=why, exc_info=error)
        self.status.state, self.status.why = "stopped", why
        await pause(stop, STOPPED_SECONDS)

    def _ahead(self) -> bool:
        return bool(self._log.rows_since(self._tracked.position, 1))

    def _load(self) -> Tracked:
        with self._log.transaction() as cursor:
            return self._bookmark.start(cursor)

    def _note(self, tracked: Tracked) -> None:
        self._tracked = tracked
        self.status.reached(tracked)


def _without_repeats(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without repeats."""
    by_position = {row.position: row for row in rows}
    return [by_position[position] for position in sorted(by_position)]
