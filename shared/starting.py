"""From `python -m services.<name>` to a running service, and cleanly out again.

Exit codes: 0 told to stop, 1 it could not go on, 2 a setting is missing or wrong. Each
but the first comes with one log line that says what to do, never a traceback.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from typing import TypeVar

import psycopg
import structlog
import uvloop
from pydantic import ValidationError

from shared import telemetry
from shared.clock import Clock
from shared.event_log import EventLog, Unavailable
from shared.migrate import Mismatch, wait_until_migrated
from shared.outage import Outage
from shared.serving import PortTaken, pause, stop_on_signals
from shared.settings import ServiceSettings
from shared.vault import VaultError, read_master_key

RETRY_SECONDS = 0.5
FAILED = 1
MISCONFIGURED = 2
GARBAGE_AFTER = (10_000, 20, 50)
"""How much comes and goes before the collector looks (Python's own: 700, 10, 10).

What a request leaves behind has no cycles; looking so often took a fifth of intake.
"""

Settings = TypeVar("Settings", bound=ServiceSettings)

_log = structlog.get_logger(__name__)


def start(
    service: str,
    kind: type[Settings],
    run: Callable[[Settings, asyncio.Event], Coroutine[None, None, None]],
) -> None:
    """Read the settings, run until SIGTERM or SIGINT; ends the process otherwise."""
    telemetry.configure(service)
    try:
        settings = kind()
    except ValidationError as error:
        for e in error.errors(include_input=False):
            setting = ".".join(map(str, e["loc"]))
            _log.error("settings.wrong", setting=setting, why=e["msg"])
        sys.exit(MISCONFIGURED)
    telemetry.configure(service, settings.log_format, settings.log_level)

    gc.freeze()  # what is imported stays: nothing in it is ever garbage
    gc.set_threshold(*GARBAGE_AFTER)

    async def until_stopped() -> None:
        await run(settings, stop_on_signals())

    try:
        uvloop.run(until_stopped())
    except* (PortTaken, VaultError) as group:
        for each in group.exceptions:
            _log.error("service.cannot_start", why=str(each))
        sys.exit(FAILED)
    except* psycopg.ProgrammingError:  # its own words may repeat the password
        why = "DATABASE_URL is no address: write postgresql://role:…@host:5432/name"
        _log.error("service.cannot_start", why=why)
        sys.exit(FAILED)
    _log.info("service.stopped")


async def open_log(
    settings: ServiceSettings, clock: Clock, stop: asyncio.Event, pool_size: int
) -> EventLog | None:
    """Return the log once PostgreSQL is there and migrated; None if told to stop."""
    file = settings.vault_key_file
    master = read_master_key(file) if file else None
    dsn = settings.database_url.get_secret_value()
    outage = Outage("log", "waiting until PostgreSQL is there and migrated")

    def opened() -> EventLog:
        wait_until_migrated(dsn, seconds=0)
        return EventLog.open(dsn, master=master, clock=clock, pool_size=pool_size)

    while not stop.is_set():
        try:
            log = await asyncio.to_thread(opened)
        except (Mismatch, Unavailable) as error:
            outage.away(error)
            await pause(stop, RETRY_SECONDS)
        else:
            outage.back()
            return log
    return None
