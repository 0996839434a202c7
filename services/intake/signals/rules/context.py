"""The context in which a signal or a due time is evaluated, and its outcome."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.intake.commands.command import Command, MachinesWish
from services.intake.commands.rules import decide
from services.intake.signals.rules.key_row import NO_LIFE, GroupRow, KeyRow
from services.intake.signals.rules.suppression import (
    Suppressed,
    SuppressionReason,
    Windows,
)
from services.intake.signals.schemas import Signal
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import NEVER
from shared.domain.policy.sources import Monitor

GIVEN_UP_AFTER = timedelta(hours=24)
"""How long an alert may be silent if its source never sends a recovery.

The setting `recovers_after` overrides it.
"""


def steady_span(monitor: Monitor | None) -> timedelta:
    """Return how long a flapping alert must hold a state before it counts."""
    if monitor is None:
        return timedelta()
    if monitor.hold_down is not None:
        return monitor.hold_down
    return monitor.flapping.within if monitor.flapping else timedelta()


def steady_at(row: KeyRow, monitor: Monitor | None) -> datetime | None:
    """Return when a flapping alert has held its state long enough."""
    if row.life.flapping_since is None:
        return None
    last = row.life.changes[-1] if row.life.changes else row.life.flapping_since
    return last + steady_span(monitor)


def patience(row: KeyRow, monitor: Monitor | None) -> timedelta | None:
    """Return the period of silence after which the alert counts as recovered."""
    said = monitor.recovers_after if monitor else None
    if said == NEVER:
        return None
    if said is None:
        return GIVEN_UP_AFTER if row.life.never_recovers else None
    return said


def silent_at(row: KeyRow, monitor: Monitor | None) -> datetime | None:
    """Return when a silent alert counts as recovered, if ever."""
    span, fired_at = patience(row, monitor), row.life.fired_at
    if span is None or fired_at is None or row.state != "firing":
        return None
    return fired_at + span


def timed(row: KeyRow, monitor: Monitor | None) -> KeyRow:
    """Return the row with the next instant at which it must be examined."""
    if row.held is None and row.life is NO_LIFE and row.due_at is None:
        return row
    instants = (
        row.held.until if row.held else None,
        steady_at(row, monitor),
        silent_at(row, monitor),
    )
    due_at = min((each for each in instants if each is not None), default=None)
    return row._replace(due_at=due_at)


def fired(row: KeyRow, monitor: Monitor | None, at: datetime) -> KeyRow:
    """Return the row after a signal that the alert fires."""
    if patience(row, monitor) is None:
        return row
    before = row.life.fired_at
    latest = at if before is None else max(at, before)
    return row._replace(life=replace(row.life, fired_at=latest))


Outcome = Literal["opened", "signalled", "recovered", "suppressed", "duplicate", "held"]


@dataclass(frozen=True, slots=True)
class BatchContext:
    """What all decisions of a batch share.

    `at` is the time of the decision; `fresh` yields references for new incidents;
    `incident`, `groups` and `waiting` (the rows of a group that wait for its threshold)
    include the effects of the earlier signals of the batch.
    """

    at: datetime
    policy: Policy
    policy_version: int
    windows: Windows
    fresh: Iterator[str]
    incident: Callable[[str], Incident | None]
    waiting: Callable[[str], Sequence[KeyRow]]
    groups: Mapping[str, GroupRow]


@dataclass(frozen=True, slots=True)
class Correlated:
    """The outcome of a signal: its result, its events and the changed rows."""

    outcome: Outcome
    row: KeyRow
    why: SuppressionReason
    events: Sequence[IncidentEvent] = ()
    group: GroupRow | None = None
    others: Sequence[KeyRow] = ()
    """Other rows of the same group that change with it."""
    suppressed: Sequence[Suppressed] = ()

    @property
    def reason(self) -> str | None:
        """Why the signal has no effect, in a sentence."""
        return self.why.reason


@dataclass(frozen=True, slots=True)
class SignalContext:
    """A signal under evaluation, with its row and that row's incident.

    `moment` is when the signal was received, or when a held one came due. `since` is
    when its alert was first held; `adapter` names the format it was read with.
    """

    ground: BatchContext
    row: KeyRow
    incident: Incident | None
    monitor: Monitor | None
    signal: Signal
    received_at: datetime
    moment: datetime
    since: datetime
    adapter: str = ""

    @property
    def claims_until(self) -> datetime:
        """The latest instant that a claim may count as: a source's clock may be ahead.

        For a signal that was just received, this is the time of the decision, under the
        lock of its row: so it follows the order of the locks, whichever host received
        the signal.
        """
        heard_now = self.moment == self.received_at
        return self.ground.at if heard_now else self.received_at

    @property
    def claimed_at(self) -> datetime | None:
        """When it happened according to its source; never later than we heard of it."""
        occurred_at = self.signal.occurred_at
        return min(occurred_at, self.claims_until) if occurred_at else None

    def is_older_than(self, claim: datetime | None) -> bool:
        """Return whether the source dates this signal before `claim`, also its own.

        Only the source's own clock is used: its claims are compared with each other.
        """
        said = self.signal.occurred_at
        return said is not None and claim is not None and said < claim

    @property
    def latest(self) -> datetime | None:
        """The latest instant at which the source claims that it fired."""
        claims = (self.row.last_occurred_at, self.claimed_at)
        return max((claim for claim in claims if claim), default=None)

    @property
    def service(self) -> str:
        """The service it is about."""
        signal = self.signal
        return self.ground.policy.service_of(
            signal.source, signal.service, signal.labels
        )

    def with_row(self, row: KeyRow) -> "SignalContext":
        """Return a copy with another row of the same incident."""
        return replace(self, row=row)

    def decided(
        self, ref: str, incident: Incident | None, wish: MachinesWish
    ) -> list[IncidentEvent]:
        """Return the events that intake's rules give for a command of this source."""
        return decided(self.ground, f"source:{self.row.source}", ref, incident, wish)

    def suppressed(self, row: KeyRow, why: SuppressionReason) -> Correlated:
        """Return the outcome that it is suppressed; only its row may change."""
        return Correlated("suppressed", row, why, suppressed=(self.told(why),))

    def told(self, why: SuppressionReason) -> Suppressed:
        """Return the record of its suppression."""
        signal = self.signal
        return Suppressed(
            source=signal.source,
            signal_key=self.row.signal_key,
            event_id=signal.event_id,
            received_at=self.received_at,
            action=signal.action,
            service=self.service,
            why=why,
            incident=self.row.incident,
        )


def decided(
    ground: BatchContext,
    by: str,
    ref: str,
    incident: Incident | None,
    wish: MachinesWish,
) -> list[IncidentEvent]:
    """Return the events of a machine's command; empty for a merged incident."""
    if incident is not None and incident.status is Status.MERGED:
        return []
    return decide(
        Command(ref, ground.at, by, wish),
        incident,
        policy=ground.policy,
        policy_version=ground.policy_version,
    )


def timed_all(heard: Correlated, monitor: Monitor | None) -> Correlated:
    """Return a copy whose rows have the next instant to examine them."""
    row = timed(heard.row, monitor)
    if row is heard.row and not heard.others:
        return heard
    others = tuple(timed(other, monitor) for other in heard.others)
    return replace(heard, row=row, others=others)
