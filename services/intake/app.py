"""Runs intake: HTTP and NATS endpoints, batches, workers and the relay."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.anonymous_answers.worker import AnonymousAnswers
from services.intake.assembly import (
    Parts,
    all_routes,
    assemble,
    log_follower,
    probes,
    worker_config,
)
from services.intake.client_surveys.worker import ClientSurveys
from services.intake.commands.page_taker import PageTaker
from services.intake.contacts.endpoints import form_rules_of
from services.intake.mailboxes.mailbox import Mailbox
from services.intake.mailboxes.worker import (
    Mailboxes,
    MailboxesProbe,
    mailboxes_candidate,
)
from services.intake.nats_sources.auth_callout import (
    Authorization,
    accepting,
    listen_for_connections,
)
from services.intake.nats_sources.review import Review
from services.intake.partitions import keep_partitions
from services.intake.people.sync_store import PeopleSync
from services.intake.policy.store import Policies
from services.intake.quarantine.worker import RetryWorker
from services.intake.relay.probe import RelayProbe
from services.intake.relay.relay import Relay, relay_candidate
from services.intake.reviews.worker import ReviewWarnings
from services.intake.signals.timers import Timers
from services.intake.source_api.subscriber import keep_listening, listen_for_signals
from services.intake.subscriptions import (
    QUEUE_GROUP,
    Synchronise,
    no_directory,
    subscribe,
)
from services.intake.survey_results.worker import SurveyWarnings
from services.intake.telemetry import CommitObserver
from shared.clock import Clock
from shared.commands.subscriber import CommandSubscriber
from shared.domain.policy.sources import Mailbox as MailboxClause
from shared.eventlog.continuity.watch import watching
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.http.metrics import HttpMetrics
from shared.http.serve import serve
from shared.i18n.catalog import check_languages
from shared.messaging.address import nats_address
from shared.messaging.broker import command_broker, started
from shared.messaging.broker import stop as stop_broker
from shared.messaging.connection import Link
from shared.observability.dead_mans_switch import beat
from shared.observability.health import Health, Probe
from shared.security.nats_issuer import Issuer
from shared.settings import IntakeSettings
from shared.startup import open_log

if TYPE_CHECKING:  # a desk without LDAP starts sooner without its library
    from services.intake.ldap.worker import LdapWorker

CONNECTIONS = 10
WORKERS = 6


async def run(settings: IntakeSettings, stop: asyncio.Event) -> None:
    """Run intake until `stop` is set; returns once all work in progress is done."""
    check_languages()
    opened = await open_log(settings, stop, CONNECTIONS)
    if opened is None:
        return
    log, clock, server_clock = opened.log, opened.clock, opened.server_clock
    registry = CollectorRegistry()
    with ThreadPoolExecutor(WORKERS, "intake") as executor:
        async with Link(_nats_url(settings), "intake-relay") as link:
            relay = _relay(settings, log, link)
            watch = await watching(
                log,
                link,
                clock,
                stop,
                Witness(settings.state_dir, settings.service),
                lambda: relay.has_compared,
            )
            wake = partial(asyncio.get_running_loop().call_soon_threadsafe, relay.wake)
            observer, config = CommitObserver(registry, wake), worker_config(settings)
            parts = assemble(log, clock, executor, observer, config, settings.mail_from)
            parts.letters.pages = PageTaker(log.vault, parts.commands, link)
            follower = log_follower(log, clock, parts.commands)
            mailboxes = _mailboxes(parts, settings)
            outside = _outside_directory(parts, settings, clock)
            checks: list[Probe] = [
                *(each.probe for each in (server_clock, watch, follower)),
                RelayProbe(log, link, relay),
                *_probes(parts, mailboxes, outside, clock),
            ]
            health = Health(checks, registry)
            app = _app(parts, clock, health, registry, settings)
            works = (
                server_clock.keep(stop),
                watch.run(stop),
                relay.run(stop),
                mailboxes.run(stop),
                follower.run(stop),
                *_workers(parts, outside, link, relay, clock, stop),
                _take_messages(settings, registry, parts, outside, clock, stop),
                beat(health, settings, stop),
                serve(app, settings.http_host, settings.http_port, stop),
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


def _relay(settings: IntakeSettings, log: EventLog, link: Link) -> Relay:
    candidate = relay_candidate(_dsn(settings), log.may_write)
    return Relay(log, link, candidate, settings.nats_replicas)


def _mailboxes(parts: Parts, settings: IntakeSettings) -> Mailboxes:
    letters, our_address = parts.letters, settings.mail_from

    def opened(source: str, clause: MailboxClause) -> Mailbox:
        return Mailbox(source, clause, parts.log, letters, our_address)

    return Mailboxes(
        mailboxes_candidate(_dsn(settings), parts.log.may_write),
        parts.in_force,
        opened,
        on_lever=settings.clock_lever is not None,
    )


@dataclass(frozen=True)
class _OutsideDirectory:
    """What synchronises people with LDAP; without a file of settings, nothing does."""

    synchronise: Synchronise = no_directory
    workers: Sequence["LdapWorker"] = ()


def _outside_directory(
    parts: Parts, settings: IntakeSettings, clock: Clock
) -> _OutsideDirectory:
    if settings.ldap_file is None:
        return _OutsideDirectory()
    from services.intake.ldap.reader import LdapReader
    from services.intake.ldap.synchroniser import Synchroniser
    from services.intake.ldap.worker import LdapWorker, people_sync_candidate

    log, executor = parts.log, parts.context.executor
    people = PeopleSync(log, Policies(log), clock)
    synchroniser = Synchroniser(LdapReader(settings.ldap_file), people, executor)
    worker = LdapWorker(
        people_sync_candidate(_dsn(settings), log.may_write),
        synchroniser,
        on_lever=settings.clock_lever is not None,
    )
    return _OutsideDirectory(synchroniser.take, (worker,))


def _nats_url(settings: IntakeSettings) -> str:
    return settings.nats_url.get_secret_value()


def _dsn(settings: IntakeSettings) -> str:
    return settings.database_url.get_secret_value()


def _app(
    parts: Parts,
    clock: Clock,
    health: Health,
    registry: CollectorRegistry,
    settings: IntakeSettings,
) -> HttpMetrics:
    form_rules, callbacks = form_rules_of(settings), worker_config(settings).callbacks
    doors = all_routes(parts, clock, form_rules, callbacks)
    routes = [*doors, *health.routes()]
    return HttpMetrics(Router(routes=complete(routes)), registry)


def _probes(
    parts: Parts, mailboxes: Mailboxes, outside: _OutsideDirectory, clock: Clock
) -> list[Probe]:
    return [
        MailboxesProbe(parts.log, parts.in_force, mailboxes),
        *(each.probe for each in outside.workers),
        *probes(parts, clock),
    ]


def _workers(
    parts: Parts,
    outside: _OutsideDirectory,
    link: Link,
    relay: Relay,
    clock: Clock,
    stop: asyncio.Event,
) -> list[Coroutine[Any, Any, None]]:
    """Return the background work of each room."""
    log, in_force = parts.log, parts.in_force
    timers = Timers(log, Policies(log), clock, parts.signals)
    review = Review(link, parts.gate.keys, in_force, lambda: relay.leads)
    return [
        timers.run(stop),
        review.run(stop),
        in_force.keep(stop),
        *(each.run(stop) for each in outside.workers),
        parts.heartbeats.run(stop),
        parts.held_mail.run(stop),
        parts.attachments.run(stop),
        RetryWorker(parts.retries).run(stop),
        parts.gate.activity.run(stop),
        SurveyWarnings(log, clock).run(stop),
        ReviewWarnings(log, clock).run(stop),
        AnonymousAnswers(log, clock).run(stop),
        ClientSurveys(log, clock).run(stop),
        keep_partitions(log, clock, stop),
    ]


async def _take_messages(
    settings: IntakeSettings,
    registry: CollectorRegistry,
    parts: Parts,
    outside: _OutsideDirectory,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Take commands and signals from NATS whenever it is reachable."""
    url = _nats_url(settings)
    broker = command_broker(url, "intake", registry)
    keys, in_force = parts.gate.keys, parts.in_force
    if (seed := settings.nats_issuer_seed) is not None:
        issuer = Issuer.of(seed.get_secret_value())
        authorization = Authorization(keys, in_force, issuer, clock)
        listen_for_connections(broker, QUEUE_GROUP, authorization)
    subscriber = CommandSubscriber(broker, parts.authentication, QUEUE_GROUP)
    subscribe(subscriber, parts, clock, outside.synchronise)
    try:
        if await started(broker, stop):
            signals = listen_for_signals(
                broker,
                parts.reception,
                accepting(keys, in_force),
                parts.gate.wait,
                nats_address(url).inbox_prefix,
            )
            await keep_listening(signals, stop)
    finally:
        await stop_broker(broker)
