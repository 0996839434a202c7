"""Reads all mailboxes of the policy in force, in one elected process.

The probe reports which process reads them, and which mailboxes are unavailable.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from services.intake.mailboxes.mailbox import Mailbox
from services.intake.policy.store import InForce
from shared.database.election import whenever_elected
from shared.database.leadership import (
    FREE_SECONDS_MAX,
    Candidate,
    Leadership,
    Lease,
    LeaseState,
    look,
)
from shared.domain.policy.sources import Mailbox as Clause
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.observability.health import Check
from shared.observability.telemetry import Outage

LEASE = Lease("intake", "mailboxes")
STALL_SECONDS = 60.0
"""How long all mail servers together may take for one step of a round."""
STUCK_SECONDS_MAX = 60.0
"""How long mails may wait in a mailbox while none can be taken."""
POLL_SECONDS = 5.0
"""How often a mailbox is polled, so that a receipt is sent within a minute."""
LEVER_POLL_SECONDS = 0.1


def mailboxes_candidate(
    dsn: str, may_write: Callable[[], bool] = lambda: True
) -> Candidate:
    """Return a candidate for the lease of the mailboxes."""
    return Candidate(dsn, LEASE, STALL_SECONDS, may_write)


class Mailboxes:
    """Reads mailboxes while elected; `opened` creates one from source and clause.

    A second reader for a short time does no harm: the same mail is one contact, and
    only the holder of the lease stores the reading position.
    """

    def __init__(
        self,
        candidate: Candidate,
        in_force: InForce,
        opened: Callable[[str, Clause], Mailbox],
        *,
        on_lever: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._candidate = candidate
        self._in_force = in_force
        self._opened = opened
        self._poll = LEVER_POLL_SECONDS if on_lever else POLL_SECONDS
        self._monotonic = monotonic
        self._open: dict[str, Mailbox] = {}
        self._next_at: dict[str, float] = {}
        self._stuck_since: dict[str, float] = {}
        self._leads = False
        self._outage = Outage("mailboxes", "mails wait where they are; trying again")

    def away(self) -> dict[str, str]:
        """Return which of the mailboxes read here are unavailable, and why."""
        return {
            source: f"not read: {mailbox.why_away}"
            for source, mailbox in self._open.items()
            if mailbox.why_away
        }

    def stuck(self) -> dict[str, str]:
        """Return in which of the mailboxes read here mails wait and none is taken."""
        return {
            source: f"mails have waited for {seconds:.0f} s and none could be taken"
            for source, since in self._stuck_since.items()
            if (seconds := self._monotonic() - since) > STUCK_SECONDS_MAX
        }

    def own(self) -> dict[str, float]:
        """Return the metrics of this process."""
        return {
            "stuck": float(len(self.stuck())),
            "leads": float(self._leads),
            "read": float(len(self._open)),
            "away": float(len(self.away())),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Read whenever elected, until `stop` is set; does not return earlier."""
        lead = partial(self._lead, stop)
        await whenever_elected(
            self._candidate, lead, self._step_down, self._outage, stop
        )

    async def _lead(self, stop: asyncio.Event, seat: Leadership) -> None:
        self._leads = True
        while not stop.is_set():
            seat.prove()
            await self._as_declared(self._in_force.mailboxes())
            await self._rounds(seat)
            await pause(stop, self._poll)

    async def _step_down(self) -> None:
        self._leads = False
        await self._leave(list(self._open))

    async def _rounds(self, seat: Leadership) -> None:
        """Read each mailbox; raise the error of a failed one after all have ended."""
        rounds = [self._round(source, seat) for source in self._open]
        for failed in await asyncio.gather(*rounds, return_exceptions=True):
            if isinstance(failed, BaseException):
                raise failed

    async def _as_declared(self, declared: Mapping[str, Clause]) -> None:
        """Close mailboxes removed or changed in the policy; open the new ones."""
        gone = [s for s, box in self._open.items() if declared.get(s) != box.clause]
        await self._leave(gone)
        for source, clause in declared.items():
            if source not in self._open:
                self._open[source] = self._opened(source, clause)

    async def _round(self, source: str, seat: Leadership) -> None:
        if self._monotonic() >= self._next_at.get(source, 0.0):
            wait = await self._open[source].round(seat, self._monotonic())
            now = self._monotonic()
            self._next_at[source] = now + wait
            if self._open[source].takes_nothing:
                self._stuck_since.setdefault(source, now)
            else:
                self._stuck_since.pop(source, None)

    async def _leave(self, sources: list[str]) -> None:
        for source in sources:
            await self._open.pop(source).close()
            self._next_at.pop(source, None)
            self._stuck_since.pop(source, None)


@dataclass(frozen=True, eq=False)
class MailboxesProbe:
    """Not ready if no process reads the mailboxes, or no mail of one can be taken.

    An unavailable mailbox is an alarm and leaves it ready: the others are still read.
    """

    log: EventLog
    in_force: InForce
    mailboxes: Mailboxes

    async def __call__(self) -> Check:
        """Return the state of the mailboxes, whichever process reads them."""
        away, stuck = self.mailboxes.away(), self.mailboxes.stuck()
        words: Mapping[str, str] = away
        numbers: Mapping[str, float] = self.mailboxes.own()
        why = "; ".join(f"{source}: {told}" for source, told in stuck.items())
        try:
            lease = await asyncio.to_thread(self._look)
        except Unavailable:
            pass
        else:
            numbers = {**numbers, **lease.numbers()}
            words = {**words, **lease.words()}
            if self.in_force.mailboxes() and lease.free_seconds > FREE_SECONDS_MAX:
                free = f"{lease.free_seconds:.0f} s"
                why = f"no process has read the mailboxes for {free}"
        words = {"why": why, **words} if why else words
        alarm = "; ".join(f"{source}: {told}" for source, told in away.items())
        return Check("mailboxes", "letters", not why, words, numbers, alarm)

    def _look(self) -> LeaseState:
        with self.log.transaction() as cursor:
            return look(cursor, LEASE)
