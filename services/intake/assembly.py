"""Puts the parts of intake together; `app.py` runs them.

Nothing runs here, so that a test or a benchmark can take the same parts.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from starlette.routing import Route

from services.intake.accepted_pages import subscriber as accepted_pages
from services.intake.accepted_pages.store import ACCEPTED_PAGES
from services.intake.attachments.commands import Attacher
from services.intake.attachments.endpoints import attachment_routes
from services.intake.attachments.rules import DEFAULT, FileLimits, file_limits_of
from services.intake.attachments.worker import AttachmentWorker
from services.intake.auto_close.store import SILENCES
from services.intake.auto_close.subscriber import BOOKMARK, Silences
from services.intake.callbacks.endpoints import (
    CLOSED,
    CallbackEndpoints,
    CallbackRules,
)
from services.intake.commands.due_commands import DueCommands
from services.intake.commands.pending_command import PendingCommand
from services.intake.commands.problem_links import ProblemLinks
from services.intake.commands.store import CommandDesk
from services.intake.compat import opsgenie, pagerduty
from services.intake.compat.webhook_handshakes import Handshakes
from services.intake.contacts.endpoints import OPEN, FormRules, contact_routes
from services.intake.endpoint_context import EndpointContext
from services.intake.external_records.endpoints import external_record_routes
from services.intake.gate.activity import NATS, ActivityWriter, Tally
from services.intake.gate.admission import Admission, Pace
from services.intake.gate.api_keys import Keys, Secrets
from services.intake.gate.gate import Gate, GateObserver, Why
from services.intake.heartbeats.endpoints import HeartbeatEndpoints
from services.intake.heartbeats.worker import HeartbeatWatch
from services.intake.inbound_mail.context import MailLookup
from services.intake.inbound_mail.endpoints import mail_routes
from services.intake.inbound_mail.held_mail import HeldWatch
from services.intake.inbound_mail.worker import MailIntake
from services.intake.maintenance.endpoints import announcement_routes
from services.intake.page_tests.store import PageTestDesk
from services.intake.policy.store import InForce, Policies
from services.intake.quarantine.endpoints import QuarantineEndpoints
from services.intake.quarantine.retry import QuarantineRetry
from services.intake.quarantine.worker import quarantine_probe
from services.intake.records.store import RecordCache
from services.intake.reminders import subscriber as reminders
from services.intake.reminders.store import REMINDERS
from services.intake.reviews.required_reviews import RequiredReviews
from services.intake.signals.reception import Reception
from services.intake.signals.schemas import Delivery, Result
from services.intake.signals.store import Receiver
from services.intake.source_activity.endpoints import SourceEndpoints
from services.intake.source_api import endpoints as source_endpoints
from services.intake.source_api.explain_endpoints import explain_routes
from services.intake.source_keys.endpoints import SourceKeyEndpoints
from services.intake.surveys.invitations import SurveyInvitations
from services.intake.telemetry import CommitObserver, Commits, waiting_probe
from shared.clock import Clock, setting_of
from shared.database.cursors import Cursors
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.batcher import Batcher
from shared.eventlog.entry import Entry
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.eventlog.readers.probe import reader_probe
from shared.eventlog.readers.reader import POLL_SECONDS, Reader
from shared.eventlog.readers.transaction import Apply
from shared.http.networks import Networks, proxies
from shared.http.wrong_keys import WrongKeys
from shared.messaging.commands import Answered
from shared.messaging.live_feed import Deliveries
from shared.messaging.streams import SIGNALS_PENDING_MAX
from shared.messaging.subjects import SHARED_USER
from shared.observability.health import Check, Probe
from shared.security.access import Access
from shared.security.sender import Authentication, authentication, seal_keys_of
from shared.settings import IntakeSettings

SIGNALS_A_BATCH = 400
SIGNALS_WAITING_MAX = 20_000
COMMANDS_A_BATCH = 200
COMMANDS_WAITING_MAX = 2_000
APPENDED_AT_ONCE = 200
"""Units that the follower of the log appends at once."""
SETTABLE_POLL_SECONDS = 0.05
"""How often to read the log on a clock that can be set, where a day may be short."""

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class WorkerConfig:
    """The configuration of this process among others."""

    workers: int = 1
    trusted: Networks = ()
    elapsed: Callable[[], float] = time.monotonic
    """The monotonic clock for rates."""
    files: FileLimits = DEFAULT
    clamd_url: str | None = None
    attachment_days: int | None = None
    callbacks: CallbackRules = CLOSED


ALONE = WorkerConfig()


def worker_config(settings: IntakeSettings) -> WorkerConfig:
    """Return the configuration from the settings."""
    trusted = proxies(settings.trusted_proxies)
    token, public_url = settings.twilio_token, settings.public_url or ""
    callbacks = CallbackRules(
        token.get_secret_value() if token else "", public_url.rstrip("/")
    )
    return WorkerConfig(
        settings.workers,
        trusted,
        files=file_limits_of(settings),
        clamd_url=settings.clamd_url,
        attachment_days=settings.attachment_days,
        callbacks=callbacks,
    )


@dataclass(frozen=True)
class GateWiring:
    """The assembled gate; `wait` says how long a NATS message has to wait."""

    gate: Gate
    keys: Keys
    tally: Tally
    activity: ActivityWriter
    wait: Callable[[str], float]


@dataclass(frozen=True)
class Parts:
    """The parts of intake, assembled but not yet running."""

    log: EventLog
    commits: Commits
    signals: Batcher[Delivery, list[Result]]
    commands: Batcher[PendingCommand, Answered]
    reception: Reception
    context: EndpointContext
    letters: MailIntake
    authentication: Authentication
    in_force: InForce
    gate: GateWiring
    heartbeats: HeartbeatWatch
    held_mail: HeldWatch
    retries: QuarantineRetry
    attacher: Attacher
    attachments: AttachmentWorker


def assemble(
    log: EventLog,
    clock: Clock,
    executor: ThreadPoolExecutor,
    observer: CommitObserver,
    config: WorkerConfig = ALONE,
    our_address: str | None = None,
) -> Parts:
    """Assemble intake; `observer` is told of commits, `our_address` sends mail."""
    in_force, commits = InForce(log, Policies(log)), Commits(log)
    cache, policies = RecordCache(log), Policies(log)
    wiring = gate_wiring(log, executor, in_force, observer, clock, config)
    receiver = Receiver(log, cache, policies, clock)
    signals = _signals(receiver, commits, observer, wiring.tally, executor)
    desk = CommandDesk(log, cache, policies, clock)
    commands = _commands(desk, commits, observer, executor)
    charge, confirm = wiring.gate.admission.charge, Handshakes().confirm
    reception = Reception(signals, clock, in_force.source, charge, confirm=confirm)
    lookup = MailLookup(log, cache, Policies(log))
    attacher = Attacher(log, clock, executor, commands, config.files)
    upkeep = config.clamd_url, config.attachment_days
    mail = MailIntake(lookup, clock, executor, commands, attacher, observer.letter)
    return Parts(
        log,
        commits,
        signals,
        commands,
        reception,
        EndpointContext(wiring.gate, reception, log, executor, in_force, our_address),
        mail,
        authentication(log, clock, executor),
        in_force,
        wiring,
        HeartbeatWatch(log, in_force, reception, clock),
        HeldWatch(log, reception, clock),
        QuarantineRetry(log, reception, in_force, clock, executor),
        attacher,
        AttachmentWorker(log, clock, commands, *upkeep),
    )


def _signals(
    receiver: Receiver,
    commits: Commits,
    observer: CommitObserver,
    tally: Tally,
    executor: Executor,
) -> Batcher[Delivery, list[Result]]:
    flush = commits.watched(receiver.flush)
    return Batcher(
        _observed(flush, observer.signals, tally.signals),
        executor,
        weight=lambda delivery: len(delivery.heard),
        weight_max=SIGNALS_A_BATCH,
        waiting_max=SIGNALS_WAITING_MAX,
    )


def _commands(
    desk: CommandDesk, commits: Commits, observer: CommitObserver, executor: Executor
) -> Batcher[PendingCommand, Answered]:
    return Batcher(
        _observed(commits.watched(desk.flush), observer.commands),
        executor,
        weight_max=COMMANDS_A_BATCH,
        waiting_max=COMMANDS_WAITING_MAX,
    )


def _observed(
    flush: Callable[[Sequence[_Item]], Sequence[_Answer | Exception]],
    *observers: Callable[[Sequence[_Item], Sequence[_Answer | Exception]], None],
) -> Callable[[Sequence[_Item]], Sequence[_Answer | Exception]]:
    """Return a `flush` that passes each batch and its answers to the observers."""

    def flushed(items: Sequence[_Item]) -> Sequence[_Answer | Exception]:
        answers = flush(items)
        for observer in observers:
            observer(items, answers)
        return answers

    return flushed


def gate_wiring(
    log: EventLog,
    executor: Executor,
    in_force: InForce,
    observer: CommitObserver,
    clock: Clock,
    config: WorkerConfig,
) -> GateWiring:
    """Return the gate of this process."""
    tally = Tally(clock)
    admission = Admission(in_force.source, clock, config.workers, config.elapsed)
    waiting_max = SIGNALS_PENDING_MAX // 2 // config.workers
    pace = Pace(admission, waiting_max, config.elapsed)

    def named(source: str | None) -> str | None:
        return source if source and in_force.source(source) else None

    def refused(source: str | None, why: Why) -> None:
        observer.refused(named(source), why)

    def wait(source: str) -> float:
        seconds = pace.wait(source)
        if seconds:
            observer.deferred(named(source))
        elif source != SHARED_USER:
            tally.use(source, NATS)
        return seconds

    access = Access(log, clock, config.elapsed, seal_keys_of(log))
    keys = Keys(access, executor, in_force, Secrets(), WrongKeys(config.elapsed))
    gate = Gate(
        keys,
        in_force,
        admission,
        GateObserver(tally, refused),
        clock,
        config.trusted,
    )
    activity = ActivityWriter(log, tally, admission, in_force, clock)
    return GateWiring(gate, keys, tally, activity, wait)


@dataclass(frozen=True)
class LogFollower:
    """What intake does by itself, following the log: `run`, and a probe of its lag."""

    run: Callable[[asyncio.Event], Coroutine[None, None, None]]
    probe: Probe


def batch_handler(log: EventLog, clock: Clock) -> Apply:
    """Return what the follower of the log does with a batch, in its transaction."""
    silences, links = Silences(log), ProblemLinks(log, clock)
    surveys, reviews = SurveyInvitations(log, clock), RequiredReviews(log, clock)

    def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
        silences.apply(cursor, entries)
        reminders.apply(cursor, entries)
        accepted_pages.apply(cursor, entries)
        # All read before any appends, since an append locks the end of the log.
        deciders = (links, surveys, reviews)
        decided = [unit for each in deciders for unit in each.decided(cursor, entries)]
        _append(log, cursor, decided)

    return apply


def _append(log: EventLog, cursor: Cursors, units: Sequence[AppendUnit]) -> None:
    """Append what was decided about a batch, after all reads.

    Raises `StaleVersion` if another process wrote to one of the streams in between:
    then the batch is applied again.
    """
    for start in range(0, len(units), APPENDED_AT_ONCE):
        outcomes = log.append(cursor, units[start : start + APPENDED_AT_ONCE])
        if not all(isinstance(outcome, Recorded) for outcome in outcomes):
            raise StaleVersion("another process wrote to the same stream")


def log_follower(
    log: EventLog,
    clock: Clock,
    commands: Batcher[PendingCommand, Answered],
) -> LogFollower:
    """Return the worker that acts on the log: closes, reminds, links and asks users.

    It reads the log without NATS, so it depends on neither. Its probe is always ready:
    signals and commands are taken even if it is behind.
    """
    poll = POLL_SECONDS if setting_of(clock) is None else SETTABLE_POLL_SECONDS
    reader = Reader(
        log, BOOKMARK, batch_handler(log, clock), Deliveries(None), poll=poll
    )
    workers = [
        DueCommands[Any](table, log, clock, commands)
        for table in (SILENCES, REMINDERS, ACCEPTED_PAGES)
    ]
    lag = reader_probe(reader.status, log, clock)

    async def run(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.run(stop))
            for worker in workers:
                group.create_task(worker.run(stop))

    async def probe() -> Check:
        return replace(await lag(), ready=True)

    return LogFollower(run, probe)


def all_routes(
    parts: Parts,
    clock: Clock,
    form_rules: FormRules = OPEN,
    callbacks: CallbackRules = CLOSED,
) -> list[Route]:
    """Return all routes: for sources, operators, users and providers of messages."""
    gate, in_force = parts.gate.gate, parts.in_force
    letters = parts.letters
    return [
        *signal_routes(parts.context),
        *mail_routes(parts.context, letters),
        *SourceEndpoints(gate, parts.log, in_force, clock).routes(),
        *SourceKeyEndpoints(gate, parts.log, in_force, clock).routes(),
        *HeartbeatEndpoints(gate, in_force, parts.heartbeats).routes(),
        *QuarantineEndpoints(gate, parts.retries).routes(),
        *explain_routes(parts.context),
        *announcement_routes(parts.context, clock),
        *external_record_routes(parts.context, clock),
        *attachment_routes(parts.context, parts.attacher),
        *contact_routes(parts.context, letters, parts.commands, form_rules),
        *CallbackEndpoints(
            parts.log,
            lambda: letters.pages,
            clock,
            callbacks,
            PageTestDesk(parts.log, Policies(parts.log), clock).answered_by_call,
        ).routes(),
    ]


def probes(parts: Parts, clock: Clock) -> list[Probe]:
    """Return the readiness probes of intake's parts."""
    log, commits = parts.log, parts.commits
    waiting = waiting_probe(log, commits, parts.signals, parts.commands)
    kept = quarantine_probe(log, clock)
    workers = (parts.heartbeats, parts.held_mail, parts.attachments)
    return [waiting, kept, *(each.probe for each in workers)]


def signal_routes(context: EndpointContext) -> list[Route]:
    """Return the routes for signals, including those compatible with other systems."""
    return [
        *source_endpoints.routes(context),
        *pagerduty.routes(context),
        *opsgenie.routes(context),
    ]
