"""Background work of one process at a time: it stands for election until it wins.

A failure gives the lease up: this process, or another one, is elected afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from psycopg import OperationalError

from shared.database.leadership import Candidate, Leadership, LeaseLost
from shared.eventlog.errors import Unavailable
from shared.http.serve import pause
from shared.observability.telemetry import Outage

ELECTION_SECONDS = 1.0
"""How long a process waits that was not elected, or whose work failed."""
_log = structlog.get_logger(__name__)


async def whenever_elected(
    candidate: Candidate,
    lead: Callable[[Leadership], Awaitable[None]],
    leave: Callable[[], Awaitable[None]],
    outage: Outage,
    stop: asyncio.Event,
) -> None:
    """Call `lead` whenever elected, until `stop` is set; returns only then.

    `leave` follows each attempt, once the lease is given up. `outage` logs that
    PostgreSQL is away; all else is logged under the name of the lease.
    """
    name = candidate.lease.name
    while not stop.is_set():
        try:
            async with candidate.standing() as seat:
                outage.back()
                if await _won(seat, stop):
                    await lead(seat)
        except (OperationalError, Unavailable) as error:
            outage.away(error)
        except LeaseLost as error:
            _log.warning(f"{name}.lease_lost", why=str(error))
        except Exception:  # noqa: BLE001 # a failure must not end the worker
            _log.exception(f"{name}.failed")
        finally:
            await leave()
        await pause(stop, ELECTION_SECONDS)


async def _won(seat: Leadership, stop: asyncio.Event) -> bool:
    while not await seat.won():
        if stop.is_set():
            return False
        await pause(stop, ELECTION_SECONDS)
    return True
