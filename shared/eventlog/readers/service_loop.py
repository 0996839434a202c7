"""Runs a service that follows the log and serves its health, from start to stop."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from shared.clock import Clock
from shared.eventlog.continuity.watch import watching
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_events import PassOver
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.readers.probe import reader_probe
from shared.eventlog.readers.reader import BATCH, Reader
from shared.eventlog.readers.transaction import Apply
from shared.eventlog.write_check import writing_probe
from shared.http.error_responses import complete
from shared.http.serve import serve
from shared.messaging.connection import Link
from shared.messaging.live_feed import Deliveries
from shared.observability.dead_mans_switch import beat
from shared.observability.health import Check, Health, Probe
from shared.settings import ServiceSettings
from shared.startup import open_log

CONNECTIONS = 6
"""For the reader, the timers, the health check, a command, and some in reserve."""


@dataclass(frozen=True)
class ServiceLoop:
    """The parts of a service that follows the log.

    `beside` are tasks that run next to the reader until `stop` is set.
    """

    apply: Apply
    probes: Sequence[Probe] = ()
    beside: Sequence[Callable[[asyncio.Event], Coroutine[None, None, None]]] = ()
    batch: int = BATCH
    pass_over: PassOver = lambda _cursor, _rows: None
    """Marks a skipped event, so that nothing waits for it."""
    attach: Callable[[Callable[[], object]], object] = lambda _wake: None
    """Is given the function that wakes the reader, which any thread may call after it
    has appended something that the reader should not wait for."""


Assemble = Callable[[EventLog, Clock, CollectorRegistry], ServiceLoop]


async def follow(
    settings: ServiceSettings,
    bookmark: Bookmark,
    assemble: Assemble,
    stop: asyncio.Event,
) -> None:
    """Follow the log until `stop` is set, and serve health checks meanwhile."""
    registry = CollectorRegistry()
    probes: list[Probe] = [_waiting]
    health = Health(probes, registry)
    url = settings.nats_url.get_secret_value()
    app = Starlette(routes=complete(health.routes()))

    async def read() -> None:
        opened = await open_log(settings, stop, CONNECTIONS)
        if opened is None:
            return
        log, clock, server_clock = opened.log, opened.clock, opened.server_clock
        watch = await watching(
            log, link, clock, stop, Witness(settings.state_dir, settings.service)
        )
        following = assemble(log, clock, registry)
        reader = _reader(log, bookmark, following, link)
        probes[:] = [
            reader_probe(reader.status, log, clock),
            writing_probe(log),
            server_clock.probe,
            watch.probe,
            *following.probes,
        ]
        beside = (server_clock.keep, watch.run, reader.run)
        try:
            async with asyncio.TaskGroup() as group:
                for task in (*following.beside, *beside):
                    group.create_task(task(stop))
        finally:
            opened.close()

    async with Link(url, bookmark.reader) as link, asyncio.TaskGroup() as group:
        group.create_task(serve(app, settings.http_host, settings.http_port, stop))
        group.create_task(beat(health, settings, stop))
        group.create_task(read())


def _reader(
    log: EventLog, bookmark: Bookmark, following: ServiceLoop, link: Link
) -> Reader:
    reader = Reader(
        log,
        bookmark,
        following.apply,
        Deliveries(link),
        batch=following.batch,
        pass_over=following.pass_over,
    )
    loop = asyncio.get_running_loop()
    following.attach(partial(loop.call_soon_threadsafe, reader.wake))
    return reader


async def _waiting() -> Check:
    words = {"why": "waiting until PostgreSQL is there and migrated"}
    return Check("reader", "log", ready=False, words=words)
