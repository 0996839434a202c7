"""What an import of shifts adds and withdraws: temporary schedules of one name. Pure.

Of several temporary schedules the later one counts, so shifts that overlap are made
periods of all their people first, and each event gets a time of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from services.intake.on_call.rules.context import (
    Changer,
    period_of,
    require_at_the_desk,
)
from shared.domain.commands.on_call import PEOPLE_MAX, SHIFTS_MAX, ImportShifts
from shared.domain.events.on_call import (
    TemporaryScheduleAdded,
    TemporaryScheduleWithdrawn,
    TemporaryShift,
)
from shared.domain.on_call.schedule_changes import RecordedTemporary, ScheduleChanges
from shared.domain.refusal import Refused

BYTES_MAX = 48_000
"""The maximum size of an event's shifts: the log takes events of 64 KB."""
_SHIFT_BYTES = 96
"""What a shift takes beside its people, at most."""


def import_events(
    command: ImportShifts, changes: ScheduleChanges, number: int, changer: Changer
) -> Sequence[TemporaryScheduleAdded | TemporaryScheduleWithdrawn]:
    """Return what an import adds, then what it withdraws; empty if it is already so."""
    start, end = period_of(command.start, command.end, changer.at)
    for shift in command.shifts:
        if shift.end <= shift.start:
            raise Refused("it ends before it begins: correct it", "invalid", "shifts")
        for person in shift.people:
            require_at_the_desk(person, changer, "shifts")
    wanted = tuple(_apart(command, start, end))
    if not wanted:
        raise Refused(
            "none of the shifts is in the period: correct one of them",
            "invalid",
            "shifts",
        )
    before = imported(changes, command.name, changer.at)
    if list(_remaining(before, changer.at)) == list(wanted):
        return ()
    at, by, schedule = changer.at, changer.by, command.schedule
    added = [
        TemporaryScheduleAdded(
            at=at,
            by=by,
            schedule=schedule,
            temporary=f"{schedule}.{number + index}",
            start=part[0].start,
            end=part[-1].end,
            shifts=part,
            imported_as=command.name,
        )
        for index, part in enumerate(_parts(wanted))
    ]
    withdrawn = [
        TemporaryScheduleWithdrawn(at=at, by=by, schedule=schedule, temporary=each.id)
        for each in before
    ]
    return [*added, *withdrawn]


def imported(
    changes: ScheduleChanges, name: str, at: datetime
) -> list[RecordedTemporary]:
    """Return what imports of a name gave a schedule and is not over."""
    return [
        each
        for each in changes.temporary.values()
        if each.imported_as == name and each.withdrawn_at is None and each.until > at
    ]


def _remaining(
    held: Iterable[RecordedTemporary], at: datetime
) -> Iterator[TemporaryShift]:
    """Yield the shifts of earlier imports that are not over, from now on."""
    shifts = (shift for each in held for shift in each.shifts if shift.end > at)
    for shift in sorted(shifts, key=lambda each: each.start):
        yield TemporaryShift(
            people=shift.people, start=max(shift.start, at), end=shift.end
        )


def _apart(
    command: ImportShifts, start: datetime, end: datetime
) -> Iterator[TemporaryShift]:
    """Yield periods without overlap, in order, each with all who are on call in it."""
    shifts = sorted(
        (each for each in command.shifts if each.start < end and each.end > start),
        key=lambda each: each.start,
    )
    bounds = {max(each.start, start) for each in shifts}
    bounds |= {min(each.end, end) for each in shifts}
    last: TemporaryShift | None = None
    current: list[int] = []
    upcoming = 0
    for begins, ends in pairwise(sorted(bounds)):
        while upcoming < len(shifts) and shifts[upcoming].start <= begins:
            current.append(upcoming)
            upcoming += 1
        current = [index for index in current if shifts[index].end > begins]
        people = sorted({each for index in current for each in shifts[index].people})
        if len(people) > PEOPLE_MAX:
            raise Refused(
                f"more than {PEOPLE_MAX} people would be on call at once: leave some "
                "out",
                "invalid",
                "shifts",
            )
        if last is not None and last.end == begins and list(last.people) == people:
            last = last.model_copy(update={"end": ends})
            continue
        if last is not None:
            yield last
        last = None
        if people:
            last = TemporaryShift(people=tuple(people), start=begins, end=ends)
    if last is not None:
        yield last


def _parts(shifts: Sequence[TemporaryShift]) -> Iterator[tuple[TemporaryShift, ...]]:
    """Yield the shifts in parts that one event can hold."""
    part: list[TemporaryShift] = []
    size = 0
    for shift in shifts:
        needs = _SHIFT_BYTES + sum(len(person) + 3 for person in shift.people)
        if part and (len(part) >= SHIFTS_MAX or size + needs > BYTES_MAX):
            yield tuple(part)
            part, size = [], 0
        part.append(shift)
        size += needs
    yield tuple(part)
