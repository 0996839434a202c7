"""Composes the service: two readers of the log, and the API over their read models."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from services.projections.api.app import api
from services.projections.api.commands.owner import Owner
from services.projections.api.desk import Desk
from services.projections.api.intake.forwarding import KEYED_PATHS
from services.projections.api.limits import FORWARD_SECONDS_MAX, FORWARDED_AT_ONCE_MAX
from services.projections.api.log.tail import Tail
from services.projections.identity_provider.provider import (
    Client,
    IdentityProvider,
    outside_client,
)
from services.projections.identity_provider.store import ProviderSignIn
from services.projections.live_generation import Follower
from services.projections.presence.worker import PresenceWorker
from services.projections.read_models import MODELS
from services.projections.rebuild.load import index_progress
from services.projections.rebuild.rebuild import ensure
from services.projections.snapshots import Progress
from shared.clock import Clock
from shared.eventlog.continuity.watch import watching
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.log import EventLog
from shared.eventlog.readers.group_commit import GroupCommit
from shared.eventlog.readers.probe import reader_probe, unreadable_probe
from shared.eventlog.write_check import writing_probe
from shared.http.known_hosts import AnyNamePaths, KnownHosts, names_of
from shared.http.metrics import HttpMetrics
from shared.http.networks import LOOPBACK, proxies
from shared.http.serve import serve
from shared.i18n.catalog import check_languages
from shared.messaging.connection import Link
from shared.messaging.live_feed import Deliveries
from shared.observability.dead_mans_switch import beat
from shared.observability.health import Health, Probe
from shared.security.access import Access
from shared.security.sender import seal_keys_of
from shared.security.sessions import Lifetime
from shared.settings import ProjectionsSettings
from shared.startup import OpenLog, open_log
from shared.vault.vault import read_master_keys

CONNECTIONS = 8
THREADS = 6
"""Fewer than connections: readers use some of them, at times one each."""
ANY_NAME = AnyNamePaths(
    open=("/health/", *KEYED_PATHS),
    keyed=("/v1/",),
    keyless=(
        "/v1/reports",
        "/v1/answers/",
        "/v1/calendars/",
        "/v1/month-report-links/",
        "/v1/page-links/",
        "/v1/survey-links/",
        "/v1/user-pages/",
        "/v1/sessions",
        "/v1/sign-in",
    ),
)


async def run(
    settings: ProjectionsSettings,
    stop: asyncio.Event,
    listening: Callable[[int], None] = lambda _: None,
) -> None:
    """Run projections until `stop` is set; `listening` receives the port."""
    check_languages()
    opened = await open_log(settings, stop, CONNECTIONS, decides=False)
    if opened is None:
        return
    log, clock, server_clock = opened.log, opened.clock, opened.server_clock
    progress = Progress()
    with (
        ThreadPoolExecutor(THREADS, "api") as threads,
        ThreadPoolExecutor(1, "group-commit") as committing,
    ):
        async with (
            Link(settings.nats_url.get_secret_value(), "projections") as link,
            intake_at(settings.intake_url) as intake,
            outside_client() as outside,
        ):
            desk = _desk(settings, opened, progress, Owner(link), intake, threads)
            desk.provider = _provider(settings, outside, clock)
            desk.presence = PresenceWorker(link, is_on=settings.presence)
            group = GroupCommit(log, committing)
            following = followers(settings, opened, Deliveries(link), progress, group)
            registry = CollectorRegistry()
            witness = Witness(settings.state_dir, settings.service)
            watch = await watching(log, link, clock, stop, witness)
            probes = (
                server_clock.probe,
                watch.probe,
                unreadable_probe(log.unreadable),
                writing_probe(log, needed=False),
            )
            well = Health([*probes, *reader_probes(following, log, clock)], registry)
            app = HttpMetrics(_served(desk, well, settings), registry)
            beside = (server_clock.keep, desk.presence.run, watch.run, desk.reads.run)
            follow = (desk.tail.run, *(each.run for each in following))
            place = (settings.http_host, settings.http_port)
            await _together(
                desk,
                *(task(stop) for task in (*beside, *follow)),
                beat(well, settings, stop),
                serve(app, *place, stop, listening=listening),
            )
    opened.close()


async def _together(desk: Desk, *tasks: Coroutine[Any, Any, None]) -> None:
    """Run everything until all has ended; then write the reads of the last answers."""
    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(task)
    finally:
        await desk.reads.end()


def _desk(
    settings: ProjectionsSettings,
    opened: OpenLog,
    progress: Progress,
    owner: Owner,
    intake: httpx.AsyncClient,
    threads: ThreadPoolExecutor,
) -> Desk:
    log, clock = opened.log, opened.clock
    access = Access(log, clock, seal_keys=seal_keys_of(log))
    tail = Tail(log, progress, threads, clock)
    desk = Desk(log, access, progress, owner, intake, threads, tail, clock)
    desk.has_form = settings.report_form
    desk.public_url = settings.public_url or ""
    desk.session_lifetime = Lifetime(
        timedelta(hours=settings.session_hours),
        timedelta(minutes=settings.session_idle_minutes),
    )
    desk.mails_links = settings.sign_in_by_mail
    desk.outbound_networks = proxies(settings.outbound_networks)
    desk.trusted_proxies = (*LOOPBACK, *proxies(settings.trusted_proxies))
    return desk


def _provider(
    settings: ProjectionsSettings, client: httpx.AsyncClient, clock: Clock
) -> ProviderSignIn | None:
    """Return the identity provider of the settings, None without one."""
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    secret = settings.oidc_client_secret
    known_as = Client(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret.get_secret_value() if secret else None,
        settings.oidc_scope,
    )
    return ProviderSignIn(
        IdentityProvider(known_as, client, clock),
        settings.oidc_name,
        settings.oidc_person,
        settings.oidc_groups,
        settings.oidc_rights,
    )


def _served(desk: Desk, well: Health, settings: ProjectionsSettings) -> ASGIApp:
    names = names_of(settings.public_url, settings.allowed_hosts)
    served = api(desk, tuple(well.routes()))
    return KnownHosts(served, names, ANY_NAME)


def followers(
    settings: ProjectionsSettings,
    opened: OpenLog,
    deliveries: Deliveries,
    progress: Progress,
    group: GroupCommit,
) -> Sequence[Follower]:
    """Return one follower for each read model."""
    dsn, file = settings.database_url.get_secret_value(), settings.vault_key_file
    master = read_master_keys(file) if file else None
    return [
        Follower(
            model,
            opened.log,
            deliveries,
            progress,
            partial(ensure, dsn, master, model, opened.clock),
            group,
        )
        for model in MODELS.values()
    ]


def reader_probes(
    following: Sequence[Follower], log: EventLog, clock: Clock
) -> list[Probe]:
    """Return the probes of the readers, which report how far each is behind the log."""
    return [
        reader_probe(
            follower.status,
            log,
            clock,
            moves=partial(index_progress, name=follower.status.name),
        )
        for follower in following
    ]


def intake_at(url: str) -> httpx.AsyncClient:
    """Return an HTTP client for intake, with a bounded number of connections."""
    limits = httpx.Limits(max_connections=FORWARDED_AT_ONCE_MAX)
    return httpx.AsyncClient(base_url=url, timeout=FORWARD_SECONDS_MAX, limits=limits)
