"""All mailboxes of the policy in force, read by one elected process."""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from psycopg import OperationalError

from services.intake.in_force import InForce
from services.intake.mailboxes.mailbox import Mailbox
from shared.event_log import Unavailable
from shared.health import Check
from shared.leadership import Leadership, candidate
from shared.outage import Outage
from shared.policy.sources import Mailbox as Clause
from shared.serving import pause

LOCK = 7_366_000_011
POLL_SECONDS = 5.0
"""How often a mailbox is asked for news: a receipt leaves within the minute."""
LEVER_POLL_SECONDS = 0.1
ELECTION_SECONDS = 1.0
RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Mailboxes:
    """Reads mailboxes while elected; `opened` makes one of a source's name and clause.

    A second reader for a moment would do no harm: the same mail is one contact.
    """

    def __init__(
        self,
        dsn: str,
        in_force: InForce,
        opened: Callable[[str, Clause], Mailbox],
        *,
        on_lever: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dsn = dsn
        self._in_force = in_force
        self._opened = opened
        self._poll = LEVER_POLL_SECONDS if on_lever else POLL_SECONDS
        self._monotonic = monotonic
        self._open: dict[str, Mailbox] = {}
        self._next_at: dict[str, float] = {}
        self._leads = False
        self._outage = Outage("mailboxes", "mails wait where they are; trying again")

    async def probe(self) -> Check:
        """Say which mailboxes are away. It is never unready: all else goes on."""
        away = {
            source: f"away: {mailbox.why_away}"
            for source, mailbox in self._open.items()
            if mailbox.why_away
        }
        numbers = {
            "leads": float(self._leads),
            "read": float(len(self._open)),
            "away": float(len(away)),
        }
        return Check("mailboxes", "letters", ready=True, words=away, numbers=numbers)

    async def run(self, stop: asyncio.Event) -> None:
        """Read, whenever elected, until `stop` is set. Does not end before."""
        while not stop.is_set():
            try:
                async with candidate(self._dsn, LOCK, "mailboxes") as seat:
                    self._outage.back()
                    await self._stand(seat, stop)
            except (OperationalError, Unavailable) as error:
                self._outage.away(error)
            except Exception:  # noqa: BLE001 # it may falter, not vanish
                _log.exception("mailboxes.failed")
            finally:
                self._leads = False
                await self._leave(list(self._open))
            await pause(stop, RETRY_SECONDS)

    async def _stand(self, seat: Leadership, stop: asyncio.Event) -> None:
        while not await seat.won():
            if stop.is_set():
                return
            await pause(stop, ELECTION_SECONDS)
        self._leads = True
        while not stop.is_set():
            await seat.prove()
            await self._as_declared(self._in_force.mailboxes())
            await asyncio.gather(*map(self._round, self._open))
            await pause(stop, self._poll)

    async def _as_declared(self, declared: Mapping[str, Clause]) -> None:
        """Leave what the policy no longer has, or has otherwise; open what is new."""
        gone = [s for s, box in self._open.items() if declared.get(s) != box.clause]
        await self._leave(gone)
        for source, clause in declared.items():
            if source not in self._open:
                self._open[source] = self._opened(source, clause)

    async def _round(self, source: str) -> None:
        if self._monotonic() >= self._next_at.get(source, 0.0):
            wait = await self._open[source].round()
            self._next_at[source] = self._monotonic() + wait

    async def _leave(self, sources: list[str]) -> None:
        for source in sources:
            await self._open.pop(source).close()
            self._next_at.pop(source, None)
