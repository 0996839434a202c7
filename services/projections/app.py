"""Composes the service: two readers of the log, and the API over their read models."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from services.projections.api.app import api
from services.projections.api.commands.owner import Owner
from services.projections.api.desk import Desk
from services.projections.api.limits import FORWARD_SECONDS_MAX, FORWARDED_AT_ONCE_MAX
from services.projections.api.log.tail import Tail
from services.projections.api.reports.forwarding import KEYED_PATHS
from services.projections.live_generation import Follower
from services.projections.read_models import MODELS
from services.projections.rebuild.rebuild import ensure
from services.projections.snapshots import Progress
from shared.clock import Clock
from shared.eventlog.continuity.watch import watching
from shared.eventlog.log import EventLog
from shared.eventlog.readers.probe import reader_probe
from shared.http.known_hosts import AnyNamePaths, KnownHosts, names_of
from shared.http.metrics import HttpMetrics
from shared.http.networks import LOOPBACK, proxies
from shared.http.serve import serve
from shared.messaging.connection import Link
from shared.observability.dead_mans_switch import beat
from shared.observability.health import Health, Probe
from shared.security.access import Access
from shared.settings import ProjectionsSettings
from shared.startup import OpenLog, open_log
from shared.vault.vault import read_master_keys

CONNECTIONS = 8
THREADS = 6
"""Fewer than connections: each reader has a connection of its own."""
ANY_NAME = AnyNamePaths(
    open=("/health/", *KEYED_PATHS),
    keyed=("/v1/",),
    keyless=("/v1/reports", "/v1/answers/"),
)


async def run(
    settings: ProjectionsSettings,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda _: None,
) -> None:
    """Run projections until `stop` is set; `listening` receives the port."""
    opened = await open_log(settings, stop, CONNECTIONS, decides=False)
    if opened is None:
        return
    log, clock, server_clock = opened.log, opened.clock, opened.server_clock
    progress = Progress()
    with ThreadPoolExecutor(THREADS, "api") as threads:
        async with (
            Link(settings.nats_url.get_secret_value(), "projections") as link,
            intake_at(settings.intake_url) as intake,
        ):
            desk = _desk(settings, opened, progress, Owner(link), intake, threads)
            following = followers(settings, log, link, progress, clock)
            registry = CollectorRegistry()
            watch = await watching(log, link, clock, stop)
            probes = [
                server_clock.probe,
                watch.probe,
                *reader_probes(following, log, clock),
            ]
            well = Health(probes, registry)
            app = HttpMetrics(_served(desk, well, settings), registry)
            async with asyncio.TaskGroup() as group:
                beside = (server_clock.keep, desk.tail.run, watch.run)
                for task in (*beside, *(each.run for each in following)):
                    group.create_task(task(stop))
                group.create_task(beat(well, settings, stop))
                host, port = settings.http_host, settings.http_port
                await serve(app, host, port, stop, listening=listening)
    opened.close()


def _desk(
    settings: ProjectionsSettings,
    opened: OpenLog,
    progress: Progress,
    owner: Owner,
    intake: httpx.AsyncClient,
    threads: ThreadPoolExecutor,
) -> Desk:
    log, clock = opened.log, opened.clock
    access, tail = Access(log.transaction, clock), Tail(log, progress, threads)
    desk = Desk(log, access, progress, owner, intake, threads, tail, clock)
    desk.has_form = settings.report_form
    desk.public_url = settings.public_url or ""
    desk.trusted_proxies = (*LOOPBACK, *proxies(settings.trusted_proxies))
    return desk


def _served(desk: Desk, well: Health, settings: ProjectionsSettings) -> ASGIApp:
    names = names_of(settings.public_url, settings.allowed_hosts)
    served = api(desk, tuple(well.routes()))
    return KnownHosts(served, names, ANY_NAME)


def followers(
    settings: ProjectionsSettings,
    log: EventLog,
    link: Link,
    progress: Progress,
    clock: Clock,
) -> Sequence[Follower]:
    """Return one follower for each read model."""
    dsn, file = settings.database_url.get_secret_value(), settings.vault_key_file
    master = read_master_keys(file) if file else None
    return [
        Follower(model, log, link, progress, partial(ensure, dsn, master, model, clock))
        for model in MODELS.values()
    ]


def reader_probes(
    following: Sequence[Follower], log: EventLog, clock: Clock
) -> list[Probe]:
    """Return the probes of the readers, which report how far each is behind the log."""
    return [reader_probe(follower.status, log, clock) for follower in following]


def intake_at(url: str) -> httpx.AsyncClient:
    """Return an HTTP client for intake, with a bounded number of connections."""
    limits = httpx.Limits(max_connections=FORWARDED_AT_ONCE_MAX)
    return httpx.AsyncClient(base_url=url, timeout=FORWARD_SECONDS_MAX, limits=limits)
