"""The shifts of a schedule in a period: with overrides, gaps and overlaps."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader
from services.projections.api.commands.on_call_paths import SchedulePath
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.endpoints import Gap
from services.projections.api.on_call.recorded import HistorySight, recorded_part
from services.projections.api.on_call.schedules import schedule_now
from services.projections.api.query_params import (
    DayOrInstant,
    QueryParams,
    instant_of,
    require_order,
    unwanted,
)
from services.projections.generations import AsOf
from services.projections.snapshots import snapshot
from shared.domain.events.on_call import ChangeId
from shared.domain.on_call import Roster, Shift, shifts, uncovered
from shared.domain.on_call.coverage import by_coverage
from shared.domain.policy.clause import Person
from shared.domain.policy.schedules import Role
from shared.on_call_changes import roster_of
from shared.on_call_history import Period
from shared.security.access import Caller

router = APIRouter(tags=["on call"])

PERIOD_MAX = timedelta(days=400)
SHIFTS_MAX = 2_000
"""The maximum number of shifts in one answer."""


class ShiftsQuery(QueryParams):
    """Which period of a schedule, half-open; days are in its zone."""

    from_: Annotated[DayOrInstant, Field(alias="from")]
    to: DayOrInstant
    role: Role = "primary"


class ScheduledShift(Answer):
    """The same people on call for the same reason, half-open."""

    people: list[Person]
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    changes: list[ChangeId]
    """The overrides, swaps and temporary schedules that put them there; none for a
    shift that is over."""
    overlap: bool
    """Whether several turns or changes put people on call at once."""


class ScheduleGap(Gap):
    """A time in which nobody is on call; it ends where the hours of coverage do."""

    required: bool
    """It is within the hours of `coverage`: somebody should be on call."""


class ScheduleShifts(Answer):
    """The shifts of a schedule that overlap a period, each whole; and its gaps."""

    schedule: str
    timezone: str
    role: Role
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    shifts: list[ScheduledShift]
    gaps: list[ScheduleGap]
    """When nobody is on call."""
    as_of: AsOf


@router.get("/v1/oncall/{schedule}/shifts", responses=refusals(404))
async def get_shifts(
    schedule: SchedulePath,
    query: Annotated[ShiftsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> ScheduleShifts:
    """Show the shifts of a schedule in a period of at most 400 days.

    Those that are over are as they were recorded: everybody's for those who see the
    history, otherwise the caller's own.
    """
    return await desk.blocking(_shifts, desk, schedule, query, caller)


def _shifts(
    desk: Desk, schedule: str, query: ShiftsQuery, caller: Caller
) -> ScheduleShifts:
    now = desk.clock()
    with snapshot(desk.log) as cursor:
        policy, upto = schedule_now(desk, cursor, schedule, query.min_position)
        zone = ZoneInfo(policy.schedules[schedule].timezone)
        start, end = _period(query, zone)
        sight = HistorySight.of(caller, policy, schedule)
        span = start, min(end, now)
        past = recorded_part(cursor, schedule, query.role, span, sight)
        start = max(start, now)
        roster = roster_of(cursor, schedule, policy, since=start)
    computed = shifts(roster, start, end, query.role) if start < end else ()
    found = list(islice(computed, SHIFTS_MAX + 1))
    if len(found) > SHIFTS_MAX:
        raise unwanted(
            "to",
            f"these are more than {SHIFTS_MAX} shifts: ask for a shorter time",
        )
    return ScheduleShifts(
        schedule=schedule,
        timezone=roster.timezone,
        role=query.role,
        from_=span[0],
        to=end,
        shifts=[
            *map(_recorded, past.shifts),
            *(_view(shift, roster, past.until) for shift in found),
        ],
        gaps=[
            ScheduleGap(from_=gap.begins, to=gap.ends, required=gap.required)
            for gap in by_coverage(roster, (*past.gaps, *uncovered(found, start, end)))
        ],
        as_of=upto,
    )


def _period(query: ShiftsQuery, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = instant_of(query.from_, zone), instant_of(query.to, zone)
    require_order(("from", "to"), start, end)
    if end - start > PERIOD_MAX:
        raise unwanted(
            "to", f"these are more than {PERIOD_MAX.days} days: ask for fewer"
        )
    return start, end


def _recorded(period: Period) -> ScheduledShift:
    assert period.ends is not None  # noqa: S101 # it is over
    return ScheduledShift(
        people=list(period.people),
        from_=period.begins,
        to=period.ends,
        changes=[],
        overlap=False,
    )


def _view(shift: Shift, roster: Roster, after: datetime | None) -> ScheduledShift:
    origins = dict.fromkeys(origin for _, origin in shift.placed)
    named = (change_of(origin[0], origin[1], roster) for origin in origins)
    return ScheduledShift(
        people=list(shift.people),
        from_=max(shift.begins, after or shift.begins),
        to=shift.ends,
        changes=list(dict.fromkeys(each for each in named if each is not None)),
        overlap=len(origins) > 1,
    )


def change_of(kind: str, index: int, roster: Roster) -> str | None:
    """Return the id of the recorded change from which a place on call follows."""
    match kind:
        case "override":
            return roster.overrides[index].id
        case "temporary":
            return roster.temporary[index].id
        case _:
            return None
