"""What a person's standby amounts to in a period: hours on call, hours worked. Pure.

French law keeps the two apart (Code du travail, L3121-9 to L3121-12): standby is not
working time, an intervention is, and the employer documents both for each employee
every month. After an intervention a person rests for eleven hours (L3131-1).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from shared.domain.on_call.assignments import Span
from shared.domain.policy.schedules import Role

REST = timedelta(hours=11)
"""The rest that follows an intervention."""


@dataclass(frozen=True, slots=True)
class Standby:
    """A time in which a person was on call."""

    schedule: str
    role: Role
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Intervention:
    """A time in which a person worked while on standby, as they declared it."""

    id: str
    start: datetime
    end: datetime
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class ShortRest:
    """A rest between two interventions that was shorter than `REST`."""

    after: str
    """The id of the intervention that it follows."""
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """Standby and interventions of one person in [start, end)."""

    person: str
    start: datetime
    end: datetime
    standby: tuple[Standby, ...]
    interventions: tuple[Intervention, ...]
    standby_time: timedelta
    """On call in any schedule, without the interventions: an hour counts once."""
    work_time: timedelta
    """In interventions; an hour counts once."""
    short_rests: tuple[ShortRest, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to state."""
        return not self.standby and not self.interventions


def statement(
    person: str,
    period: Span,
    standby: Iterable[Standby],
    interventions: Iterable[Intervention],
) -> Statement:
    """Return a person's statement; what overlaps the period counts inside of it.

    A rest is looked at if the intervention before it overlaps the period, or the one
    after it does.
    """
    start, end = period
    on_call = tuple(
        sorted(
            (
                Standby(each.schedule, each.role, *_clipped(each, period))
                for each in standby
                if each.start < end and each.end > start
            ),
            key=lambda each: (each.start, each.schedule, each.role),
        )
    )
    declared = sorted(interventions, key=lambda each: (each.start, each.end))
    worked = tuple(
        Intervention(each.id, *_clipped(each, period), each.incident)
        for each in declared
        if each.start < end and each.end > start
    )
    work = _union((each.start, each.end) for each in worked)
    all_of_it = _union([(each.start, each.end) for each in on_call] + list(work))
    return Statement(
        person=person,
        start=start,
        end=end,
        standby=on_call,
        interventions=worked,
        standby_time=_length(all_of_it) - _length(work),
        work_time=_length(work),
        short_rests=tuple(_short_rests(declared, period)),
    )


def _short_rests(declared: Iterable[Intervention], period: Span) -> Iterator[ShortRest]:
    start, end = period
    for before, after in pairwise(declared):
        is_short = timedelta() < after.start - before.end < REST
        if is_short and before.end < end and after.start >= start:
            yield ShortRest(before.id, before.end, after.start)


def _clipped(each: Standby | Intervention, period: Span) -> Span:
    return max(each.start, period[0]), min(each.end, period[1])


def _union(spans: Iterable[Span]) -> Sequence[Span]:
    """Return the spans without overlaps, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((end - start for start, end in spans), timedelta())
