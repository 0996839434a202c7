"""A service that follows the log and answers for its health, from start to stop."""

import asyncio

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from shared.applying import Apply
from shared.bus import Link
from shared.clock import clock_from
from shared.event_log import EventLog
from shared.health import Check, Health, Probe
from shared.nothing_here import complete
from shared.reader import Reader
from shared.reader_probe import reader_probe
from shared.serving import serve
from shared.settings import ServiceSettings
from shared.starting import open_log
from shared.tracking import Bookmark

CONNECTIONS = 3
"""The reader's, the health check's, and one to spare."""


async def follow(
    settings: ServiceSettings, bookmark: Bookmark, apply: Apply, stop: asyncio.Event
) -> None:
    """Keep `apply` up with the log until `stop` is set; serve health meanwhile."""
    clock = clock_from(settings.clock_lever)
    probes: list[Probe] = [_waiting]

    async def probe() -> Check:
        return await probes[-1]()

    async def read() -> None:
        log = await open_log(settings, clock, stop, CONNECTIONS)
        if log is not None:
            reader = Reader(log, bookmark, apply, link)
            probes.append(reader_probe(reader.status, log, clock))
            await _run(reader, log, stop)

    url = settings.nats_url.get_secret_value()
    app = Starlette(routes=complete(Health([probe], CollectorRegistry()).routes()))
    async with Link(url, bookmark.reader) as link, asyncio.TaskGroup() as group:
        group.create_task(serve(app, settings.http_host, settings.http_port, stop))
        group.create_task(read())


async def _run(reader: Reader, log: EventLog, stop: asyncio.Event) -> None:
    try:
        await reader.run(stop)
    finally:
        log.close()


async def _waiting() -> Check:
    words = {"why": "waiting until PostgreSQL is there and migrated"}
    return Check("reader", "log", ready=False, words=words)
