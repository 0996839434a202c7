"""The place of a row in the order of a queue: its rank, and its due working time.

The remaining working time changes every second, so a row cannot store it. A row stores
the working time of its calendar from `ORIGIN` to the due date; the remaining time is
that minus the calendar's working time until now. So an index keeps the rows of one
calendar in order at any instant, and a page merges the calendars.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from services.projections.queue.row import QueueRow, in_stock
from shared.domain.incident import AT_WORK, IN_STOCK, Status
from shared.domain.policy.document import Policy
from shared.domain.working_time import ALWAYS, Hours, elapsed, hours_of

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


class Places(NamedTuple):
    """The places of the promise that is due first, and of the one to resolve."""

    first: Place
    to_resolve: Place


NOWHERE = Place(NO_HOURS, NEVER)
NO_PLACES = Places(NOWHERE, NOWHERE)


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


def counted_in(row: QueueRow) -> set[str]:
    """Return the working hours of the due promises of a row, like `3:lisbonne`."""
    due = ((row.due_at, row.due_hours), (row.ttr_due_at, row.ttr_hours))
    return {hours for at, hours in due if at is not None and hours is not None}


def versions(counted_in: Iterable[str]) -> set[int]:
    """Return the policy versions of these working hours."""
    return {int(text.partition(":")[0]) for text in counted_in}


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
