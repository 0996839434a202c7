"""Submits a command for each row of a table whose instant has come.

The rule decides: a row that another process has just handled, or that is out of date,
has no effect. So several processes may work at a time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from services.intake.commands.pending_command import PendingCommand
from services.intake.records.system_command import DueCommand
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.rounds import in_rounds
from shared.messaging.commands import Answered, CommandAnswer, CommandRequest

AT_ONCE_MAX = 100
"""Commands of one round."""
LOOK_SECONDS = 1.0
ACTOR = "system:intake"

Row = TypeVar("Row")


def _desk(_: object) -> str:
    return ACTOR


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueTable(Generic[Row]):
    """A table of instants: how it is read, and the command of a row."""

    name: str
    """What log messages call it."""
    due: Callable[[Cursors, datetime, int, Row | None], Sequence[Row]]
    """Returns up to so many rows that are due at an instant, after another row."""
    command_of: Callable[[Row], tuple[str, DueCommand]]
    """Returns the incident of a row, and the command."""
    disarm: Callable[[Cursors, Row], None]
    """Lets a row rest that had no effect, unless it was replaced meanwhile."""
    actor_of: Callable[[Row], str] = _desk
    """Returns in whose name the command of a row is sent."""


class DueCommands(Generic[Row]):
    """Submits the commands of a table, page by page."""

    def __init__(
        self,
        table: DueTable[Row],
        log: EventLog,
        clock: Clock,
        commands: Batcher[PendingCommand, Answered],
    ) -> None:
        self._table = table
        self._log = log
        self._clock = clock
        self._commands = commands
        self._after: Row | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Submit what is due until `stop` is set. Never raises."""
        failed = f"{self._table.name}.failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> float | None:
        """Submit one page; what fails is skipped until all that are due were tried."""
        rows = await asyncio.to_thread(self._due)
        done = await asyncio.gather(*map(self._submit, rows))
        return 0.0 if any(done) or self._after is not None else None

    async def _submit(self, row: Row) -> bool:
        incident, command = self._table.command_of(row)
        actor = self._table.actor_of(row)
        request = CommandRequest[Any](
            incident=incident, actor=actor, scopes=(), body=command
        )
        try:
            answer = await self._commands.submit(PendingCommand(request, b""))
        except Exception as error:  # noqa: BLE001 # the others are submitted all the same
            event = f"{self._table.name}.put_off"
            _log.warning(event, incident=incident, why=str(error))
            return False
        if isinstance(answer, CommandAnswer) and answer.outcome == "already":
            await asyncio.to_thread(self._disarm, row)
        return True

    def _due(self) -> Sequence[Row]:
        with self._log.transaction() as cursor:
            page = self._table.due(cursor, self._clock(), AT_ONCE_MAX, self._after)
        self._after = page[-1] if len(page) == AT_ONCE_MAX else None
        return page

    def _disarm(self, row: Row) -> None:
        with self._log.transaction() as cursor:
            self._table.disarm(cursor, row)
