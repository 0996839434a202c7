"""One incident as the queues show it, and where it stands in their order.

Whether the cause of an incident is still there, as its row in the queue says it.

`problem_refs` holds its problems, and after `@` the cycle in which one was resolved:
`PRB-000001 PRB-000002@1`.

Which signals of an incident go up and down, as its row in the queue knows it.

Where a row stands by working time left, whatever the calendar and the instant.

What is left changes every second, so no row can hold it. A row holds how much working
time its calendar had passed since `ORIGIN` when it is due; less what the calendar has
passed by now, that is what is left. So the rows of one calendar are in order at any
instant, by index, and the calendars are merged when a page is read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple, assert_never

from pydantic import Field

from shared.domain.events.incident import (
    IncidentReopened,
    IncidentResolved,
    Origin,
    PersonId,
)
from shared.domain.events.incident_signals import (
    IncidentFlappingEnded,
    IncidentFlappingStarted,
)
from shared.domain.events.incident_ties import (
    IncidentLinked,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
)
from shared.domain.identifiers import IncidentRef, ProblemRef
from shared.domain.incident import AT_WORK, IN_STOCK, Status
from shared.domain.incident.state import cause_left
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import Impact, Priority, Urgency
from shared.domain.policy.targets import PauseReason, SupportLevel
from shared.domain.working_time import ALWAYS, Hours, elapsed, hours_of

Changes = dict[str, object]
LOWEST: SupportLevel = "n1"
"""Where looking for help begins."""

_OWN = Field(exclude=True)
"""What each stream said by itself, from which the fields that are shown are made."""


@dataclass(frozen=True)
class QueueRow:
    """An incident after its event at `position`; field order is column order.

    Instants are those of the decisions (`Event.at`); `updated_at` is when the newest
    event of its own stream entered the log, whose version and position are here too.
    `repeats` counts the signals that changed nothing.
    """

    ref: IncidentRef
    title: str
    status: Status
    priority: Priority
    impact: Impact
    urgency: Urgency
    service: str
    category: str | None
    client: str | None
    team: str
    """Whose work it is: of an assignment and an escalation the later one."""
    assignee: PersonId | None
    reporter: PersonId | None
    origin: Origin
    opened_at: datetime
    reported_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    restored_at: datetime | None
    ended_at: datetime | None
    """When it left the stock: closed, cancelled or merged."""
    pause_reason: PauseReason | None
    cycle: int
    repeats: int
    merged_into: IncidentRef | None
    version: int
    position: int
    user_reported: bool
    """Whether a person reported it, or only monitoring did."""
    level: SupportLevel
    accepted_by: PersonId | None
    """Who took it on at this level."""
    due_at: datetime | None
    """When the first promise that runs is due; none while it stands."""
    due_target: Literal["tto", "ttr"] | None
    breached: bool
    """Whether a promise to own or to resolve was broken in this cycle."""
    flapping: bool
    """A signal of it goes up and down; its recoveries are not believed yet."""
    snoozed_until: datetime | None
    """Until when no news is made of its repeats; it may be past."""
    root_cause: Literal["open", "problem"] | None
    """Resolved on a workaround, its cause is still there: an open problem looks for it,
    or nobody (`open`) and one should be linked."""
    quick_fix: bool
    """It came back a few days after it was resolved on a workaround."""
    own_team: Annotated[str, _OWN]
    own_team_position: Annotated[int, _OWN]
    presumed_problem: ProblemRef | None = None
    """The problem it joined by its service alone: to be confirmed by a person."""
    sla_position: Annotated[int, _OWN] = 0
    sla_cycle: Annotated[int, _OWN] = 0
    tto_due_at: Annotated[datetime | None, _OWN] = None
    ttr_due_at: Annotated[datetime | None, _OWN] = None
    tto_breached: Annotated[bool, _OWN] = False
    ttr_breached: Annotated[bool, _OWN] = False
    help_position: Annotated[int, _OWN] = 0
    help_cycle: Annotated[int, _OWN] = 0
    help_level: Annotated[SupportLevel, _OWN] = LOWEST
    help_team: Annotated[str | None, _OWN] = None
    help_team_position: Annotated[int, _OWN] = 0
    help_accepted_by: Annotated[PersonId | None, _OWN] = None
    problem_refs: Annotated[str, _OWN] = ""
    cause_left: Annotated[bool, _OWN] = False
    flapping_keys: Annotated[str, _OWN] = ""
    tto_hours: Annotated[str | None, _OWN] = None
    ttr_hours: Annotated[str | None, _OWN] = None
    due_hours: Annotated[str | None, _OWN] = None
    """In which hours the promise that is due first is counted: `3:lisbonne`."""
    ttr_left: Annotated[int | None, _OWN] = None
    """Working seconds that the promise to resolve leaves, while it stands."""
    label_words: Annotated[str, _OWN] = ""
    """Of the alert that opened it; it is found by them."""
    contacts: Annotated[str, _OWN] = ""
    """Who was in touch about it."""


def in_stock(row: QueueRow) -> bool:
    """Tell whether the incident counts as open; resolved ones await closure."""
    return row.status in IN_STOCK


BREACHED, AWAITS_CLOSURE = 0, 2
"""The first and the last of the ranks."""


def rank(row: QueueRow) -> int | None:
    """Return the first part of the order; none once it ended.

    What broke a promise stands before what needs work, and that before what only
    awaits its closure.
    """
    if not in_stock(row):
        return None
    if row.status not in AT_WORK:
        return AWAITS_CLOSURE
    return BREACHED if row.breached else 1


def ranks(status: Status) -> frozenset[int]:
    """Return the ranks that incidents of this status can have."""
    if status not in IN_STOCK:
        return frozenset()
    return frozenset({BREACHED, 1} if status in AT_WORK else {AWAITS_CLOSURE})


RANKS = frozenset[int]().union(*map(ranks, IN_STOCK))


Linked = (
    IncidentLinked
    | IncidentUnlinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
)


def linked(row: QueueRow, event: Linked) -> Changes:
    """Return what a link, its end, or what is heard of a problem changes about it."""
    problems = _problems(row)
    match event:
        case IncidentProblemPresumed(problem=problem):
            return {"presumed_problem": problem}
        case IncidentProblemResolved(problem=problem):
            if problem in problems:
                problems[problem] = row.cycle
            return _changes(problems, row.cycle, is_left=row.cause_left)
        case IncidentLinked(relation="problem", target=problem):
            problems.setdefault(problem, None)
        case IncidentUnlinked(relation="problem", target=problem):
            problems.pop(problem, None)
        case IncidentLinked() | IncidentUnlinked():
            return {}
        case _:
            assert_never(event)
    changes = _changes(problems, row.cycle, is_left=row.cause_left)
    answered = row.presumed_problem == problem
    return {**changes, "presumed_problem": None} if answered else changes


def resolved(row: QueueRow, event: IncidentResolved) -> Changes:
    """Return what a resolution changes about it."""
    return _changes(_problems(row), row.cycle, is_left=event.root_cause_open)


def reopened(row: QueueRow, event: IncidentReopened) -> Changes:
    """Return what a reopening changes about it."""
    changes = _changes(_problems(row), event.cycle, is_left=False)
    return {**changes, "quick_fix": row.quick_fix or event.quick_fix}


def _problems(row: QueueRow) -> dict[str, int | None]:
    parts = (each.partition("@") for each in row.problem_refs.split())
    return {ref: int(cycle) if cycle else None for ref, _, cycle in parts}


def _changes(
    problems: Mapping[str, int | None], cycle: int, *, is_left: bool
) -> Changes:
    written = (
        ref if ended is None else f"{ref}@{ended}"
        for ref, ended in sorted(problems.items())
    )
    return {
        "problem_refs": " ".join(written),
        "cause_left": is_left,
        "root_cause": cause_left(problems, cycle, is_left=is_left),
    }


NO_LONGER: Mapping[str, object] = {"flapping": False, "flapping_keys": ""}


def flapped(
    row: QueueRow,
    event: (
        IncidentFlappingStarted
        | IncidentFlappingEnded
        | IncidentReleased
        | IncidentSplit
    ),
) -> Changes:
    """Return what an event changes about it; keys that leave take it along."""
    before = set(row.flapping_keys.split())
    match event:
        case IncidentFlappingStarted(signal_key=key):
            after = before | {key}
        case IncidentFlappingEnded(signal_key=key):
            after = before - {key}
        case IncidentReleased(signal_keys=keys) | IncidentSplit(signal_keys=keys):
            after = before.difference(keys)
    if after == before:
        return {}
    return {"flapping": bool(after), "flapping_keys": " ".join(sorted(after))}


ORIGIN = datetime(2010, 1, 1, tzinfo=UTC)
NEVER = 2**62
"""The working time at which a row is due that nothing is due of: after all others."""
HOURS_HELD_MAX = 256
NO_HOURS = ""
"""The hours of such a row."""


class Place(NamedTuple):
    """By which hours a row stands, and at what working time since `ORIGIN`."""

    hours: str
    worked: int


NOWHERE = Place(NO_HOURS, NEVER)


class Places(NamedTuple):
    """Where the promise of a row stands that is due first, and the one to resolve."""

    first: Place
    to_resolve: Place


NO_PLACES = Places(NOWHERE, NOWHERE)


def versions(counted_in: Iterable[str]) -> set[int]:
    """Return the versions of the policy that these hours are of."""
    return {int(text.partition(":")[0]) for text in counted_in}


def counted_in(row: QueueRow) -> set[str]:
    """Return the hours that the promises of a row are counted in which are due."""
    due = ((row.due_at, row.due_hours), (row.ttr_due_at, row.ttr_hours))
    return {hours for at, hours in due if at is not None and hours is not None}


def places(row: QueueRow, policies: Mapping[int, Policy]) -> Places:
    """Return where a row stands; counted around the clock if a calendar is lost."""
    first = _place(row.due_at, row.due_hours, policies)
    if (row.ttr_due_at, row.ttr_hours) == (row.due_at, row.due_hours):
        return Places(first, first)
    return Places(first, _place(row.ttr_due_at, row.ttr_hours, policies))


def _place(
    due_at: datetime | None, due_hours: str | None, policies: Mapping[int, Policy]
) -> Place:
    if due_at is None or due_hours is None:
        return NOWHERE
    hours = hours_in(due_hours, policies)
    return Place(name_of(hours), passed(hours, due_at))


def hours_in(counted_in: str, policies: Mapping[int, Policy]) -> Hours:
    """Return the hours that `3:lisbonne` names."""
    version, _, name = counted_in.partition(":")
    policy = policies.get(int(version))
    calendar = policy.calendars.get(name) if policy else None
    return hours_of(calendar) if calendar else ALWAYS


def passed(hours: Hours, at: datetime) -> int:
    """Return the working seconds since `ORIGIN`."""
    return elapsed(hours, ORIGIN, at)


@lru_cache(maxsize=HOURS_HELD_MAX)
def name_of(hours: Hours) -> str:
    """Return the same for the same hours, in any version of the policy."""
    held = (hours.zone.key, hours.week, hours.closed, hours.opened)
    return sha256(repr(held).encode()).hexdigest()[:16]
