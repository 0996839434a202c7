"""The state that metrics keep of a record: facts to count, and what later events need.

Incidents have an `IncidentState`, problems and changes a `RecordState`. In both,
`facts` are counted; all other fields serve to find the next fact.

The status of an incident follows `shared.domain.incident`; a property-based test
compares both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar

from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentClosed,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
    IncidentSolutionNoted,
    Origin,
)
from shared.domain.events.incident_ties import IncidentMerged, IncidentUnmerged
from shared.domain.incident import AT_WORK, IN_STOCK, BrokenHistory, Status
from shared.domain.incident.state import Holders, begun, passed
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.eventlog.entry import Entry

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


def altered(state: Remembered, **changes: object) -> Remembered:
    """Return a record with some fields changed.

    `dataclasses.replace` takes 16 µs for so many fields, this 1 µs. Only a
    property-based test checks the names.
    """
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
    return (*facts, altered(fact, number=before.number + 1 if before else 1))


def changed(facts: tuple[Fact, ...], was: Fact, now: Fact) -> tuple[Fact, ...]:
    """Return `facts` with `was` replaced by `now`."""
    return tuple(now if fact is was else fact for fact in facts)


def given_to(life: IncidentState, team: str, at: datetime) -> IncidentState:
    """Return an incident after its assignment to a team; count a return."""
    before = life.holders or begun(life.dims.team or team)
    after = passed(before, team, at)
    if after is before and team == life.dims.team:
        return life
    dims = altered(life.dims, team=team)
    moved = altered(life, dims=dims, changed_team=True, holders=after)
    if after.returns == before.returns:
        return moved
    return altered(moved, facts=added(moved.facts, Fact("ping_pong", 0, at)))


_DONE = frozenset({Status.RESOLVED, Status.CLOSED})


def moved(life: IncidentState, event: IncidentEvent, entry: Entry) -> IncidentState:
    """Return an incident after an event that may change its state or team."""
    after = _moved(life, event, entry)
    if after is life:
        return life
    resolved = isinstance(event, IncidentResolved) or life.resolved
    return altered(after, resolved=resolved and after.status in _DONE)


def _moved(  # noqa: PLR0911 # one return a case
    life: IncidentState, event: IncidentEvent, entry: Entry
) -> IncidentState:
    match event:
        case IncidentOpened():
            raise BrokenHistory(f"{event.incident} was opened twice")
        case IncidentAcknowledged():
            paused = life.status is Status.PAUSED
            status = Status.PAUSED if paused else Status.ACKNOWLEDGED
            return altered(
                life, status=status, acknowledged=True, ever_acknowledged=True
            )
        case IncidentPaused():
            pause = Pause(event.reason, event.at)
            return altered(life, status=Status.PAUSED, pauses=(*life.pauses, pause))
        case IncidentResumed():
            pauses = tuple(altered(p, until=p.until or event.at) for p in life.pauses)
            return altered(life, status=_at_work(life), pauses=pauses)
        case IncidentUnmerged():
            return altered(life, status=_at_work(life))
        case IncidentRestored() | IncidentRelapsed():
            return altered(life, restored=isinstance(event, IncidentRestored))
        case IncidentReopened():
            return _reopened(life, event, entry)
        case _:
            return _over(life, event, entry)


def _over(life: IncidentState, event: IncidentEvent, entry: Entry) -> IncidentState:
    match event:
        case IncidentResolved():
            return _resolved(life, event, entry)
        case IncidentSolutionNoted():
            noted = Fact("solution_noted", 0, entry.recorded_at)
            return altered(life, facts=added(life.facts, noted))
        case IncidentClosed():
            return altered(life, status=Status.CLOSED)
        case IncidentCancelled():
            return altered(life, status=Status.CANCELLED)
        case IncidentMerged():
            return altered(life, status=Status.MERGED)
        case _:
            return life


def _resolved(
    life: IncidentState, event: IncidentResolved, entry: Entry
) -> IncidentState:
    at, facts = entry.recorded_at, life.facts
    if event.root_cause_open:
        facts = added(facts, Fact("left_open", 0, at))
    if event.by.startswith("person:"):
        level = event.level or (life.levels[-1].level if life.levels else "n1")
        how = "by_solution" if event.solution else "otherwise"
        facts = added(facts, Fact("solved", 0, at, level, ended=how))
    if event.solution:
        facts = added(facts, Fact("solution_used", 0, at, event.solution))
    return altered(life, status=Status.RESOLVED, facts=facts)


def _reopened(
    life: IncidentState, event: IncidentReopened, entry: Entry
) -> IncidentState:
    word = "after_closure" if event.after_closure else "resolved"
    facts = added(life.facts, Fact("reopened", 0, entry.recorded_at, word))
    if event.quick_fix:
        facts = added(facts, Fact("quick_fix", 0, entry.recorded_at))
    return altered(
        life,
        status=Status.NEW,
        acknowledged=False,
        restored=False,
        levels=(*life.levels, Entered("n1", event.at)) if life.levels else (),
        holders=begun(life.holders.desk) if life.holders else None,
        facts=facts,
    )


def _at_work(life: IncidentState) -> Status:
    return Status.ACKNOWLEDGED if life.acknowledged else Status.NEW
