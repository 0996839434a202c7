"""What a signal is evaluated with, and what comes of it.

Each alert, and each group of alerts, has one immutable row. A signal, or an instant
that is due, is evaluated with the row of its alert and what its batch shares; the
outcome is the new row and the events.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast

from services.intake.policy.windows import Windows
from services.intake.records.rules import DecisionContext, decide
from services.intake.records.signal import Signal
from services.intake.records.system_command import MachineCommand
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.policy.durations import NEVER
from shared.domain.policy.priorities import Severity
from shared.domain.policy.sources import Monitor

State = Literal["unknown", "firing", "recovered"]
HeldFor = Literal["maintenance", "open_after", "threshold", "hold_down", "flapping"]
"""Why something is held: the first three hold an opening, the others a recovery."""


@dataclass(frozen=True, slots=True)
class HeldSignal:
    """A signal that has not taken effect yet.

    `of` is the window or setting that holds it; `until` is None if no instant ends the
    hold. `since` is when it was first received, `heard_at` when last; `signal` is the
    latest one.
    """

    code: HeldFor
    of: str
    since: datetime
    until: datetime | None
    heard_at: datetime
    signal: Signal


@dataclass(frozen=True, slots=True)
class Life:
    """State of an alert that is needed only with certain source settings."""

    group: str | None = None
    """The key of the group it belongs to."""
    apart: bool = False
    """It was split off: it does not rejoin its group until it is a new alert."""
    changes: tuple[datetime, ...] = ()
    """When its state last changed, as many changes as flap detection needs."""
    flapping_since: datetime | None = None
    flapping_changes: int = 0
    """The number of changes since then."""
    fired_at: datetime | None = None
    """When it was last reported as firing, if silence counts as recovery."""
    never_recovers: bool = False
    """Whether its last format never sends a recovery."""
    given_up_after: str | None = None
    """It counts as recovered after this period of silence, without a recovery."""
    claimed_ahead: datetime | None = None
    """The last instant its source claimed, if that was in the future."""


NO_LIFE = Life()


class KeyRow(NamedTuple):
    """The state of one alert.

    `state` is what the source says; `held` is set if that has not taken effect yet.
    `incident` stays when the alert is over; merging and splitting change it.
    `last_occurred_at` and `last_recovered_at` are the latest claims of its source.
    """

    signal_key: str
    source: str
    incident: str | None = None
    state: State = "unknown"
    severity: Severity | None = None
    last_occurred_at: datetime | None = None
    last_recovered_at: datetime | None = None
    repeats: int = 0
    """Signals since the last event that reported their number."""
    last_summary_at: datetime | None = None
    recovery_heard_at: datetime | None = None
    """When the last recovery was received, by our clock."""
    life: Life = NO_LIFE
    held: HeldSignal | None = None
    due_at: datetime | None = None
    """When the passage of time alone changes something."""


class GroupRow(NamedTuple):
    """The incident of a correlation group, and when a signal of it last fired."""

    group_key: str
    source: str
    incident: str | None = None
    signalled_at: datetime | None = None


Suppressor = Literal[
    "cancelled",
    "maintenance",
    "nothing_open",
    "older_than_recovery",
    "older_than_trigger",
    "snoozed",
    "threshold",
    "timeout",
    "transient",
]
Rule = Literal[
    "new_trouble",
    "follows_older",
    "fires_again",
    "severity_changed",
    "still_fires",
    "correlated",
    "open_after",
    "threshold",
    "maintenance_ended",
    "acknowledged",
    "noted",
    "recovered",
    "hold_down",
    "flapping",
    "timeout",
]


@dataclass(frozen=True, slots=True)
class SuppressionReason:
    """The rule or suppressor that decided, what it refers to, and an explanation.

    `until` is when it ends, if known.
    """

    code: Rule | Suppressor
    of: str | None = None
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A suppressed signal. It has no title: titles may contain personal data."""

    source: str
    signal_key: str
    event_id: str | None
    received_at: datetime
    action: str
    service: str
    why: SuppressionReason
    incident: str | None


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

    batch: BatchContext
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
        just_received = self.moment == self.received_at
        return self.batch.at if just_received else self.received_at

    @property
    def claimed_at(self) -> datetime | None:
        """When it happened according to its source; never later than its reception."""
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
        return self.batch.policy.service_of(
            signal.source, signal.service, signal.labels
        )

    def with_row(self, row: KeyRow) -> "SignalContext":
        """Return a copy with another row of the same incident."""
        return replace(self, row=row)

    def decided(
        self, ref: str, incident: Incident | None, command: MachineCommand
    ) -> list[IncidentEvent]:
        """Return the events that intake's rules give for a command of this source."""
        return decided(self.batch, f"source:{self.row.source}", ref, incident, command)

    def suppressed(self, row: KeyRow, why: SuppressionReason) -> Correlated:
        """Return the outcome that it is suppressed; only its row may change."""
        return Correlated("suppressed", row, why, suppressed=(self.suppression(why),))

    def suppression(self, why: SuppressionReason) -> Suppressed:
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
    batch: BatchContext,
    by: str,
    ref: str,
    incident: Incident | None,
    command: MachineCommand,
) -> list[IncidentEvent]:
    """Return the events of a machine's command; empty for a merged incident."""
    if incident is not None and incident.status is Status.MERGED:
        return []
    context = DecisionContext(ref, batch.at, by, batch.policy, batch.policy_version)
    # A machine's command concerns its incident only.
    return cast("list[IncidentEvent]", decide(command, incident, context))


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


def timed_all(correlated: Correlated, monitor: Monitor | None) -> Correlated:
    """Return a copy whose rows have the next instant to examine them."""
    row = timed(correlated.row, monitor)
    if row is correlated.row and not correlated.others:
        return correlated
    others = tuple(timed(other, monitor) for other in correlated.others)
    return replace(correlated, row=row, others=others)
