"""Writes who read what: reads together, every second; requests before their answer.

No read waits for its row, unless too many are waiting. A process that is stopped writes
what waits; one that is killed loses the reads of the last second.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

import structlog

from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.reads import Read, Request, Served, note, note_request
from shared.threads import in_thread

WRITE_SECONDS = 1.0
WAITING_MAX = 5_000
"""Reads that wait to be written; the next one waits until they are."""
BATCH_MAX = 1_000
"""Rows of one transaction."""
WRITTEN_MAX = 50_000
"""Reads of the last quarter of an hour that are known to be written."""
END_ATTEMPTS = 5
WINDOW = timedelta(minutes=15)
"""As `reads.note` has it: what is read again within it is not recorded again."""

_log = structlog.get_logger(__name__)
_Key = tuple[str, str, Served, int]
"""A read and the number of its quarter of an hour."""


class ReadRecorder:
    """What this process has to record of reads; used in one event loop."""

    def __init__(self, log: EventLog, threads: Executor) -> None:
        self._log = log
        self._threads = threads
        self._waiting: dict[_Key, Read] = {}
        self._written: set[_Key] = set()
        self._writing = asyncio.Lock()

    async def note(self, reads: Sequence[Read]) -> None:
        """Record reads with the next batch. Raises `Unavailable` if there is no room.

        Then nobody reads on unrecorded: the answer is refused.
        """
        if len(self._waiting) >= WAITING_MAX:
            await self.write()
        for read in reads:
            key = (read.reader, read.record, read.served, _window(read.at))
            if key not in self._written:
                self._waiting.setdefault(key, read)

    async def request(self, made: Request) -> None:
        """Record a request at once. Raises `Unavailable`."""
        await in_thread(self._threads, self._write_request, made)

    async def write(self) -> None:
        """Write what waits. Raises `Unavailable`; then it waits on."""
        async with self._writing:
            while batch := dict(list(self._waiting.items())[:BATCH_MAX]):
                await in_thread(self._threads, self._write, list(batch.values()))
                for key in batch:
                    del self._waiting[key]
                if len(self._written) > WRITTEN_MAX:
                    self._written.clear()
                self._written.update(batch)

    async def run(self, stop: asyncio.Event) -> None:
        """Write every second until `stop` is set."""
        while not stop.is_set():
            await pause(stop, WRITE_SECONDS)
            try:
                await self.write()
            except Unavailable:
                continue
            except Exception as error:  # noqa: BLE001 # reads wait, then are refused
                _log.error("reads.unwritten", error=type(error).__name__)

    async def end(self) -> None:
        """Write what the last answers left; tell the operator if that fails."""
        for _ in range(END_ATTEMPTS):
            try:
                return await self.write()
            except Unavailable:
                await asyncio.sleep(WRITE_SECONDS)
        _log.error("reads.lost", reads=len(self._waiting))
        return None

    def _write(self, reads: Sequence[Read]) -> None:
        with self._log.transaction() as cursor:
            note(cursor, reads)

    def _write_request(self, made: Request) -> None:
        with self._log.transaction() as cursor:
            note_request(cursor, made)


def _window(at: datetime) -> int:
    return int(at.timestamp() // WINDOW.total_seconds())
