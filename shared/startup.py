"""Starts and stops a service for `python -m services.<name>`.

Exit codes: 0 stopped on request, 1 it could not continue, 2 a setting is missing or
wrong, or a file of translations is damaged. Codes 1 and 2 come with one log line that
says what to do, never a traceback.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

import psycopg
import structlog
import uvloop
from pydantic import ValidationError

from shared.clock import Clock, LeverClock
from shared.database.clock_mode import LeverRefused
from shared.database.migrate import Mismatch, wait_until_migrated
from shared.database.server_clock import ServerClock, TimeSource
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import PortTaken, pause, stop_on_signals
from shared.mistake import DamagedFile
from shared.observability import telemetry
from shared.observability.telemetry import Outage
from shared.settings import ServiceSettings
from shared.vault.master_keys import MasterKeys
from shared.vault.vault import VaultError, read_master_keys

RETRY_SECONDS = 0.5
FAILED = 1
MISCONFIGURED = 2
GARBAGE_AFTER = (10_000, 20, 50)
"""The thresholds of the garbage collector (Python's defaults: 700, 10, 10).

Requests leave no reference cycles; the defaults took a fifth of intake's CPU time.
"""

Settings = TypeVar("Settings", bound=ServiceSettings)

_log = structlog.get_logger(__name__)


def start(
    service: str,
    kind: type[Settings],
    run: Callable[[Settings, asyncio.Event], Coroutine[None, None, None]],
) -> None:
    """Read the settings and run until SIGTERM or SIGINT; exit on an error."""
    telemetry.configure(service)
    settings = _settings(kind)
    telemetry.configure(service, settings.log_format, settings.log_level)

    gc.freeze()  # imported objects are never garbage
    gc.set_threshold(*GARBAGE_AFTER)

    async def until_stopped() -> None:
        await run(settings, stop_on_signals())

    try:
        uvloop.run(until_stopped())
    except* (PortTaken, VaultError) as group:
        for each in group.exceptions:
            _log.error("service.cannot_start", why=str(each))
        sys.exit(FAILED)
    except* (DamagedFile, LeverRefused) as group:
        _log.error("service.cannot_start", why=str(group.exceptions[0]))
        sys.exit(MISCONFIGURED)
    except* psycopg.ProgrammingError:  # its message may contain the password
        why = "DATABASE_URL is not an address: write postgresql://role:…@host:5432/name"
        _log.error("service.cannot_start", why=why)
        sys.exit(FAILED)
    _log.info("service.stopped")


def _settings(kind: type[Settings]) -> Settings:
    """Return the settings from the environment; exit if one is wrong."""
    try:
        return kind()
    except ValidationError as error:
        for e in error.errors(include_input=False):
            setting = ".".join(map(str, e["loc"]))
            _log.error("settings.wrong", setting=setting, why=e["msg"])
        sys.exit(MISCONFIGURED)


@dataclass(frozen=True)
class OpenLog:
    """A log, the clock for decisions, and the server's clock, whose `keep` must run."""

    log: EventLog
    clock: Clock
    server_clock: ServerClock
    source: TimeSource

    def close(self) -> None:
        """Close all connections."""
        self.log.close()
        self.source.close()


async def open_log(
    settings: ServiceSettings,
    stop: asyncio.Event,
    pool_size: int,
    *,
    decides: bool = True,
) -> OpenLog | None:
    """Return the log once PostgreSQL is available and migrated; None if stopped.

    The log of a service that `decides` refuses writes while the clock of this host is
    wrong. Raises `LeverRefused` if a lever is set and the log uses PostgreSQL's clock.
    """
    file = settings.vault_key_file
    master = read_master_keys(file) if file else None
    outage = Outage("log", "waiting until PostgreSQL is there and migrated")

    def opened() -> OpenLog:
        wait_until_migrated(settings.database_url.get_secret_value(), seconds=0)
        return _opened(settings, master, pool_size, decides=decides)

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


def _opened(
    settings: ServiceSettings,
    master: MasterKeys | None,
    pool_size: int,
    *,
    decides: bool,
) -> OpenLog:
    dsn, lever = settings.database_url.get_secret_value(), settings.clock_lever
    source = TimeSource(dsn)
    try:
        server_clock = ServerClock(source.ask)
        server_clock.look()  # the first reading was slow because it had to connect
        clock: Clock = LeverClock(lever) if lever else server_clock
        guard = server_clock.demand_right if decides else _never
        log = EventLog.open(
            dsn, master=master, clock=clock, pool_size=pool_size, guard=guard
        )
        if decides:
            log.may_write = lambda: not server_clock.last_look.wrong
        if lever is not None:
            _demand_lever(log)
    except BaseException:
        source.close()
        raise
    return OpenLog(log, clock, server_clock, source)


def _demand_lever(log: EventLog) -> None:
    """Close the log and raise `LeverRefused` if it uses PostgreSQL's clock."""
    if log.clock_mode() != "lever":
        log.close()
        raise LeverRefused


def _never() -> None:
    """Accept every write."""
