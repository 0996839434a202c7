"""The shifts of a roster: who is on call at an instant, in a period, and next; gaps.

A shift is the longest time in which the same people are on call for the same reason:
each hand-over ends a shift, also if the same person goes on.
"""

from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from operator import attrgetter

from shared.domain.on_call.assignments import (
    Assignment,
    Span,
    assignments,
    assignments_at,
    highest,
)
from shared.domain.on_call.changes import Placed, overridden, present
from shared.domain.on_call.roster import Roster
from shared.domain.policy.schedules import Role, group

DAY = timedelta(days=1)
CHUNK = 31 * DAY
"""What is computed at first, so that the first shifts of a long period come soon."""
AHEAD = 400 * DAY
"""How far ahead the next person on call is looked for."""
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shift:
    """People on call in [begins, ends), in UTC."""

    begins: datetime
    ends: datetime
    placed: tuple[Placed, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Who is on call: those of the turn first, then those who were added."""
        return tuple(person for person, _ in self.placed)


def on_call(roster: Roster, at: datetime, role: Role = "primary") -> tuple[str, ...]:
    """Return the people who are on call at an aware instant; none in a gap."""
    found = assignments_at(roster, role, at)
    return tuple(person for person, _ in _placed(roster, role, found, at))


def shifts(
    roster: Roster, start: datetime, end: datetime, role: Role = "primary"
) -> Iterator[Shift]:
    """Yield the shifts that overlap [start, end), each from its beginning to its end.

    Shifts without anybody on call are left out.
    """
    since, chunk = start, CHUNK
    while since < end:
        until = min(since + chunk, end)
        for shift in _in_chunk(roster, role, since, until):
            if since == start or shift.begins >= since:
                yield shift
        since, chunk = until, 4 * CHUNK


def first_shifts(roster: Roster, start: datetime, end: datetime) -> Mapping[str, Shift]:
    """Return the first shift of everybody on call in [start, end), in any role."""
    roles = {layer.role for layer in roster.layers}
    roles |= {override.role for override in roster.overrides}
    found: dict[str, Shift] = {}
    for role in sorted(roles):
        for shift in shifts(roster, start, end, role):
            for person in shift.people:
                if person not in found or shift.begins < found[person].begins:
                    found[person] = shift
    return dict(sorted(found.items()))


def next_on_call(
    roster: Roster, at: datetime, role: Role = "primary"
) -> tuple[str, ...]:
    """Return the next people who are on call and are not at `at`.

    Without any in the next 400 days: the next participants of the turn at `at`,
    or those on call themselves if they are alone.
    """
    now = on_call(roster, at, role)
    taken = highest(assignments_at(roster, role, at))
    if _takes_turns_only(roster, role):
        # A turn in an hour that does not exist has no length: it is not the next.
        taken = assignments_at(roster, role, taken[0].ends)
    elif others := _first_others(roster, role, at, now):
        return others
    for assignment in taken:
        for participant in (assignment.people, *assignment.substitutes):
            if others := _others(group(participant), now):
                return others
    return now


def previous_on_call(
    roster: Roster, at: datetime, role: Role = "primary"
) -> tuple[str, ...]:
    """Return the last people who were on call before `at` and are not at `at`.

    Without any in the past 400 days: those on call themselves, or nobody in a gap.
    """
    now = on_call(roster, at, role)
    until, reach = at, DAY
    while until > at - AHEAD:
        for shift in reversed([*shifts(roster, until - reach, until, role)]):
            if shift.begins <= at and (others := _others(shift.people, now)):
                return others
        until, reach = until - reach, 4 * reach
    return now


def first_on_call(
    roster: Roster, at: datetime, role: Role = "primary"
) -> datetime | None:
    """Return the first instant, from `at` on, at which somebody is on call.

    None if nobody is within the next 400 days.
    """
    found = next(shifts(roster, at, at + AHEAD, role), None)
    return None if found is None else max(at, found.begins)


def _first_others(
    roster: Roster, role: Role, at: datetime, now: Container[str]
) -> tuple[str, ...]:
    """Return the people of the next shift that somebody else has, none if too far."""
    if all(person in now for person in _everybody(roster, role)):
        return ()
    since, reach = at, DAY
    while since < at + AHEAD:
        for shift in shifts(roster, since, since + reach, role):
            others = _others(shift.people, now)
            if others and shift.begins > at:
                return others
        since, reach = since + reach, 4 * reach
    return ()


def _others(people: Iterable[str], now: Container[str]) -> tuple[str, ...]:
    return tuple(person for person in people if person not in now)


def _takes_turns_only(roster: Roster, role: Role) -> bool:
    """Return whether the next in turn is the next on call: nothing else can be.

    That is the usual schedule, and pages ask for the next person often.
    """
    if roster.overrides or roster.absences or roster.temporary:
        return False
    of_role = [layer for layer in roster.layers if layer.role == role]
    return len(of_role) == 1 and not (
        of_role[0].hours
        or of_role[0].rotation.by_day
        or of_role[0].rotation.shift_duration_hours
        or of_role[0].rotation.rotation_start
        or of_role[0].rotation.until
    )


def _everybody(roster: Roster, role: Role) -> set[str]:
    """Return everybody who may be on call at some time."""
    turns = (
        person
        for layer in roster.layers
        if layer.role == role
        for participant in layer.rotation.participants
        for person in group(participant)
    )
    dated = (shift.people for each in roster.temporary for shift in each.shifts)
    added = (each.add for each in roster.overrides if each.add is not None)
    return {*turns, *chain.from_iterable(dated), *added}


def _in_chunk(
    roster: Roster, role: Role, start: datetime, end: datetime
) -> list[Shift]:
    """Return the shifts that overlap [start, end).

    A shift lies inside each period that it follows from. So what lies around these
    periods cannot change it. What lies inside can: the first and the last shift are
    known once they begin and end inside of what was looked at.
    """
    reach, first, last = DAY, _EARLIEST, _LATEST
    while True:
        since = min(start, max(first, start - reach))
        until = max(end, min(last, end + reach))
        found = [
            shift
            for shift in _joined(_pieces(roster, role, since, until))
            if shift.placed and shift.begins < end and shift.ends > start
        ]
        begins, ends = (found[0].begins, found[-1].ends) if found else (start, end)
        if (begins > since or since <= first) and (ends < until or until >= last):
            return found
        if first == _EARLIEST:
            around = assignments(roster, role, start, end)
            periods = [*_periods(roster, around, start, end), (start, end)]
            first = min(begins for begins, _ in periods)
            last = max(ends for _, ends in periods)
        reach *= 8


def _periods(
    roster: Roster, found: Sequence[Assignment], start: datetime, end: datetime
) -> list[Span]:
    """Return every period from which something in [start, end) follows."""
    periods = [(each.begins, each.ends) for each in found]
    periods += [(each.start, each.end) for each in roster.overrides]
    periods += [(each.start, each.end) for each in roster.absences]
    return [
        (begins, ends)
        for begins, ends in periods
        if begins < end and ends > start and begins < ends
    ]


def _pieces(
    roster: Roster, role: Role, start: datetime, end: datetime
) -> Iterator[Shift]:
    """Yield the pieces between all instants at which something may change."""
    found = assignments(roster, role, start, end)
    periods = _periods(roster, found, start, end)
    cuts = sorted({start, end, *(at for period in periods for at in period)})
    waiting = sorted(found, key=_begins, reverse=True)
    active: list[Assignment] = []
    for since, until in pairwise(cuts):
        active = [each for each in active if each.ends > since]
        while waiting and waiting[-1].begins <= since:
            active.append(waiting.pop())
        yield Shift(since, until, _placed(roster, role, active, since))


def _begins(assignment: Assignment) -> datetime:
    return assignment.begins


def _placed(
    roster: Roster, role: Role, found: Sequence[Assignment], at: datetime
) -> tuple[Placed, ...]:
    """Return who is on call at `at`, given the assignments of that instant."""
    ordered = sorted(highest(found), key=lambda each: each.origin)
    absent = frozenset(
        each.person for each in roster.absences if each.start <= at < each.end
    )
    overrides = [
        (index, each)
        for index, each in enumerate(roster.overrides)
        if each.role == role and each.start <= at < each.end
    ]
    return overridden(_people(ordered, absent), overrides)


def _people(found: Sequence[Assignment], absent: frozenset[str]) -> Iterator[Placed]:
    for assignment in found:
        for person in present(assignment, absent):
            yield person, assignment.origin


def _joined(pieces: Iterator[Shift]) -> Iterator[Shift]:
    """Join neighbours with the same people for the same reasons."""
    held: Shift | None = None
    for piece in pieces:
        if held and held.placed == piece.placed:
            held = Shift(held.begins, piece.ends, held.placed)
        else:
            if held:
                yield held
            held = piece
    if held:
        yield held


def gaps(
    roster: Roster, start: datetime, end: datetime, role: Role = "primary"
) -> Iterator[Span]:
    """Yield the parts of [start, end) in which nobody is on call, in order."""
    return uncovered(shifts(roster, start, end, role), start, end)


def uncovered(found: Iterable[Shift], start: datetime, end: datetime) -> Iterator[Span]:
    """Yield the parts of [start, end) outside all shifts, which are in their order."""
    covered = start
    for shift in found:
        if shift.begins > covered:
            yield covered, shift.begins
        covered = max(covered, shift.ends)
    if covered < end:
        yield covered, end


def overlaps(
    roster: Roster, start: datetime, end: datetime, role: Role = "primary"
) -> Iterator[Shift]:
    """Yield the shifts in [start, end) that several turns or overrides are at once."""
    for shift in shifts(roster, start, end, role):
        if len({origin for _, origin in shift.placed}) > 1:
            yield shift


@dataclass(frozen=True, slots=True)
class Difference:
    """Other people are on call in [begins, ends) than before; none in a gap."""

    role: Role
    begins: datetime
    ends: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]


def differences(
    before: Roster, after: Roster, start: datetime, end: datetime, role: Role
) -> Iterator[Difference]:
    """Yield the parts of [start, end) in which other people are on call, in order."""
    old = list(shifts(before, start, end, role))
    new = list(shifts(after, start, end, role))
    inside = {
        at
        for shift in (*old, *new)
        for at in (shift.begins, shift.ends)
        if start < at < end
    }
    held: Difference | None = None
    for begins, ends in pairwise(sorted({start, end, *inside})):
        found = Difference(
            role, begins, ends, _people_at(old, begins), _people_at(new, begins)
        )
        if held and (held.before, held.after) == (found.before, found.after):
            held = Difference(role, held.begins, ends, held.before, held.after)
            continue
        if held and {*held.before} != {*held.after}:
            yield held
        held = found
    if held and {*held.before} != {*held.after}:
        yield held


def _people_at(found: Sequence[Shift], at: datetime) -> tuple[str, ...]:
    place = bisect_right(found, at, key=attrgetter("begins")) - 1
    return found[place].people if place >= 0 and at < found[place].ends else ()
