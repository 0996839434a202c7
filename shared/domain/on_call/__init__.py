"""Who is on call: turns on the wall clock of a zone, and what people changed of them.

Every function is pure. A `Roster` is a schedule of the policy with its overrides,
absences and temporary schedules.
"""

from shared.domain.on_call.assignments import is_within
from shared.domain.on_call.local_times import first_instant, last_instant
from shared.domain.on_call.roster import (
    Absence,
    DatedShift,
    Override,
    Roster,
    TemporarySchedule,
)
from shared.domain.on_call.shifts import (
    Shift,
    first_on_call,
    first_shifts,
    gaps,
    next_on_call,
    on_call,
    overlaps,
    previous_on_call,
    shifts,
    uncovered,
)

__all__ = [
    "Absence",
    "DatedShift",
    "Override",
    "Roster",
    "Shift",
    "TemporarySchedule",
    "first_instant",
    "first_on_call",
    "first_shifts",
    "gaps",
    "is_within",
    "last_instant",
    "next_on_call",
    "on_call",
    "overlaps",
    "previous_on_call",
    "shifts",
    "uncovered",
]
