"""What is known of one trouble, and of a group of troubles: a row each. Frozen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from services.intake.signals.schemas import Signal
from shared.domain.policy.priorities import Severity

State = Literal["unknown", "firing", "recovered"]
HeldFor = Literal["maintenance", "open_after", "threshold", "hold_down", "flapping"]
"""Why something is held: for the first three an opening, else a recovery."""


@dataclass(frozen=True, slots=True)
class HeldSignal:
    """What the source says and what has not taken effect yet.

    `of` is the window or setting that holds it; `until` is None where no instant ends
    it. `since` is when it was first received, `heard_at` when last; `signal` is its
    last word.
    """

    code: HeldFor
    of: str
    since: datetime
    until: datetime | None
    heard_at: datetime
    signal: Signal


@dataclass(frozen=True, slots=True)
class Life:
    """What only settings of a source make worth knowing of its trouble."""

    group: str | None = None
    """The key of the group it belongs to."""
    apart: bool = False
    """Somebody split it off: it joins its group no more, until it is a new trouble."""
    changes: tuple[datetime, ...] = ()
    """When it last changed its state, as often as flapping takes."""
    flapping_since: datetime | None = None
    flapping_changes: int = 0
    """How often it changed since then."""
    fired_at: datetime | None = None
    """When it was last heard to fire, where silence counts as recovery."""
    never_recovers: bool = False
    """The format it was last heard in has no word for its end."""
    given_up_after: str | None = None
    """It counts as recovered since it was silent for so long; nobody said so."""
    claimed_ahead: datetime | None = None
    """The last instant its source claimed for it, where that lay ahead of us."""


NO_LIFE = Life()


class KeyRow(NamedTuple):
    """What is known of one trouble.

    `state` is what the source says; `held` tells that it has not taken effect.
    `incident` stays when the trouble is over; merging and splitting move it.
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
    """How many came since the last event that told of them."""
    last_summary_at: datetime | None = None
    recovery_heard_at: datetime | None = None
    """When the last recovery was received, by our clock."""
    life: Life = NO_LIFE
    held: HeldSignal | None = None
    due_at: datetime | None = None
    """When time alone changes something, without a word of the source."""


class GroupRow(NamedTuple):
    """The incident that signals which agree belong to, and when one last fired."""

    group_key: str
    source: str
    incident: str | None = None
    signalled_at: datetime | None = None
