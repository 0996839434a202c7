"""Who is on call: now, at an instant, or shift by shift; and the members of teams."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field, model_validator

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import known
from services.projections.api.metrics.endpoints import (
    Instant,
    instant_of,
    require_order,
    unwanted,
)
from services.projections.api.query_params import InstantQuery, Name, refusals
from services.projections.log_queries import policy_at
from services.projections.snapshots import snapshot
from shared.domain.on_call import next_on_call, on_call, shift
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Policy
from shared.domain.policy.teams import Schedule
from shared.http.problem_details import HttpError

router = APIRouter(tags=["on call"])

SHIFTS_MAX = 500
"""The maximum number of shifts of a schedule in one answer."""


class OnCallQuery(InstantQuery):
    """Which schedules, at an instant or in a period."""

    schedule: Name | None = None
    """One of the policy's schedules. Default: all schedules and all teams."""
    since: Instant | None = None
    """With `until`: all shifts that overlap [since, until); days are in its zone."""
    until: Instant | None = None

    @model_validator(mode="after")
    def _is_one_question(self) -> Self:
        if (self.since is None) != (self.until is None):
            raise ValueError("`since` and `until` go together: give both or neither")
        return self


class Shift(Answer):
    """A shift of one person, half-open."""

    person: Person
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class Duty(Answer):
    """A schedule: who is on call at `at`, and who comes next."""

    schedule: str
    timezone: str
    on_call: Person
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    """When the current shift began."""
    to: AwareDatetime
    next: Person
    """The next person on call who is not the current one."""
    shifts: list[Shift] | None
    """Only with `since` and `until`."""


class TeamView(Answer):
    """A team, with the ids of its members."""

    team: str
    level: str | None
    members: list[Person]
    manager: Person


class OnCall(Answer):
    """Who is on call, under the policy in force at `at`."""

    at: AwareDatetime
    policy: int
    items: list[Duty]
    teams: list[TeamView]
    """Empty if one schedule was requested."""
    as_of: AsOfAnswer


@router.get("/v1/oncall", responses=refusals(404))
async def get_oncall(
    asked: Annotated[OnCallQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> OnCall:
    """Show who is on call, and who is next."""
    return await desk.blocking(_on_call, desk, asked)


def _on_call(desk: Desk, asked: OnCallQuery) -> OnCall:
    at = asked.at or desk.clock()
    with snapshot(desk.log) as cursor:
        upto = known(cursor, asked.at, asked.min_position)
        found = policy_at(desk.log, cursor, upto.position)
    if found is None:
        raise HttpError(
            404,
            "no policy was in force then: an admin runs `permanence config apply`",
            code="no_policy",
        )
    version, policy = found
    schedules = _schedules(policy, asked.schedule)
    return OnCall(
        at=at,
        policy=version,
        items=[
            _duty(name, schedule, at, asked)
            for name, schedule in sorted(schedules.items())
        ],
        teams=[] if asked.schedule else _teams(policy),
        as_of=AsOfAnswer.model_validate(upto),
    )


def _schedules(policy: Policy, only: str | None) -> Mapping[str, Schedule]:
    if only is None:
        return policy.schedules
    if only not in policy.schedules:
        there = ", ".join(sorted(policy.schedules)) or "none"
        raise HttpError(
            404,
            f"the policy has no schedule {only}: there are {there}",
            code="unknown_schedule",
        )
    return {only: policy.schedules[only]}


def _teams(policy: Policy) -> list[TeamView]:
    return [
        TeamView(
            team=name,
            level=team.level,
            members=list(team.members),
            manager=team.manager,
        )
        for name, team in sorted(policy.teams.items())
    ]


def _duty(name: str, schedule: Schedule, at: datetime, asked: OnCallQuery) -> Duty:
    start, end = shift(schedule, at)
    return Duty(
        schedule=name,
        timezone=schedule.timezone,
        on_call=on_call(schedule, at),
        from_=start,
        to=end,
        next=next_on_call(schedule, at),
        shifts=_shifts(schedule, asked),
    )


def _shifts(schedule: Schedule, asked: OnCallQuery) -> list[Shift] | None:
    if asked.since is None or asked.until is None:
        return None
    zone = ZoneInfo(schedule.timezone)
    since, until = instant_of(asked.since, zone), instant_of(asked.until, zone)
    require_order(("since", "until"), since, until)
    found: list[Shift] = []
    at = since
    while at < until:
        start, end = shift(schedule, at)
        found.append(Shift(person=on_call(schedule, at), from_=start, to=end))
        if len(found) > SHIFTS_MAX:
            raise unwanted(
                "until",
                f"these are more than {SHIFTS_MAX} shifts: ask for a shorter time",
            )
        at = end
    return found
