"""What to consider about a change that is made all the same. Pure.

A change never waits for a perfect plan: at night somebody has to be on call.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Literal, NamedTuple

from shared.domain.commands.on_call import OnCallWarning
from shared.domain.on_call import Roster, Shift, gaps, shifts
from shared.domain.policy.schedules import Role, group

NOTICE = timedelta(days=15)
REST = timedelta(hours=11)
WARNINGS_MAX = 20
_SENTENCES: Mapping[str, str] = {
    "notice": "{person} hears of it less than 15 days ahead",
    "rest": "{person} has less than 11 hours of rest before or after another shift in "
    "{schedule}",
    "overlap": "{person} is on call in {schedule} at the same time",
    "not_replaced": "{person} stays on call in {schedule}: nobody else takes turns",
    "gap": "nobody is on call in {schedule} then",
}

Code = Literal["notice", "rest", "overlap", "not_replaced", "gap"]
Period = tuple[datetime, datetime]


class Duty(NamedTuple):
    """A person who is put on call by a change, where and when."""

    person: str
    schedule: str
    role: Role
    period: Period


def of_duties(
    duties: Iterable[Duty], rosters: Mapping[str, Roster], at: datetime
) -> list[OnCallWarning]:
    """Return what to consider about the duties that a change gives.

    `rosters` are all schedules with the change.
    """
    found = chain.from_iterable(_of_duty(duty, rosters, at) for duty in duties)
    return list(islice(found, WARNINGS_MAX))


def of_absence(
    person: str,
    period: Period,
    before: Mapping[str, Roster],
    after: Mapping[str, Roster],
    at: datetime,
) -> list[OnCallWarning]:
    """Return what to consider about the absence of a person."""
    found: list[OnCallWarning] = []
    for schedule, roster in _concerned(before, person):
        theirs = next(_shifts_of(roster, person, period), None)
        if theirs is None:
            continue
        if theirs.begins - at < NOTICE:
            found.append(_warning("notice", schedule, person, theirs))
        left = next(_shifts_of(after[schedule], person, period), None)
        if left is not None:
            found.append(_warning("not_replaced", schedule, person, left))
    return found[:WARNINGS_MAX]


def of_withdrawal(
    schedule: str, period: Period, before: Roster, after: Roster
) -> list[OnCallWarning]:
    """Return a warning for each gap that the end of a change opens."""
    found: list[OnCallWarning] = []
    for role in _roles(after):
        held = {*gaps(before, *period, role)}
        found += [
            OnCallWarning(
                code="gap",
                schedule=schedule,
                start=start,
                end=end,
                sentence=_SENTENCES["gap"].format(schedule=schedule),
            )
            for start, end in islice(gaps(after, *period, role), WARNINGS_MAX)
            if (start, end) not in held
        ]
    return found[:WARNINGS_MAX]


def _of_duty(
    duty: Duty, rosters: Mapping[str, Roster], at: datetime
) -> Iterator[OnCallWarning]:
    start, end = duty.period
    if start - at < NOTICE:
        shift = Shift(start, end, ())
        yield _warning("notice", duty.schedule, duty.person, shift)
    for schedule, roster in _concerned(rosters, duty.person):
        is_same = schedule == duty.schedule
        given: set[Code] = set()
        for shift in _shifts_of(roster, duty.person, (start - REST, end + REST)):
            overlaps = shift.begins < end and shift.ends > start
            if overlaps and is_same:
                continue  # it is the shift that the change gives
            code: Code = "overlap" if overlaps else "rest"
            if code not in given:
                given.add(code)
                yield _warning(code, schedule, duty.person, shift)


def _warning(code: Code, schedule: str, person: str, shift: Shift) -> OnCallWarning:
    return OnCallWarning(
        code=code,
        schedule=schedule,
        person=person,
        start=shift.begins,
        end=shift.ends,
        sentence=_SENTENCES[code].format(person=person, schedule=schedule),
    )


def _concerned(
    rosters: Mapping[str, Roster], person: str
) -> Iterator[tuple[str, Roster]]:
    """Yield the schedules in which somebody may be on call."""
    for schedule, roster in rosters.items():
        takes_turns = any(
            person in group(participant)
            for layer in roster.layers
            for participant in layer.rotation.participants
        )
        if (
            takes_turns
            or any(each.add == person for each in roster.overrides)
            or any(
                person in shift.people
                for each in roster.temporary
                for shift in each.shifts
            )
        ):
            yield schedule, roster


def _shifts_of(roster: Roster, person: str, period: Period) -> Iterator[Shift]:
    for role in _roles(roster):
        for shift in shifts(roster, *period, role):
            if person in shift.people:
                yield shift


def _roles(roster: Roster) -> list[Role]:
    first: list[Role] = ["primary"]
    layers = [layer.role for layer in roster.layers]
    return sorted({*first, *layers, *(each.role for each in roster.overrides)})
