"""Which process reads the mailboxes, which are away, and whether nobody reads them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.intake.in_force import InForce
from services.intake.mailboxes.mailboxes import LEASE, Mailboxes
from shared.database.leadership import FREE_SECONDS_MAX, LeaseState, look
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.observability.health import Check


@dataclass(frozen=True, eq=False)
class MailboxesProbe:
    """Not ready while the policy has mailboxes and no process reads them.

    A mailbox that is away leaves it ready: all else goes on.
    """

    log: EventLog
    in_force: InForce
    mailboxes: Mailboxes

    async def __call__(self) -> Check:
        """Return how the mailboxes are, whichever process reads them."""
        words: Mapping[str, str] = self.mailboxes.away()
        numbers: Mapping[str, float] = self.mailboxes.own()
        try:
            lease = await asyncio.to_thread(self._look)
        except Unavailable:
            return Check("mailboxes", "letters", True, words, numbers)
        numbers = {**numbers, **lease.numbers()}
        words = {**words, **lease.words()}
        if not self.in_force.mailboxes() or lease.free_seconds <= FREE_SECONDS_MAX:
            return Check("mailboxes", "letters", True, words, numbers)
        why = f"no process has read the mailboxes for {lease.free_seconds:.0f} s"
        return Check("mailboxes", "letters", False, {"why": why, **words}, numbers)

    def _look(self) -> LeaseState:
        with self.log.transaction() as cursor:
            return look(cursor, LEASE)
