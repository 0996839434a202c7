"""The state of an alert, and of a group of alerts: one immutable row each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from services.intake.signals.schemas import Signal
from shared.domain.policy.priorities import Severity

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
