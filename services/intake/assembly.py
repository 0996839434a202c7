"""Puts the parts of intake together; `app.py` runs them.

Nothing runs here, so that a test or a benchmark can take the same parts.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from services.intake.attachments.commands import Attacher
from services.intake.attachments.rules import DEFAULT, FileLimits, file_limits_of
from services.intake.attachments.worker import AttachmentWorker
from services.intake.callbacks.endpoints import (
    CLOSED,
    CallbackRules,
)
from services.intake.commands.pending_command import PendingCommand
from services.intake.commands.store import CommandDesk
from services.intake.compat.webhook_handshakes import Handshakes
from services.intake.contacts.endpoints import OPEN, FormRules, form_rules_of
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.activity import NATS, ActivityWriter, Tally
from services.intake.gate.admission import Admission, Pace
from services.intake.gate.api_keys import Keys, Secrets
from services.intake.gate.gate import Gate, GateObserver, Why
from services.intake.heartbeats.worker import HeartbeatWatch
from services.intake.inbound_mail.context import MailLookup
from services.intake.inbound_mail.held_mail import HeldWatch
from services.intake.inbound_mail.worker import MailIntake
from services.intake.people.sync_store import PeopleSync
from services.intake.policy.store import InForce, Policies
from services.intake.quarantine.retry import QuarantineRetry
from services.intake.records.store import RecordCache
from services.intake.signals.reception import Reception
from services.intake.signals.schemas import Delivery, Result
from services.intake.signals.store import Receiver
from services.intake.telemetry import CommitObserver, Commits
from shared.clock import Clock
from shared.domain.commands.person import PeopleSynchronised, SyncPeople
from shared.eventlog.batcher import Batcher
from shared.eventlog.log import EventLog
from shared.http.networks import Networks, proxies
from shared.http.problem_details import HttpError
from shared.http.wrong_keys import WrongKeys
from shared.messaging.commands import Answered, CommandRequest
from shared.messaging.streams import SIGNALS_PENDING_MAX
from shared.messaging.subjects import SHARED_USER
from shared.security.access import Access
from shared.security.sender import Authentication, authentication, seal_keys_of
from shared.settings import IntakeSettings

if TYPE_CHECKING:  # a desk without LDAP starts sooner without its library
    from services.intake.ldap.worker import LdapWorker

SIGNALS_A_BATCH = 400
SIGNALS_WAITING_MAX = 20_000
COMMANDS_A_BATCH = 200
COMMANDS_WAITING_MAX = 2_000

Synchronise = Callable[[CommandRequest[SyncPeople]], Awaitable[PeopleSynchronised]]

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
    form: FormRules = OPEN
    our_address: str | None = None
    """The desk's own sender address."""
    dsn: str = field(default="", repr=False)
    """Where leases are taken, for work that one process does."""
    on_lever: bool = False
    """Whether the clock can be set, so that a day may be short."""
    ldap_file: Path | None = None


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
        form=form_rules_of(settings),
        our_address=settings.mail_from,
        dsn=settings.database_url.get_secret_value(),
        on_lever=settings.clock_lever is not None,
        ldap_file=settings.ldap_file,
    )


@dataclass(frozen=True)
class GateWiring:
    """The assembled gate; `wait` says how long a NATS message has to wait."""

    gate: Gate
    keys: Keys
    tally: Tally
    activity: ActivityWriter
    wait: Callable[[str], float]


async def no_directory(_: CommandRequest[SyncPeople]) -> PeopleSynchronised:
    """Refuse to synchronise: there is nothing to synchronise with."""
    raise HttpError(
        409,
        "the desk has no LDAP server: set PERMANENCE_LDAP_FILE for intake",
        code="ldap",
    )


@dataclass(frozen=True)
class OutsideDirectory:
    """What synchronises people with LDAP; without a file of settings, nothing does."""

    synchronise: Synchronise = no_directory
    workers: Sequence["LdapWorker"] = ()


@dataclass(frozen=True)
class Parts:
    """The parts of intake that several rooms use, assembled but not yet running."""

    log: EventLog
    clock: Clock
    config: WorkerConfig
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
    outside: OutsideDirectory


def assemble(
    log: EventLog,
    clock: Clock,
    executor: ThreadPoolExecutor,
    observer: CommitObserver,
    config: WorkerConfig = ALONE,
) -> Parts:
    """Assemble intake; `observer` is told of commits."""
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
        clock,
        config,
        commits,
        signals,
        commands,
        reception,
        EndpointContext(
            wiring.gate, reception, log, executor, in_force, config.our_address
        ),
        mail,
        authentication(log, clock, executor),
        in_force,
        wiring,
        HeartbeatWatch(log, in_force, reception, clock),
        HeldWatch(log, reception, clock),
        QuarantineRetry(log, reception, in_force, clock, executor),
        attacher,
        AttachmentWorker(log, clock, commands, *upkeep),
        _outside_directory(log, clock, executor, config),
    )


def _outside_directory(
    log: EventLog, clock: Clock, executor: Executor, config: WorkerConfig
) -> OutsideDirectory:
    if config.ldap_file is None:
        return OutsideDirectory()
    from services.intake.ldap.reader import LdapReader
    from services.intake.ldap.synchroniser import Synchroniser
    from services.intake.ldap.worker import LdapWorker, people_sync_candidate

    people = PeopleSync(log, Policies(log), clock)
    synchroniser = Synchroniser(LdapReader(config.ldap_file), people, executor)
    worker = LdapWorker(
        people_sync_candidate(config.dsn, log.may_write),
        synchroniser,
        on_lever=config.on_lever,
    )
    return OutsideDirectory(synchroniser.take, (worker,))


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
