"""The state that metrics keep of a record: facts to count, and what later events need.

Incidents have an `IncidentState`, problems and changes a `RecordState`. In both,
`facts` are counted; all other fields serve to find the next fact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal, TypeVar

from shared.domain.events.incident import Origin
from shared.domain.incident import AT_WORK, IN_STOCK, Status
from shared.domain.incident.deliveries import OpenQuestion
from shared.domain.incident.reporters import NOBODY, Reporters
from shared.domain.incident.state import Holders
from shared.domain.policy.targets import PauseReason, SupportLevel

Kind = Literal[
    "stock",
    "awaiting",
    "waiting",
    "restored",
    "resolved",
    "reopened",
    "reported",
    "contact",
    "target",
    "ola",
    "dwell",
    "ping_pong",
    "left_open",
    "quick_fix",
    "solved",
    "solution_noted",
    "solution_used",
    "handover",
    "problem",
    "problem_of_incident",
    "change_requested",
    "change_planned",
    "change_cancelled",
    "survey_invited",
    "survey_answered",
]
"""Kinds up to `resolved` are intervals; the others are instants."""


@dataclass(frozen=True)
class Fact:
    """A fact to count: the `number`th of its kind in a record.

    `since` and `until` are when its beginning and end were recorded, by which it is
    counted; `began_at` and `ended_at` are when they were decided, by which it is
    measured. `word` and `ended` qualify the beginning and the end.
    """

    kind: Kind
    number: int
    since: datetime
    word: str = ""
    until: datetime | None = None
    ended: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    waited: int | None = None
    """How many seconds a person waited for an answer."""


@dataclass(frozen=True)
class Dims:
    """The dimensions of a record: its current values, used for all its facts."""

    service: str | None = None
    client: str | None = None
    priority: str | None = None
    team: str | None = None
    category: str | None = None
    channel: str | None = None
    """The channel of the first inbound contact."""


@dataclass(frozen=True)
class Pause:
    """When the desk waited for somebody; `until` is None while it still waits."""

    reason: PauseReason
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Entered:
    """When an incident reached a support level."""

    level: SupportLevel
    at: datetime


@dataclass(frozen=True)
class FirstWord:
    """A person's first contact: number of its fact, when, and whether in writing."""

    number: int
    at: datetime
    written: bool


@dataclass(frozen=True)
class Promise:
    """The latest promise to resolve: its calendar, and what pauses it."""

    policy: int
    contract: str
    calendar: str
    paused_by: tuple[PauseReason, ...]
    stops_at: Literal["restored", "resolved"]


@dataclass(frozen=True)
class IncidentState:
    """An incident after some of its events."""

    record: str
    dims: Dims
    origin: Origin
    reported_at: datetime
    status: Status = Status.NEW
    acknowledged: bool = False
    """Whether it was acknowledged in this cycle."""
    ever_acknowledged: bool = False
    restored: bool = False
    resolved: bool = False
    """Whether its last resolution is still valid."""
    user_reported: bool = False
    contacts: int = 0
    """Inbound contacts, including those abandoned before an answer."""
    changed_team: bool = False
    holders: Holders | None = None
    """The teams that have had it in this cycle."""
    pauses: tuple[Pause, ...] = ()
    reporters: Reporters = NOBODY
    question: OpenQuestion | None = None
    """The question that the users are being sent: the pause for it has not begun."""
    levels: tuple[Entered, ...] = ()
    """The levels it reached after N1; a reopening starts at N1 again."""
    promise: Promise | None = None
    first_words: Mapping[str, FirstWord] = field(default_factory=dict)
    """The first contact of each person who reported it."""
    receipts: Mapping[str, str] = field(default_factory=dict)
    """The person whose receipt a notification is, by its key."""
    received_at: Mapping[str, datetime] = field(default_factory=dict)
    """When the receipt of each person was sent."""
    facts: tuple[Fact, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    """The last position of each stream that changed this state."""

    @property
    def in_stock(self) -> bool:
        """Whether it counts as open."""
        return self.status in IN_STOCK

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for an acknowledgement."""
        return self.status in AT_WORK and not self.acknowledged


@dataclass(frozen=True)
class RecordState:
    """A problem or a change after some of its events."""

    record: str
    dims: Dims
    via: str | None = None
    """The problem that led to a change."""
    incidents: tuple[str, ...] = ()
    """The incidents that led to it."""
    facts: tuple[Fact, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)


State = IncidentState | RecordState
Remembered = TypeVar(
    "Remembered", bound=IncidentState | RecordState | Fact | Dims | Pause
)


_NAMES: Mapping[type, frozenset[str]] = {
    kind: frozenset(each.name for each in fields(kind))
    for kind in (IncidentState, RecordState, Fact, Dims, Pause)
}


def changed(state: Remembered, **changes: object) -> Remembered:
    """Return a record with some fields changed; `TypeError` for one it does not have.

    `dataclasses.replace` takes 16 µs for so many fields, this 1 µs.
    """
    if unknown := changes.keys() - _NAMES[type(state)]:
        raise TypeError(f"{type(state).__name__} has no {sorted(unknown)}")
    after = object.__new__(type(state))
    after.__dict__.update(state.__dict__)
    after.__dict__.update(changes)
    return after


def last(facts: tuple[Fact, ...], kind: Kind) -> Fact | None:
    """Return the last fact of a kind."""
    return next((fact for fact in reversed(facts) if fact.kind == kind), None)


def added(facts: tuple[Fact, ...], fact: Fact) -> tuple[Fact, ...]:
    """Return `facts` with one more, which gets the next number of its kind."""
    before = last(facts, fact.kind)
    return (*facts, changed(fact, number=before.number + 1 if before else 1))


def replaced(facts: tuple[Fact, ...], was: Fact, now: Fact) -> tuple[Fact, ...]:
    """Return `facts` with `was` replaced by `now`."""
    return tuple(now if fact is was else fact for fact in facts)
