"""Runs intake: HTTP and NATS endpoints, batches, workers and the relay."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.assembly import Parts, assemble, worker_config
from services.intake.commands.page_taker import PageTaker
from services.intake.nats_sources.review import Review
from services.intake.relay.probe import RelayProbe
from services.intake.relay.relay import Relay, relay_candidate
from services.intake.room import Room, joined
from services.intake.rooms.messages import messages
from services.intake.rooms.sources import sources
from services.intake.rooms.upkeep import upkeep
from services.intake.subscriptions import take_messages
from services.intake.telemetry import CommitObserver, waiting_probe
from shared.eventlog.continuity.watch import watching
from shared.eventlog.continuity.witness import Witness
from shared.http.error_responses import complete
from shared.http.metrics import HttpMetrics
from shared.http.serve import serve
from shared.i18n.catalog import check_languages
from shared.messaging.connection import Link
from shared.observability.dead_mans_switch import beat
from shared.observability.health import Health, Probe
from shared.settings import IntakeSettings
from shared.startup import open_log

CONNECTIONS = 10
WORKERS = 6


def rooms(parts: Parts) -> Room:
    """Return what all rooms of intake offer: a new one is named here."""
    return joined(room(parts) for room in (sources, messages, upkeep))


async def run(settings: IntakeSettings, stop: asyncio.Event) -> None:
    """Run intake until `stop` is set; returns once all work in progress is done."""
    check_languages()
    opened = await open_log(settings, stop, CONNECTIONS)
    if opened is None:
        return
    log, clock, server_clock = opened.log, opened.clock, opened.server_clock
    config, registry = worker_config(settings), CollectorRegistry()
    with ThreadPoolExecutor(WORKERS, "intake") as executor:
        async with Link(settings.nats_url.get_secret_value(), "intake-relay") as link:
            candidate = relay_candidate(config.dsn, log.may_write)
            relay = Relay(log, link, candidate, settings.nats_replicas)
            watch = await watching(
                log,
                link,
                clock,
                stop,
                Witness(settings.state_dir, settings.service),
                lambda: relay.has_compared,
            )
            wake = partial(asyncio.get_running_loop().call_soon_threadsafe, relay.wake)
            observer = CommitObserver(registry, wake)
            parts = assemble(log, clock, executor, observer, config)
            parts.letters.pages = PageTaker(log.vault, parts.commands, link)
            offered = rooms(parts)
            probes: list[Probe] = [
                server_clock.probe,
                watch.probe,
                RelayProbe(log, link, relay),
                waiting_probe(log, parts.commits, parts.signals, parts.commands),
                *offered.probes,
            ]
            health = Health(probes, registry)
            app = Router(routes=complete([*offered.routes, *health.routes()]))
            review = Review(link, parts.gate.keys, parts.in_force, lambda: relay.leads)
            workers = (
                server_clock.keep,
                watch.run,
                relay.run,
                review.run,
                *offered.workers,
            )
            works = (
                *(work(stop) for work in workers),
                take_messages(settings, registry, parts, stop),
                beat(health, settings, stop),
                serve(
                    HttpMetrics(app, registry),
                    settings.http_host,
                    settings.http_port,
                    stop,
                ),
            )
            await _all_of(works, parts)
    opened.close()


async def _all_of(works: Sequence[Coroutine[Any, Any, None]], parts: Parts) -> None:
    """Run all of `works` until they end; batches are processed until then."""
    async with asyncio.TaskGroup() as group:
        batching = [
            group.create_task(parts.signals.run()),
            group.create_task(parts.commands.run()),
        ]
        await asyncio.wait([group.create_task(work) for work in works])
        for task in batching:
            task.cancel()
