"""Verifies that an event would be recorded now, and says so in health.

Reading proves nothing: a standby, a full disk and a server without another connection
allow it.
"""

import asyncio

from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.observability.health import Check, Probe

_READ_ONLY = """
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean
"""


def prove_writing(log: EventLog, *, room: bool = False) -> None:
    """Verify that an event would be recorded now, with its words; blocks.

    After a write that found the disk full, or with `room`, one that needs new space has
    to succeed: otherwise the next event would have to fail to find out.

    Raises `Unavailable` while it would not be.
    """
    log.require_continued()
    with log.transaction() as cursor:
        if cursor.execute(_READ_ONLY).fetchone() == (True,):
            raise Unavailable("it is read-only: a standby?")
        if room or log.full:
            cursor.execute("SELECT log.take_room()")
    log.full = False
    log.vault.prove()


def writing_probe(log: EventLog, *, needed: bool = True) -> Probe:
    """Return the probe that an event would be recorded now.

    A service that only reads, for which that is not `needed`, stays ready: it serves
    what it has, and raises an alarm.
    """

    async def probe() -> Check:
        try:
            await asyncio.to_thread(prove_writing, log)
        except Unavailable as error:
            why = f"PostgreSQL takes no event: {error}"
            if needed:
                return Check("writing", "log", ready=False, words={"why": why})
            return Check("writing", "log", ready=True, alarm=why)
        return Check("writing", "log", ready=True)

    return probe
