"""What people changed of schedules between two reports, and by whom. Pure.

The lines have the ids of people, not their names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from shared.domain.on_call.schedule_changes import (
    Change,
    RecordedAbsence,
    RecordedSwap,
    ScheduleChanges,
)
from shared.i18n.on_call_notices import ChangeLine

Week = tuple[datetime, datetime]
_PERSON = "person:"


def schedule_lines(
    schedule: str, changes: ScheduleChanges, week: Week
) -> Iterator[ChangeLine]:
    """Yield what was added to a schedule in [start, end), and what was withdrawn.

    A swap counts from its acceptance on: before, it changes nothing.
    """
    for override in changes.overrides.values():
        line = _line(schedule, override)
        added, removed = override.add or "", override.remove or ""
        line = replace(line, added=added, removed=removed)
        yield from _within(line, override, override.made_at, week)
    for swap in changes.swaps.values():
        for line in _swapped(schedule, swap):
            yield from _within(line, swap, swap.accepted_at, week)
    for temporary in changes.temporary.values():
        line = _line(schedule, temporary)
        yield from _within(line, temporary, temporary.made_at, week)


def absence_lines(
    absences: Iterable[RecordedAbsence], week: Week
) -> Iterator[ChangeLine]:
    """Yield the absences that were added in [start, end), or withdrawn."""
    for absence in absences:
        line = replace(_line("", absence), absent=absence.person)
        yield from _within(line, absence, absence.made_at, week)


def _line(schedule: str, change: Change) -> ChangeLine:
    return ChangeLine(schedule, change.start, change.end, change.by)


def _swapped(schedule: str, swap: RecordedSwap) -> Iterator[ChangeLine]:
    line = _line(schedule, swap)
    yield replace(line, added=swap.other, removed=swap.person)
    if swap.other_start is not None and swap.other_end is not None:
        yield replace(
            line,
            start=swap.other_start,
            end=swap.other_end,
            added=swap.person,
            removed=swap.other,
        )


def _within(
    line: ChangeLine, change: Change, added_at: datetime | None, week: Week
) -> Iterator[ChangeLine]:
    start, end = week
    if added_at is None:
        return
    if start <= added_at < end:
        yield replace(line, by=line.by.removeprefix(_PERSON))
    if change.withdrawn_at is not None and start <= change.withdrawn_at < end:
        by = (change.withdrawn_by or change.by).removeprefix(_PERSON)
        yield replace(line, by=by, is_withdrawn=True)
