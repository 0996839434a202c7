"""Submits the command that closes incidents once the silence has lasted long enough.

Also runs the log reader behind intake's automatic actions: closing incidents and
keeping problem links up to date.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from psycopg import Cursor

from services.intake.auto_close.rules import Silence
from services.intake.auto_close.store import BEGIN, disarm, due
from services.intake.auto_close.subscriber import BOOKMARK, Silences
from services.intake.commands.command import CloseSilent
from services.intake.commands.pending_command import PendingCommand
from services.intake.commands.problem_links import ProblemLinks
from services.intake.signals.timers import failing_alone
from shared.clock import Clock
from shared.eventlog.batcher import Batcher
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.readers.probe import reader_probe
from shared.eventlog.readers.reader import POLL_SECONDS, Reader
from shared.http.serve import pause
from shared.messaging.commands import Answered, CommandAnswer, CommandRequest
from shared.observability.health import Check, Probe

AT_ONCE_MAX = 100
"""Incidents closed in one round."""
LOOK_SECONDS = 1.0
LEVER_SECONDS = 0.02
"""How often to check while the test clock is in use; its jumps are not announced."""
ACTOR = "system:intake"

_log = structlog.get_logger(__name__)


class Closer:
    """Closes silent incidents; several processes may do so concurrently."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        commands: Batcher[PendingCommand, Answered],
        *,
        on_lever: bool = False,
    ) -> None:
        self._log = log
        self._clock = clock
        self._commands = commands
        self._rest = LEVER_SECONDS if on_lever else LOOK_SECONDS
        self._after = BEGIN

    async def run(self, stop: asyncio.Event) -> None:
        """Close incidents until `stop` is set. Never raises."""
        while not stop.is_set():
            again = False
            with failing_alone(_log, "closing.failed"):
                again = await self.round() > 0 or self._after != BEGIN
            if not again:
                await pause(stop, self._rest)

    async def round(self) -> int:
        """Close what is due now; return how many commands were processed.

        Incidents that cannot be closed yet are skipped until all that are due were
        tried.
        """
        silences = await asyncio.to_thread(self._due)
        done = await asyncio.gather(*map(self._close, silences))
        return sum(done)

    async def _close(self, silence: Silence) -> bool:
        request = CommandRequest[None](
            incident=silence.incident, actor=ACTOR, scopes=(), body=None
        )
        wish = CloseSilent(silence.cycle)
        try:
            answer = await self._commands.submit(PendingCommand(request, wish, b""))
        except Exception as error:  # noqa: BLE001 # the others are closed all the same
            _log.warning("closing.put_off", incident=silence.incident, why=str(error))
            return False
        if isinstance(answer, CommandAnswer) and answer.outcome == "already":
            await asyncio.to_thread(self._disarm, silence)
        return True

    def _due(self) -> list[Silence]:
        with self._log.transaction() as cursor:
            page = list(due(cursor, self._clock(), AT_ONCE_MAX, self._after))
        self._after = BEGIN
        if len(page) == AT_ONCE_MAX and page[-1].due_at is not None:
            self._after = (page[-1].due_at, page[-1].incident)
        return page

    def _disarm(self, silence: Silence) -> None:
        with self._log.transaction() as cursor:
            disarm(cursor, silence)


LEVER_POLL_SECONDS = 0.02
"""How often to read the log with the test clock, where a day may take a minute."""


@dataclass(frozen=True)
class AutoClose:
    """The worker `run`, and the `probe` that reports how far behind it is."""

    run: Callable[[asyncio.Event], Coroutine[None, None, None]]
    probe: Probe


def closing(
    log: EventLog,
    clock: Clock,
    commands: Batcher[PendingCommand, Answered],
    *,
    on_lever: bool,
) -> AutoClose:
    """Return the worker that closes silent incidents and keeps problem links.

    It reads the log without NATS, so it depends on neither. Its probe is always ready:
    signals and commands are taken even if it is behind.
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

    return AutoClose(run, probe)
