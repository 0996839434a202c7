"""Gives the command to close whatever has been silent long enough."""

import asyncio

import structlog

from services.intake.closing.rows import BEGIN, disarm, due
from services.intake.closing.silence import Silence
from services.intake.commands import CloseSilent
from services.intake.rounds import failing_alone
from services.intake.wanted import Wanted
from shared.clock import Clock
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.messaging.commands import Answered, CommandAnswer, CommandRequest

AT_ONCE_MAX = 100
"""Silences ended in one round."""
LOOK_SECONDS = 1.0
LEVER_SECONDS = 0.02
"""How often to look where time is moved by a lever, which nobody announces."""
ACTOR = "system:intake"

_log = structlog.get_logger(__name__)


class Closer:
    """Closes silent incidents; any number of processes may do so at once."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        commands: Batcher[Wanted, Answered],
        *,
        on_lever: bool = False,
    ) -> None:
        self._log = log
        self._clock = clock
        self._commands = commands
        self._rest = LEVER_SECONDS if on_lever else LOOK_SECONDS
        self._after = BEGIN

    async def run(self, stop: asyncio.Event) -> None:
        """Close until `stop` is set. Never raises."""
        while not stop.is_set():
            again = False
            with failing_alone(_log, "closing.failed"):
                again = await self.round() > 0 or self._after != BEGIN
            if not again:
                await pause(stop, self._rest)

    async def round(self) -> int:
        """Close what is due now; return how many commands were done.

        What cannot be closed yet is passed over until the last that is due is reached.
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
            answer = await self._commands.submit(Wanted(request, wish, b""))
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
