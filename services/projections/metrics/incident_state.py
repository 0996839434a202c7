"""What metrics remember of a record: what counted of it, and what it takes to go on.

An incident is remembered as a `IncidentState`, a problem or a change as a
`RecordState`. Of both, `facts` are what is counted; everything else serves to find the
next fact.

Where an incident stands after an event, as `shared.domain.incident` has it.

A test over any history holds both to the same.
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
"""Those up to `resolved` last for a time; the others happened at an instant."""


@dataclass(frozen=True)
class Fact:
    """Something that counts: the `number`th of its kind of a record.

    `since` and `until` are when the log heard of its beginning and its end, by which
    it is counted; `began_at` and `ended_at` are when they were decided, by which it is
    measured. `word` and `ended` tell the sort of both.
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
    """Seconds that somebody waited for an answer."""


@dataclass(frozen=True)
class Dims:
    """By what a record can be grouped: as it is known now, for all its facts."""

    service: str | None = None
    client: str | None = None
    priority: str | None = None
    team: str | None = None
    category: str | None = None
    channel: str | None = None
    """Of the first inbound contact."""


@dataclass(frozen=True)
class Pause:
    """When we waited for somebody; until None: still."""

    reason: PauseReason
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Entered:
    """When an incident came to a support level."""

    level: SupportLevel
    at: datetime


@dataclass(frozen=True)
class FirstWord:
    """A person's first contact: which of the facts, when, whether it was written."""

    number: int
    at: datetime
    written: bool


@dataclass(frozen=True)
class Promise:
    """What was promised last about resolving: which calendar counts, what stops it."""

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
    """In this cycle."""
    ever_acknowledged: bool = False
    restored: bool = False
    resolved: bool = False
    """Its last resolution stands."""
    user_reported: bool = False
    contacts: int = 0
    """Inbound ones, with those that were given up before anybody answered."""
    changed_team: bool = False
    holders: Holders | None = None
    """The teams that have had it in this cycle."""
    pauses: tuple[Pause, ...] = ()
    levels: tuple[Entered, ...] = ()
    """Those it came to after N1; reopened, it came to N1 again."""
    promise: Promise | None = None
    first_words: Mapping[str, FirstWord] = field(default_factory=dict)
    """Of each person who reported it."""
    receipts: Mapping[str, str] = field(default_factory=dict)
    """Whose receipt a notification is, by its key."""
    received_at: Mapping[str, datetime] = field(default_factory=dict)
    """When the receipt of each person was sent."""
    facts: tuple[Fact, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    """The last position of each stream that changed anything here."""

    @property
    def in_stock(self) -> bool:
        """Whether it counts as open."""
        return self.status in IN_STOCK

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has to take it on, and nobody has."""
        return self.status in AT_WORK and not self.acknowledged


@dataclass(frozen=True)
class RecordState:
    """A problem or a change after some of its events."""

    record: str
    dims: Dims
    via: str | None = None
    """The problem a change came of."""
    incidents: tuple[str, ...] = ()
    """Those that led to it."""
    facts: tuple[Fact, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)


State = IncidentState | RecordState
Remembered = TypeVar(
    "Remembered", bound=IncidentState | RecordState | Fact | Dims | Pause
)


def altered(state: Remembered, **changes: object) -> Remembered:
    """Return a record with some fields changed.

    `dataclasses.replace` takes 16 µs for so many fields, this 1 µs. Nothing checks the
    names but a test over any history.
    """
    after = object.__new__(type(state))
    after.__dict__.update(state.__dict__)
    after.__dict__.update(changes)
    return after


def last(facts: tuple[Fact, ...], kind: Kind) -> Fact | None:
    """Return the last fact of a kind."""
    return next((fact for fact in reversed(facts) if fact.kind == kind), None)


def added(facts: tuple[Fact, ...], fact: Fact) -> tuple[Fact, ...]:
    """Return `facts` with one more, numbered on in its kind; its own number is lost."""
    before = last(facts, fact.kind)
    return (*facts, altered(fact, number=before.number + 1 if before else 1))


def changed(facts: tuple[Fact, ...], was: Fact, now: Fact) -> tuple[Fact, ...]:
    """Return `facts` with `now` where `was` stood."""
    return tuple(now if fact is was else fact for fact in facts)


def given_to(life: IncidentState, team: str, at: datetime) -> IncidentState:
    """Return an incident that a team has now, and count where it had it before."""
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
    """Return an incident after an event that may move it."""
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
