"""Wires the intake service: HTTP and NATS endpoints, batches, workers and the relay."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from prometheus_client import CollectorRegistry
from starlette.routing import Route, Router

from services.intake.auto_close.worker import AutoClose, closing
from services.intake.commands.pending_command import PendingCommand
from services.intake.commands.record_store import RecordCache
from services.intake.commands.store import CommandDesk
from services.intake.commands.subscriber import listen
from services.intake.compat import opsgenie, pagerduty
from services.intake.compat.webhook_handshakes import Handshakes
from services.intake.contacts.endpoints import (
    OPEN,
    FormRules,
    contact_routes,
    form_rules_of,
)
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.assembly import (
    ALONE,
    GateWiring,
    WorkerConfig,
    guarding,
    stance_of,
)
from services.intake.heartbeats.endpoints import HeartbeatEndpoints
from services.intake.heartbeats.worker import HeartbeatWatch
from services.intake.inbound_mail.context import MailLookup
from services.intake.inbound_mail.held_mail import HeldWatch
from services.intake.inbound_mail.subscriber import listen_for_reports
from services.intake.inbound_mail.worker import MailIntake
from services.intake.mailboxes.mailbox import Mailbox
from services.intake.mailboxes.worker import (
    Mailboxes,
    MailboxesProbe,
    mailboxes_candidate,
)
from services.intake.maintenance.endpoints import announcement_routes
from services.intake.nats_sources.auth_callout import (
    Authorization,
    accepting,
    listen_for_connections,
)
from services.intake.nats_sources.review import Review
from services.intake.policy.in_force import InForce
from services.intake.policy.store import Policies
from services.intake.quarantine.endpoints import QuarantineEndpoints
from services.intake.quarantine.retry import QuarantineRetry
from services.intake.quarantine.worker import RetryWorker, quarantine_probe
from services.intake.relay.probe import RelayProbe
from services.intake.relay.relay import Relay, relay_candidate
from services.intake.signals import endpoints as signals_endpoints
from services.intake.signals.delivery import Delivery, Result
from services.intake.signals.explain_endpoints import why_routes
from services.intake.signals.raw_store import expire_quarantine, turn_partitions
from services.intake.signals.reception import Reception
from services.intake.signals.store import Receiver
from services.intake.signals.subscriber import keep_listening, listen_for_signals
from services.intake.signals.timers import Timers
from services.intake.source_activity.endpoints import SourceEndpoints
from services.intake.telemetry import CommitObserver, Commits, waiting_probe
from shared.clock import Clock
from shared.domain.policy.sources import Mailbox as MailboxClause
from shared.eventlog.batcher import Batcher
from shared.eventlog.continuity.watch import watching
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.http.metrics import HttpMetrics
from shared.http.serve import pause, serve
from shared.messaging.broker import command_broker, started
from shared.messaging.broker import stop as stop_broker
from shared.messaging.commands import Answered
from shared.messaging.connection import Link, nats_address
from shared.observability.dead_mans_switch import beat
from shared.observability.health import Health, Probe
from shared.security.nats_issuer import Issuer
from shared.security.sender import Authentication, authentication
from shared.settings import IntakeSettings
from shared.startup import open_log

SIGNALS_A_BATCH = 400
SIGNALS_WAITING_MAX = 20_000
COMMANDS_A_BATCH = 200
COMMANDS_WAITING_MAX = 2_000
CONNECTIONS = 10
WORKERS = 6
UPKEEP_SECONDS = 3_600
UPKEEP_RETRY_SECONDS = 10

_log = structlog.get_logger(__name__)
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Parts:
    """The parts of intake, assembled but not yet running."""

    log: EventLog
    commits: Commits
    signals: Batcher[Delivery, list[Result]]
    commands: Batcher[PendingCommand, Answered]
    reception: Reception
    doors: EndpointContext
    authentication: Authentication
    in_force: InForce
    gatehouse: GateWiring
    watch: HeartbeatWatch
    held: HeldWatch
    retrying: QuarantineRetry


def assemble(
    log: EventLog,
    clock: Clock,
    executor: ThreadPoolExecutor,
    noting: CommitObserver,
    stance: WorkerConfig = ALONE,
    our_address: str | None = None,
) -> Parts:
    """Assemble intake; `noting` observes commits, `our_address` sends mail."""
    in_force = InForce(log, Policies(log))
    gatehouse = guarding(log, executor, in_force, noting, clock, stance)
    cache, policies, commits = RecordCache(log), Policies(log), Commits(log)
    receiver = Receiver(log, cache, policies, clock)
    desk = CommandDesk(log, cache, policies, clock)
    signals = _signals(receiver, commits, noting, gatehouse, executor)
    commands = _commands(desk, commits, noting, executor)
    gate, confirm = gatehouse.gate, Handshakes().confirm
    charge = gate.admission.charge
    reception = Reception(signals, clock, in_force.source, charge, confirm=confirm)
    sight = MailLookup(log, cache, Policies(log))
    letters = MailIntake(sight, clock, executor, commands, noting.letter)
    doors = EndpointContext(
        gate, reception, log, executor, letters, in_force, our_address
    )
    watch = HeartbeatWatch(log, in_force, reception, clock, on_lever=stance.on_lever)
    return Parts(
        log,
        commits,
        signals,
        commands,
        reception,
        doors,
        authentication(log, clock, executor),
        in_force,
        gatehouse,
        watch,
        HeldWatch(log, reception, clock),
        QuarantineRetry(log, reception, in_force, clock, executor),
    )


def _signals(
    receiver: Receiver,
    commits: Commits,
    noting: CommitObserver,
    gatehouse: GateWiring,
    executor: ThreadPoolExecutor,
) -> Batcher[Delivery, list[Result]]:
    return Batcher(
        _then(
            _then(commits.watched(receiver.flush), noting.signals),
            gatehouse.tally.signals,
        ),
        executor,
        weight=lambda delivery: len(delivery.heard),
        weight_max=SIGNALS_A_BATCH,
        waiting_max=SIGNALS_WAITING_MAX,
    )


def _commands(
    desk: CommandDesk,
    commits: Commits,
    noting: CommitObserver,
    executor: ThreadPoolExecutor,
) -> Batcher[PendingCommand, Answered]:
    return Batcher(
        _then(commits.watched(desk.flush), noting.commands),
        executor,
        weight_max=COMMANDS_A_BATCH,
        waiting_max=COMMANDS_WAITING_MAX,
    )


def doors_of(parts: Parts, clock: Clock, form_rules: FormRules = OPEN) -> list[Route]:
    """Return all routes: for sources, for operators, and for users."""
    gate, in_force = parts.gatehouse.gate, parts.in_force
    return [
        *every_door(parts.doors),
        *SourceEndpoints(gate, parts.log, in_force, clock).routes(),
        *HeartbeatEndpoints(gate, in_force, parts.watch).routes(),
        *QuarantineEndpoints(gate, parts.retrying).routes(),
        *why_routes(parts.doors),
        *announcement_routes(parts.doors, clock),
        *contact_routes(parts.doors, parts.commands, form_rules),
    ]


def probes(parts: Parts, clock: Clock) -> list[Probe]:
    """Return the readiness probes of intake's parts."""
    log, commits = parts.log, parts.commits
    waiting = waiting_probe(log, commits, parts.signals, parts.commands)
    kept = quarantine_probe(log, clock)
    return [waiting, kept, parts.watch.probe, parts.held.probe]


async def run(settings: IntakeSettings, stop: asyncio.Event) -> None:
    """Run intake until `stop` is set; returns once all work in progress is done."""
    opened = await open_log(settings, stop, CONNECTIONS)
    if opened is None:
        return
    log, clock, server_clock = opened.log, opened.clock, opened.server_clock
    registry = CollectorRegistry()
    url = settings.nats_url.get_secret_value()
    with ThreadPoolExecutor(WORKERS, "intake") as executor:
        async with Link(url, "intake-relay") as link:
            relay = _relay(settings, log, link)
            watch = await watching(log, link, clock, stop, lambda: relay.leads)
            wake = partial(asyncio.get_running_loop().call_soon_threadsafe, relay.wake)
            noting = CommitObserver(registry, wake)
            stance = stance_of(settings)
            parts = assemble(log, clock, executor, noting, stance, settings.mail_from)
            silent, timers = _clockwork(parts, clock, on_lever=stance.on_lever)
            mailboxes = _mailboxes(parts, settings)
            review = _review(parts, link, relay)
            checks: list[Probe] = [
                *(each.probe for each in (server_clock, watch, silent)),
                RelayProbe(log, link, relay),
                MailboxesProbe(log, parts.in_force, mailboxes),
                *probes(parts, clock),
            ]
            health = Health(checks, registry)
            app = _app(parts, clock, health, registry, form_rules_of(settings))
            clockwork = (server_clock.keep, watch.run, silent.run, timers.run)
            works = (
                *(run_until(stop) for run_until in clockwork),
                relay.run(stop),
                mailboxes.run(stop),
                review.run(stop),
                _take_messages(settings, registry, parts, clock, stop),
                _keep_house(parts, clock, stop),
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


def _review(parts: Parts, link: Link, relay: Relay) -> Review:
    keys, in_force = parts.gatehouse.keys, parts.in_force
    return Review(link, keys, in_force, lambda: relay.leads)


def _mailboxes(parts: Parts, settings: IntakeSettings) -> Mailboxes:
    letters, our_address = parts.doors.letters, settings.mail_from

    def opened(source: str, clause: MailboxClause) -> Mailbox:
        return Mailbox(source, clause, parts.log, letters, our_address)

    return Mailboxes(
        mailboxes_candidate(_dsn(settings), parts.log.may_write),
        parts.in_force,
        opened,
        on_lever=settings.clock_lever is not None,
    )


def _dsn(settings: IntakeSettings) -> str:
    return settings.database_url.get_secret_value()


def _app(
    parts: Parts,
    clock: Clock,
    health: Health,
    registry: CollectorRegistry,
    form_rules: FormRules,
) -> HttpMetrics:
    doors = [*doors_of(parts, clock, form_rules), *health.routes()]
    return HttpMetrics(Router(routes=complete(doors)), registry)


def _clockwork(
    parts: Parts, clock: Clock, *, on_lever: bool
) -> tuple[AutoClose, Timers]:
    """Return the workers that act when the time has come, without any request."""
    log = parts.log
    timers = Timers(log, Policies(log), clock, parts.signals, on_lever=on_lever)
    return closing(log, clock, parts.commands, on_lever=on_lever), timers


async def _take_messages(
    settings: IntakeSettings,
    registry: CollectorRegistry,
    parts: Parts,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Take commands and signals from NATS whenever it is reachable."""
    url = settings.nats_url.get_secret_value()
    broker = command_broker(url, "intake", registry)
    keys, in_force = parts.gatehouse.keys, parts.in_force
    if (seed := settings.nats_issuer_seed) is not None:
        issuer = Issuer.of(seed.get_secret_value())
        listen_for_connections(broker, Authorization(keys, in_force, issuer, clock))
    listen(broker, parts.authentication, parts.commands)
    listen_for_reports(broker, parts.doors.letters)
    try:
        if await started(broker, stop):
            subscriber = listen_for_signals(
                broker,
                parts.reception,
                accepting(keys, in_force),
                parts.gatehouse.wait,
                nats_address(url).inbox_prefix,
            )
            await keep_listening(subscriber, stop)
    finally:
        await stop_broker(broker)


async def _keep_house(parts: Parts, clock: Clock, stop: asyncio.Event) -> None:
    """Run the background work: policy refresh, heartbeats, retries, statistics."""
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.in_force.keep(stop))
        group.create_task(parts.watch.run(stop))
        group.create_task(parts.held.run(stop))
        group.create_task(RetryWorker(parts.retrying).run(stop))
        group.create_task(parts.gatehouse.keeping.run(stop))
        group.create_task(_keep_partitions(parts.log, clock, stop))


async def _keep_partitions(log: EventLog, clock: Clock, stop: asyncio.Event) -> None:
    """Create tomorrow's partitions, and delete what exceeds its retention."""
    while not stop.is_set():
        wait, today = UPKEEP_SECONDS, clock().date()
        try:
            turned = await asyncio.to_thread(turn_partitions, log.transaction, today)
            if turned:
                _log.info("partitions.turned", what=turned)
            bodies = await asyncio.to_thread(expire_quarantine, log.transaction, today)
            if bodies:
                _log.info("quarantine.expired", bodies=bodies)
        except Unavailable:
            wait = UPKEEP_RETRY_SECONDS
        await pause(stop, wait)


def _then(
    flush: Callable[[Sequence[_Item]], Sequence[_Answer | Exception]],
    note: Callable[[Sequence[_Item], Sequence[_Answer | Exception]], None],
) -> Callable[[Sequence[_Item]], Sequence[_Answer | Exception]]:
    """Return a `flush` that passes each outcome to `note` afterwards."""

    def flushed(items: Sequence[_Item]) -> Sequence[_Answer | Exception]:
        answers = flush(items)
        note(items, answers)
        return answers

    return flushed


def every_door(doors: EndpointContext) -> list[Route]:
    """Return the routes for signals, including those compatible with other systems."""
    return [
        *signals_endpoints.routes(doors),
        *pagerduty.routes(doors),
        *opsgenie.routes(doors),
    ]
