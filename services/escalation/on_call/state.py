"""What the log says of a schedule: who is on call, and which gaps are to come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, assert_never

from shared.domain.events.on_call_history import (
    OnCallGapClosed,
    OnCallGapFound,
    OnCallHandedOver,
    OnCallHistoryEvent,
)
from shared.domain.on_call import Roster
from shared.domain.policy.schedules import Role

People = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterVersion:
    """What determines who is on call from an instant on, until the next version."""

    since: datetime
    policy: int
    roster: Roster | None
    """None if the policy does not have the schedule."""


class KnownGap(NamedTuple):
    """A gap that was found, was not closed, and had not ended."""

    role: Role
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Observed:
    """What was recorded of a schedule: every hand-over up to and including `upto`."""

    schedule: str
    upto: datetime
    version: int = 0
    """The version of its stream."""
    people: Mapping[Role, People] = field(default_factory=dict)
    """Who is on call at `upto`, for each role that ever had anybody."""
    gaps: frozenset[KnownGap] = frozenset()


def evolve(observed: Observed, event: OnCallHistoryEvent) -> Observed:
    """Return what is observed after an event of its stream.

    A gap that ended before is not needed any more.
    """
    after = replace(
        observed,
        version=observed.version + 1,
        gaps=frozenset(gap for gap in observed.gaps if gap.end > event.at),
    )
    match event:
        case OnCallHandedOver():
            return replace(
                after,
                upto=event.at_instant,
                people={**observed.people, event.role: event.incoming},
            )
        case OnCallGapFound():
            found = KnownGap(event.role, event.start, event.end)
            kept = {gap for gap in after.gaps if not _meet(gap, found)}
            return replace(after, gaps=frozenset({*kept, found}))
        case OnCallGapClosed():
            closed = KnownGap(event.role, event.start, event.end)
            return replace(after, gaps=after.gaps - {closed})
        case _:
            assert_never(event)


def replay(observed: Observed, events: Iterable[OnCallHistoryEvent]) -> Observed:
    """Return what is observed after several events."""
    for event in events:
        observed = evolve(observed, event)
    return observed


def _meet(one: KnownGap, other: KnownGap) -> bool:
    return one.role == other.role and one.start < other.end and other.start < one.end
