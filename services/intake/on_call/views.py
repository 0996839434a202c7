"""The answers to commands about who is on call: what changed, and what to consider."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Literal

from services.intake.on_call.rules.warnings import (
    Duty,
    of_absence,
    of_duties,
    of_withdrawal,
)
from shared.domain.commands.on_call import (
    ImportShifts,
    OnCallAnswer,
    OnCallWarning,
    ScheduleCommand,
)
from shared.domain.events.on_call import (
    AbsenceAdded,
    AbsenceEvent,
    AbsenceWithdrawn,
    OnCallEvent,
    OverrideAdded,
    OverrideWithdrawn,
    ScheduleChangeEvent,
    SwapAccepted,
    SwapDeclined,
    SwapRequested,
    SwapWithdrawn,
    TemporaryScheduleAdded,
    TemporaryScheduleWithdrawn,
)
from shared.domain.on_call import Absence, Roster
from shared.domain.on_call.schedule_changes import (
    Change,
    RecordedSwap,
    ScheduleChanges,
)

DUTIES_MAX = 50
"""How many shifts of a temporary schedule are looked at for warnings."""
Outcome = Literal["would_record", "recorded", "already", "repeated"]


def id_of(event: OnCallEvent) -> str:
    """Return the id of the change that an event is about."""
    match event:
        case OverrideAdded() | OverrideWithdrawn():
            return event.override
        case SwapRequested() | SwapAccepted() | SwapDeclined() | SwapWithdrawn():
            return event.swap
        case TemporaryScheduleAdded() | TemporaryScheduleWithdrawn():
            return event.temporary
        case AbsenceAdded() | AbsenceWithdrawn():
            return event.absence


def answered(
    outcome: Outcome,
    change: Change,
    version: int,
    positions: Sequence[int] = (),
    warnings: Sequence[OnCallWarning] = (),
) -> OnCallAnswer:
    """Return the answer about a change as it is after a command."""
    start = change.begins if isinstance(change, RecordedSwap) else change.start
    return OnCallAnswer(
        outcome=outcome,
        change=change.id,
        start=start,
        end=max(start, change.until),
        version=version,
        positions=list(positions),
        warnings=list(warnings),
    )


def with_import(
    answer: OnCallAnswer, command: ScheduleCommand, events: Sequence[OnCallEvent]
) -> OnCallAnswer:
    """Return the answer with all that an import adds and withdraws, and its period."""
    if not isinstance(command, ImportShifts):
        return answer
    added = [each for each in events if isinstance(each, TemporaryScheduleAdded)]
    ended = [each for each in events if isinstance(each, TemporaryScheduleWithdrawn)]
    return answer.model_copy(
        update={
            "end": added[-1].end,
            "added": [each.temporary for each in added],
            "withdrawn": [each.temporary for each in ended],
        }
    )


def of_schedule(
    event: ScheduleChangeEvent,
    before: ScheduleChanges,
    rosters: tuple[Mapping[str, Roster], Mapping[str, Roster]],
    at: datetime,
) -> list[OnCallWarning]:
    """Return what to consider about an event of a schedule.

    `rosters` are all schedules before and after it.
    """
    match event:
        case OverrideWithdrawn() | SwapWithdrawn() | TemporaryScheduleWithdrawn():
            held = before.change(id_of(event))
            if held is None or event.schedule not in rosters[0]:
                return []
            period = max(held.start, at), max(held.until, at)
            old, new = (each[event.schedule] for each in rosters)
            return of_withdrawal(event.schedule, period, old, new)
        case _:
            duties = islice(_duties(event, before), DUTIES_MAX)
            return of_duties(duties, rosters[1], at)


def of_person(
    event: AbsenceEvent, rosters: Mapping[str, Roster], at: datetime
) -> list[OnCallWarning]:
    """Return what to consider about an event of a person's absences."""
    match event:
        case AbsenceAdded(person=person, start=start, end=end):
            away = Absence(person, start, end)
            after = {
                name: replace(roster, absences=(*roster.absences, away))
                for name, roster in rosters.items()
            }
            return of_absence(person, (start, end), rosters, after, at)
        case AbsenceWithdrawn():
            return []


def _duties(event: ScheduleChangeEvent, before: ScheduleChanges) -> Iterator[Duty]:
    match event:
        case OverrideAdded(add=str(person)):
            period = event.start, event.end
            yield Duty(person, event.schedule, event.role, period)
        case SwapRequested():
            yield from _exchange(event, event.schedule)
        case SwapAccepted(swap=id_) if id_ in before.swaps:
            yield from _exchange(before.swaps[id_], event.schedule)
        case TemporaryScheduleAdded():
            for shift in event.shifts:
                period = max(shift.start, event.start), min(shift.end, event.end)
                for person in shift.people:
                    yield Duty(person, event.schedule, "primary", period)
        case _:
            pass


def _exchange(swap: SwapRequested | RecordedSwap, schedule: str) -> Iterable[Duty]:
    yield Duty(swap.other, schedule, swap.role, (swap.start, swap.end))
    if swap.other_start is not None and swap.other_end is not None:
        exchange = swap.other_start, swap.other_end
        yield Duty(swap.person, schedule, swap.role, exchange)


def assumed(
    events: Sequence[ScheduleChangeEvent],
) -> Sequence[ScheduleChangeEvent]:
    """Return events with the consent to a swap, which is judged as if it were given."""
    return [
        *events,
        *(
            SwapAccepted(at=each.at, by=each.by, schedule=each.schedule, swap=each.swap)
            for each in events
            if isinstance(each, SwapRequested)
        ),
    ]
