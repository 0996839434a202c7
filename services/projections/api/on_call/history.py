"""Who was on call, as it was recorded: for managers and auditors, and for oneself."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.projections.api.answers import Answer, refusals, shown, tabular
from services.projections.api.callers import SomeReader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.recorded import HANDOVERS_MAX, HistorySight
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.query_params import (
    DayOrInstant,
    Moment,
    QueryParams,
    TableQuery,
    instant_of,
    require_order,
    unwanted,
)
from services.projections.generations import AsOf
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.on_call import on_call
from shared.domain.policy.clause import Name as PolicyName
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role
from shared.http.problem_details import HttpError
from shared.on_call_changes import roster_of
from shared.on_call_history import TooMany, people_at, periods
from shared.security.access import Caller

router = APIRouter(tags=["on call"])

ScheduleName = Annotated[PolicyName, Path(description="A schedule: `night`.")]


class HistoryQuery(TableQuery):
    """A period; days are in the zone of the desk."""

    from_: Annotated[DayOrInstant, Field(alias="from")]
    to: DayOrInstant
    """The end, which is not part of it."""


class AtQuery(QueryParams):
    """An instant, past or to come."""

    at: Moment | None = None
    """An instant, or the beginning of a day in UTC. Default: now."""


class RecordedPeriod(Answer):
    """People on call, half-open, as it was recorded when it happened."""

    role: Role
    people: list[Person]
    """Who was on call; none in a gap."""
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime | None
    """Null if nobody has taken over yet."""
    recorded_at: AwareDatetime
    """When the hand-over was recorded: later than `from` if the desk was down."""
    policy: int
    """The version of the policy in force at `from`."""


class OnCallHistory(Answer):
    """Who was on call in a schedule, from the first hand-over that was recorded."""

    schedule: str
    items: list[RecordedPeriod]
    everybody: bool
    """False: only the caller's own periods, and nobody else in them."""
    as_of: AsOf


class OnCallAt(Answer):
    """Who was or will be on call at an instant, and how that is known."""

    schedule: str
    at: AwareDatetime
    basis: Literal["history", "computed"]
    """`history`: recorded when it happened. `computed`: from the policy in force now
    and what people changed, for an instant to come."""
    roles: dict[Role, list[Person]]
    everybody: bool
    """False: of the past, only whether the caller was on call."""
    as_of: AsOf


@router.get(
    "/v1/oncall/{schedule}/history",
    response_model=OnCallHistory,
    responses=tabular(404),
)
async def get_history(
    schedule: ScheduleName,
    query: Annotated[HistoryQuery, Query()],
    request: Request,
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """Show who was on call in a period, hand-over by hand-over."""
    found = await desk.blocking(_history, desk, schedule, query, caller)
    return shown(request, query, found)


@router.get("/v1/oncall/{schedule}/at", responses=refusals(404))
async def get_at(
    schedule: ScheduleName,
    query: Annotated[AtQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> OnCallAt:
    """Show who was or will be on call at an instant."""
    return await desk.blocking(_at, desk, schedule, query, caller)


def _history(
    desk: Desk, schedule: str, query: HistoryQuery, caller: Caller
) -> OnCallHistory:
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, query.min_position)
        zone = ZoneInfo(policy.desk.timezone)
        start, end = instant_of(query.from_, zone), instant_of(query.to, zone)
        require_order(("from", "to"), start, end)
        try:
            found = periods(cursor, schedule, start, end, HANDOVERS_MAX)
        except TooMany as error:
            sentence = f"these are {error}: ask for a shorter time"
            raise unwanted("to", sentence) from error
        if not found:
            _require_schedule(cursor, schedule, policy, desk.clock())
    sight = HistorySight.of(caller, policy, schedule)
    return OnCallHistory(
        schedule=schedule,
        items=[
            RecordedPeriod(
                role=each.role,
                people=list(each.people),
                from_=each.begins,
                to=each.ends,
                recorded_at=each.recorded_at,
                policy=each.policy,
            )
            for each in sight.of_periods(found)
        ],
        everybody=sight.everybody,
        as_of=upto,
    )


def _at(desk: Desk, schedule: str, query: AtQuery, caller: Caller) -> OnCallAt:
    now = desk.clock()
    at = query.at or now
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, query.min_position)
        recorded = people_at(cursor, schedule, at) if at < now else {}
        roles = _computed(cursor, policy, schedule, at) if at >= now else {}
        if not recorded:
            _require_schedule(cursor, schedule, policy, now)
    if at >= now:
        everybody = True
    elif recorded:
        sight = HistorySight.of(caller, policy, schedule)
        everybody = sight.everybody
        seen = sight.of_periods(list(recorded.values()))
        roles = {each.role: list(each.people) for each in seen}
    else:
        raise HttpError(
            404,
            f"nobody recorded who was on call in {schedule} then: ask for a later "
            "instant",
            code="no_history",
        )
    return OnCallAt(
        schedule=schedule,
        at=at,
        basis="computed" if at >= now else "history",
        roles=roles,
        everybody=everybody,
        as_of=upto,
    )


def _require_schedule(
    cursor: Cursors, schedule: str, policy: Policy, now: datetime
) -> None:
    """Raise `HttpError` 404 for a schedule that does not exist and never did."""
    if schedule in policy.schedules or people_at(cursor, schedule, now):
        return
    there = ", ".join(sorted(policy.schedules)) or "none"
    raise HttpError(
        404,
        f"the policy has no schedule {schedule}: there are {there}",
        code="unknown_schedule",
    )


def _computed(
    cursor: Cursors, policy: Policy, schedule: str, at: datetime
) -> dict[Role, list[str]]:
    if schedule not in policy.schedules:
        return {}
    roster = roster_of(cursor, schedule, policy)
    roles = sorted({layer.role for layer in roster.layers})
    return {role: list(on_call(roster, at, role)) for role in roles}
