"""Verifies that an event would be recorded now, and says so in health.

Reading proves nothing: a standby, a full disk and a server without another connection
allow it.
"""

import asyncio

from shared.eventlog.errors import NotContinued, Unavailable, WrongClock
from shared.eventlog.log import EventLog
from shared.observability.health import Check, Probe

_READ_ONLY = """
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean
"""


def why_unwritable(log: EventLog, *, room: bool = False) -> str | None:
    """Return why PostgreSQL would not record an event now, with its words; blocks.

    None if it would, or if only the log or the clock of this host is wrong: those have
    checks of their own.

    After a write that found the disk full, or with `room`, one that needs new space has
    to succeed: otherwise the next event would have to fail to find out.
    """
    room, log.full = room or log.full, False
    try:
        with log.transaction() as cursor:
            if cursor.execute(_READ_ONLY).fetchone() == (True,):
                return "PostgreSQL is read-only: a standby?"
            if room:
                cursor.execute("SELECT log.take_room()")
        log.vault.prove()
    except (NotContinued, WrongClock):
        log.full |= room
        return None
    except Unavailable as error:
        log.full |= room
        return f"PostgreSQL takes no event: {error}"
    return None


def writing_probe(log: EventLog, *, needed: bool = True) -> Probe:
    """Return the probe that an event would be recorded now.

    A service that only reads, for which that is not `needed`, stays ready: it serves
    what it has, and raises an alarm.
    """

    async def probe() -> Check:
        why = await asyncio.to_thread(why_unwritable, log)
        if why and needed:
            return Check("writing", "log", ready=False, words={"why": why})
        return Check("writing", "log", ready=True, alarm=why or "")

    return probe
