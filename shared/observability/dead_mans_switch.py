"""Sends heartbeats to an external dead man's switch while this service works.

If all services are gone, nothing inside the desk notices. So an external watcher
expects a heartbeat from each service, and alerts somebody when it is missing: because
the machine is dead, the network is down, or the service runs but is far behind. Silence
is the alarm, so only "all is well" is ever sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx
import structlog

from shared.http.serve import pause
from shared.observability.health import Check, Health
from shared.observability.telemetry import Outage
from shared.settings import ServiceSettings

BEHIND_SECONDS_MAX = 15.0
"""How late a service's work may be for a heartbeat; it is unready only later."""
BEAT_SECONDS = 5.0
"""The total timeout of one heartbeat."""
LATENESS = ("lag_seconds", "overdue_seconds")
"""The numbers of a health check that show how late the work is."""

_SUCCESS = range(200, 300)
_log = structlog.get_logger(__name__)

Tell = Callable[[], Awaitable[None]]


class Unheard(Exception):
    """The watcher did not accept the heartbeat; the text never contains its address."""


def hindrance(checks: Sequence[Check]) -> str | None:
    """Return why a process with these checks must be silent, None if it may beat."""
    if not checks:
        return "nothing says that it is well"
    for check in checks:
        part = f"{check.kind} {check.name}"
        if not check.ready:
            return f"{part} is not ready: {check.words.get('why') or 'it is behind'}"
        late = max(check.numbers.get(number, 0.0) for number in LATENESS)
        if late > BEHIND_SECONDS_MAX:
            return f"{part} is {late:.0f} s behind"
    return None


async def beat(health: Health, settings: ServiceSettings, stop: asyncio.Event) -> None:
    """Send heartbeats while `health` allows it, until `stop` is set; only with a URL.

    Never raises: a failed heartbeat is logged, and retried.
    """
    if settings.heartbeat_url is None:
        return
    url = settings.heartbeat_url.get_secret_value()
    url = url.replace("{service}", settings.service)

    async def tell() -> None:
        await _tell(settings.heartbeat_method, url)

    await keep_beating(health.checks, tell, settings.heartbeat_seconds, stop)


async def keep_beating(
    checks: Callable[[], Awaitable[Sequence[Check]]],
    tell: Tell,
    seconds: float,
    stop: asyncio.Event,
) -> None:
    """Call `tell` every `seconds`, if the `checks` allow it, until `stop` is set."""
    outage = Outage("heartbeat", "the watcher outside does not hear us; trying again")
    withheld = False
    while not stop.is_set():
        began = time.monotonic()
        why = await _hindrance(checks)
        if why and not withheld:
            _log.warning("heartbeat.withheld", why=why)
        elif withheld and not why:
            _log.info("heartbeat.resumed")
        withheld = why is not None
        if not why:
            await _told(tell, outage)
        await pause(stop, max(0.0, seconds - (time.monotonic() - began)))


async def _hindrance(checks: Callable[[], Awaitable[Sequence[Check]]]) -> str | None:
    try:
        return hindrance(await checks())
    except Exception as error:  # noqa: BLE001 # who cannot say that he is well is not
        return f"its checks fail: {type(error).__name__}"


async def _told(tell: Tell, outage: Outage) -> None:
    try:
        async with asyncio.timeout(BEAT_SECONDS):
            await tell()
    except Exception as error:  # noqa: BLE001 # a beat is never worth the service
        # The error's text may contain the address, and with it the key.
        told = error if isinstance(error, Unheard) else Unheard(type(error).__name__)
        outage.away(told)
    else:
        outage.back()


async def _tell(method: str, url: str) -> None:
    async with (
        httpx.AsyncClient(timeout=BEAT_SECONDS) as client,
        client.stream(method, url) as answer,  # only the status is read
    ):
        if answer.status_code not in _SUCCESS:
            raise Unheard(f"it answered {answer.status_code}")
