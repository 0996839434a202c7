"""Projections, wired: two readers beside the API that answers from what they keep."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from prometheus_client import CollectorRegistry

from services.projections.api.app import api
from services.projections.api.desk import Desk
from services.projections.api.limits import FORWARD_SECONDS_MAX
from services.projections.api.owner import Owner
from services.projections.following import Follower
from services.projections.models import MODELS
from services.projections.progress import Progress
from services.projections.rebuild.ensure import ensure
from shared.access import Access
from shared.bus import Link
from shared.clock import Clock, clock_from
from shared.event_log import EventLog
from shared.health import Health
from shared.migrate import wait_until_migrated
from shared.reader_probe import reader_probe
from shared.serving import serve
from shared.settings import ProjectionsSettings
from shared.vault import read_master_key

CONNECTIONS = 8
THREADS = 6
"""Fewer than connections: the readers have one each."""


@dataclass(frozen=True)
class Ground:
    """What stands before anything runs: the log, and a live generation of each."""

    clock: Clock
    log: EventLog


def prepare(settings: ProjectionsSettings) -> Ground:
    """Return the ground, once the database is migrated; builds what is missing."""
    dsn = settings.database_url.get_secret_value()
    wait_until_migrated(dsn)
    master = (
        read_master_key(settings.vault_key_file) if settings.vault_key_file else None
    )
    clock = clock_from(settings.clock_lever)
    log = EventLog.open(dsn, master=master, clock=clock, pool_size=CONNECTIONS)
    for model in MODELS.values():
        ensure(dsn, master, model, clock)
    return Ground(clock, log)


async def run(
    settings: ProjectionsSettings,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda _: None,
) -> None:
    """Run projections until `stop` is set; `listening` is told the port."""
    ground = await asyncio.to_thread(prepare, settings)
    progress, registry = Progress(), CollectorRegistry()
    limits = httpx.Limits(max_connections=100)
    with ThreadPoolExecutor(THREADS, "api") as threads:
        async with (
            Link(settings.nats_url.get_secret_value(), "projections") as link,
            httpx.AsyncClient(
                base_url=settings.intake_url, timeout=FORWARD_SECONDS_MAX, limits=limits
            ) as intake,
        ):
            desk = Desk(
                ground.log,
                Access(ground.log.transaction, ground.clock),
                progress,
                Owner(link),
                intake,
                threads,
            )
            following = [
                Follower(model, ground.log, link, progress) for model in MODELS.values()
            ]
            health = Health(
                [reader_probe(f.status, ground.log, ground.clock) for f in following],
                registry,
            )
            app = api(desk, tuple(health.routes()))
            async with asyncio.TaskGroup() as group:
                for follower in following:
                    group.create_task(follower.run(stop))
                host, port = settings.http_host, settings.http_port
                await serve(app, host, port, stop, listening=listening)
    ground.log.close()
