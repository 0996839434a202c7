"""Where a row stands by working time left, whatever the calendar and the instant.

What is left changes every second, so no row can hold it. A row holds how much working
time its calendar had passed since `ORIGIN` when it is due; less what the calendar has
passed by now, that is what is left. So the rows of one calendar are in order at any
instant, by index, and the calendars are merged when a page is read.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from services.projections.queue.row import QueueRow
from shared.domain.policy.document import Policy
from shared.domain.working_time import ALWAYS, Hours, elapsed, hours_of

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
