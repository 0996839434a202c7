"""Assembles the gate and its parts."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.gate.admission import Admission, Pace
from services.intake.gate.api_keys import Keys
from services.intake.gate.brute_force import Guesses
from services.intake.gate.gate import Gate, GateObserver, Why
from services.intake.gate.secrets import Secrets
from services.intake.policy.in_force import InForce
from services.intake.source_activity.tally import NATS, Tally
from services.intake.source_activity.worker import ActivityWriter
from services.intake.telemetry import CommitObserver
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.networks import Networks, proxies
from shared.messaging.streams import SIGNALS_PENDING_MAX
from shared.security.access import Access
from shared.settings import IntakeSettings


@dataclass(frozen=True)
class WorkerConfig:
    """The configuration of this process among others."""

    workers: int = 1
    trusted: Networks = ()
    on_lever: bool = False
    elapsed: Callable[[], float] = time.monotonic
    """The monotonic clock for rates."""


ALONE = WorkerConfig()


@dataclass(frozen=True)
class GateWiring:
    """The assembled gate; `wait` says how long a NATS message has to wait."""

    gate: Gate
    keys: Keys
    tally: Tally
    keeping: ActivityWriter
    wait: Callable[[str], float]


def stance_of(settings: IntakeSettings) -> WorkerConfig:
    """Return the configuration from the settings."""
    trusted = proxies(settings.trusted_proxies)
    return WorkerConfig(settings.workers, trusted, settings.clock_lever is not None)


def guarding(
    log: EventLog,
    executor: Executor,
    in_force: InForce,
    noting: CommitObserver,
    clock: Clock,
    stance: WorkerConfig,
) -> GateWiring:
    """Return the gate of this process."""
    tally = Tally(clock)
    admission = Admission(in_force.source, clock, stance.workers, stance.elapsed)
    waiting_max = SIGNALS_PENDING_MAX // 2 // stance.workers
    pace = Pace(admission, waiting_max, stance.elapsed)

    def named(source: str | None) -> str | None:
        return source if source and in_force.source(source) else None

    def refused(source: str | None, why: Why) -> None:
        noting.refused(named(source), why)

    def wait(source: str) -> float:
        seconds = pace.wait(source)
        if seconds:
            noting.deferred(named(source))
        else:
            tally.use(source, NATS)
        return seconds

    access = Access(log.transaction, clock, stance.elapsed)
    keys = Keys(access, executor, in_force, Secrets(), Guesses(stance.elapsed))
    gate = Gate(
        keys,
        in_force,
        admission,
        GateObserver(tally, refused),
        clock,
        stance.trusted,
    )
    keeping = ActivityWriter(log, tally, admission, in_force, clock)
    return GateWiring(gate, keys, tally, keeping, wait)
