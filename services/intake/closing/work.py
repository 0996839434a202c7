"""What intake does by itself as the log goes on: ends silences, keeps problem links."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Cursor

from services.intake.closing.closer import Closer
from services.intake.closing.reading import BOOKMARK, Silences
from services.intake.problem_links import ProblemLinks
from services.intake.wanted import Wanted
from shared.clock import Clock
from shared.eventlog.batcher import Batcher
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.readers.probe import reader_probe
from shared.eventlog.readers.reader import POLL_SECONDS, Reader
from shared.messaging.commands import Answered
from shared.observability.health import Check, Probe

LEVER_POLL_SECONDS = 0.02
"""How often the log is asked where time is moved by a lever: a day takes a minute."""


@dataclass(frozen=True)
class Closing:
    """`run` ends when it is told to stop; `probe` tells how far behind it is."""

    run: Callable[[asyncio.Event], Coroutine[None, None, None]]
    probe: Probe


def closing(
    log: EventLog, clock: Clock, commands: Batcher[Wanted, Answered], *, on_lever: bool
) -> Closing:
    """Return what closes silent incidents by giving `commands`, and keeps links.

    It reads the log without NATS: nobody waits for either. It is never unready:
    signals and commands are taken all the same.
    """
    poll = LEVER_POLL_SECONDS if on_lever else POLL_SECONDS
    silences, links = Silences(log), ProblemLinks(log, clock)

    def apply(cursor: Cursor[tuple[Any, ...]], entries: Sequence[Entry]) -> None:
        silences.apply(cursor, entries)
        links.apply(cursor, entries)

    reader = Reader(log, BOOKMARK, apply, None, poll=poll)
    closer = Closer(log, clock, commands, on_lever=on_lever)
    lag = reader_probe(reader.status, log, clock)

    async def run(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.run(stop))
            group.create_task(closer.run(stop))

    async def probe() -> Check:
        return replace(await lag(), ready=True)

    return Closing(run, probe)
