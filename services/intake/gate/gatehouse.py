"""The gate and what stands around it, put together."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.activity.keeping import Keeping
from services.intake.activity.tally import NATS, Tally
from services.intake.gate.admission import Admission
from services.intake.gate.gate import Gate, Watch, Why
from services.intake.gate.guessing import Guesses
from services.intake.gate.keys import Keys
from services.intake.gate.pacing import Pace
from services.intake.gate.secrets import Secrets
from services.intake.in_force import InForce
from services.intake.noting import Noting
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.networks import Networks, proxies
from shared.messaging.streams import SIGNALS_PENDING_MAX
from shared.security.access import Access
from shared.settings import IntakeSettings


@dataclass(frozen=True)
class Stance:
    """How this process stands among others."""

    workers: int = 1
    trusted: Networks = ()
    on_lever: bool = False
    elapsed: Callable[[], float] = time.monotonic
    """The clock of rates, which only goes on."""


ALONE = Stance()


@dataclass(frozen=True)
class Gatehouse:
    """`wait` says how long a message over NATS has to wait for its turn."""

    gate: Gate
    keys: Keys
    tally: Tally
    keeping: Keeping
    wait: Callable[[str], float]


def stance_of(settings: IntakeSettings) -> Stance:
    """Return what the settings say of it."""
    trusted = proxies(settings.trusted_proxies)
    return Stance(settings.workers, trusted, settings.clock_lever is not None)


def guarding(
    log: EventLog,
    executor: Executor,
    in_force: InForce,
    noting: Noting,
    clock: Clock,
    stance: Stance,
) -> Gatehouse:
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
        Watch(tally, refused),
        clock,
        stance.trusted,
    )
    keeping = Keeping(log, tally, admission, in_force, clock)
    return Gatehouse(gate, keys, tally, keeping, wait)
