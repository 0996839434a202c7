"""One incident as the queues show it, and its place in their order.

`problem_refs` contains its problems, with `@` and the cycle if one was resolved:
`PRB-000001 PRB-000002@1`.

The remaining working time changes every second, so a row cannot store it. A row stores
the working time of its calendar from `ORIGIN` to the due date; the remaining time is
that minus the calendar's working time until now. So an index keeps the rows of one
calendar in order at any instant, and a page merges the calendars.
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
"""The level at which an escalation starts."""

_OWN = Field(exclude=True)
"""Marks what single streams reported; the visible fields are derived from these."""


@dataclass(frozen=True)
class QueueRow:
    """An incident after its event at `position`; fields are in the order of columns.

    Instants are those of decisions (`Event.at`). `updated_at`, `version` and `position`
    are those of the newest event of its own stream, `updated_at` being when it was
    recorded. `repeats` counts the signals that changed nothing.
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
    """The team that works on it, by the latest assignment or escalation."""
    assignee: PersonId | None
    reporter: PersonId | None
    origin: Origin
    opened_at: datetime
    reported_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    restored_at: datetime | None
    ended_at: datetime | None
    """When it was closed, cancelled or merged."""
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
    """Who accepted it at this support level."""
    due_at: datetime | None
    """When the earliest running promise is due; null while it is paused."""
    due_target: Literal["tto", "ttr"] | None
    breached: bool
    """Whether a promise to own or to resolve was broken in this cycle."""
    flapping: bool
    """Whether one of its signals is flapping; its recoveries are ignored for now."""
    snoozed_until: datetime | None
    """Until when repeats do not notify anybody; it may be in the past."""
    root_cause: Literal["open", "problem"] | None
    """Set if a workaround resolved it and its cause still exists: `problem` if an open
    problem investigates it, `open` if none does and one should be linked."""
    quick_fix: bool
    """Whether it came back a few days after it was resolved by a workaround."""
    own_team: Annotated[str, _OWN]
    own_team_position: Annotated[int, _OWN]
    presumed_problem: ProblemRef | None = None
    """The problem to which it was matched only by its service; to be confirmed."""
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
    """Policy version and calendar of the promise that is due first: `3:lisbonne`."""
    ttr_left: Annotated[int | None, _OWN] = None
    """Working seconds left of the promise to resolve, while it is paused."""
    label_words: Annotated[str, _OWN] = ""
    """Words of the labels of the alert that opened it, for searches."""
    contacts: Annotated[str, _OWN] = ""
    """Who contacted the desk about it."""


def in_stock(row: QueueRow) -> bool:
    """Return whether the incident counts as open; resolved ones await closure."""
    return row.status in IN_STOCK


BREACHED, AWAITS_CLOSURE = 0, 2
"""The first and the last rank."""


def rank(row: QueueRow) -> int | None:
    """Return the first part of the sort key; None once it ended.

    Incidents with a broken promise come first, then those that need work, then those
    that only await closure.
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
    """Return what a link, an unlink or an event of a problem changes about it."""
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
    """Return what an event changes about it; removed keys are no longer flapping."""
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
"""The due working time of a row without a due date: it comes after all others."""
HOURS_HELD_MAX = 256
NO_HOURS = ""
"""The working hours of such a row."""


class Place(NamedTuple):
    """The working hours of a row, and its due working time since `ORIGIN`."""

    hours: str
    worked: int


NOWHERE = Place(NO_HOURS, NEVER)


class Places(NamedTuple):
    """The places of the promise that is due first, and of the one to resolve."""

    first: Place
    to_resolve: Place


NO_PLACES = Places(NOWHERE, NOWHERE)


def versions(counted_in: Iterable[str]) -> set[int]:
    """Return the policy versions of these working hours."""
    return {int(text.partition(":")[0]) for text in counted_in}


def counted_in(row: QueueRow) -> set[str]:
    """Return the working hours of the due promises of a row."""
    due = ((row.due_at, row.due_hours), (row.ttr_due_at, row.ttr_hours))
    return {hours for at, hours in due if at is not None and hours is not None}


def places(row: QueueRow, policies: Mapping[int, Policy]) -> Places:
    """Return the places of a row; around the clock if a calendar is missing."""
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
    """Return the working hours named like `3:lisbonne`."""
    version, _, name = counted_in.partition(":")
    policy = policies.get(int(version))
    calendar = policy.calendars.get(name) if policy else None
    return hours_of(calendar) if calendar else ALWAYS


def passed(hours: Hours, at: datetime) -> int:
    """Return the working seconds since `ORIGIN`."""
    return elapsed(hours, ORIGIN, at)


@lru_cache(maxsize=HOURS_HELD_MAX)
def name_of(hours: Hours) -> str:
    """Return a name that is equal for equal hours in any version of the policy."""
    held = (hours.zone.key, hours.week, hours.closed, hours.opened)
    return sha256(repr(held).encode()).hexdigest()[:16]
