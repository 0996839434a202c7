"""Who is on call: now, at an instant, or shift by shift; and the members of teams."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Self, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field, model_validator

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.recorded import (
    HistorySight,
    RecordedPart,
    recorded_part,
)
from services.projections.api.position import known
from services.projections.api.query_params import (
    DayOrInstant,
    InstantQuery,
    Name,
    instant_of,
    require_order,
    unwanted,
)
from services.projections.generations import AsOf
from services.projections.log_queries import policy_at
from services.projections.snapshots import snapshot
from shared.contact_methods.readiness import readiness_of
from shared.database.cursors import Cursors
from shared.domain.on_call import (
    Roster,
    first_on_call,
    next_on_call,
    on_call,
    shifts,
    uncovered,
)
from shared.domain.on_call import Shift as Turn
from shared.domain.on_call.coverage import is_required
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role
from shared.http.problem_details import HttpError
from shared.on_call_changes import rosters_of
from shared.security.access import Caller

router = APIRouter(tags=["on call"])

SHIFTS_MAX = 500
"""The maximum number of shifts of a schedule in one answer."""
_MOMENT = timedelta(microseconds=1)


class OnCallQuery(InstantQuery):
    """Which schedules, at an instant or in a period."""

    schedule: Name | None = None
    """One of the policy's schedules. Default: all schedules and all teams."""
    since: DayOrInstant | None = None
    """With `until`: all shifts that overlap [since, until); days are in its zone."""
    until: DayOrInstant | None = None

    @model_validator(mode="after")
    def _is_one_question(self) -> Self:
        if (self.since is None) != (self.until is None):
            raise ValueError("`since` and `until` go together: give both or neither")
        return self


class Shift(Answer):
    """A shift, half-open: the same people on call, until somebody takes over."""

    person: Person
    """The first of `people`."""
    people: list[Person]
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class Gap(Answer):
    """A time in which nobody is on call, half-open."""

    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class RoleDuty(Answer):
    """Who is on call as `role`, until when, and who comes next."""

    role: Role
    people: list[Person]
    """None in a gap."""
    to: AwareDatetime | None
    """When the current shift ends; null in a gap."""
    next_people: list[Person]
    """The next people on call as this who are not on call now."""
    next_from: AwareDatetime | None
    """In a gap, when somebody is on call again; otherwise null."""
    required: bool
    """`at` is within the hours of `coverage`: somebody should be on call."""


class Duty(Answer):
    """A schedule: who is on call at `at`, and who comes next."""

    schedule: str
    timezone: str
    on_call: Person | None
    """The first of `people`; null in a gap."""
    people: list[Person]
    """Everybody who is on call; none in a gap."""
    from_: Annotated[AwareDatetime | None, Field(serialization_alias="from")]
    """When the current shift began; null in a gap."""
    to: AwareDatetime | None
    next: Person | None
    """The next person on call who is not on call now: the first of `next_people`."""
    next_people: list[Person]
    unverified: list[Person]
    """Of all these people, those without a verified contact method: a page may not
    reach them."""
    roles: dict[Role, list[Person]]
    """Who is on call as what, for each role of the schedule's layers."""
    by_role: list[RoleDuty]
    """The same with the end of the shift and who is next, `primary` first."""
    shifts: list[Shift] | None
    """Only with `since` and `until`."""
    gaps: list[Gap] | None
    """When nobody is on call between `since` and `until`; only with these."""


_Held = tuple[list[Shift], list[Gap]]
"""The shifts and gaps of a period."""


class TeamView(Answer):
    """A team, with the ids of its members."""

    team: str
    level: str | None
    members: list[Person]
    manager: Person
    schedule: str | None
    """The schedule that its pages go to; null if they go to all members."""


class OnCall(Answer):
    """Who is on call at `at`, by the policy in force and by what people changed."""

    at: AwareDatetime
    policy: int
    items: list[Duty]
    teams: list[TeamView]
    """Empty if one schedule was requested."""
    as_of: AsOf


@router.get("/v1/oncall", responses=refusals(404))
async def get_oncall(
    query: Annotated[OnCallQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> OnCall:
    """Show who is on call, and who is next.

    Of an instant that is past, the schedules whose history the caller sees.
    """
    return await desk.blocking(_on_call, desk, query, caller)


def _on_call(desk: Desk, query: OnCallQuery, caller: Caller) -> OnCall:
    now = desk.clock()
    at = query.at or now
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        found = policy_at(desk.log, cursor, upto.position)
        rosters = rosters_of(cursor, found[1], upto=upto.position) if found else {}
    if found is None:
        raise HttpError(
            404,
            "no policy was in force then: an admin runs `permanence config apply`",
            code="no_policy",
        )
    version, policy = found
    require_schedule(policy, query.schedule)
    asked = [name for name in sorted(rosters) if query.schedule in {None, name}]
    sights = {name: HistorySight.of(caller, policy, name) for name in asked}
    with snapshot(desk.log) as cursor:
        duties = [
            _duty(
                name,
                rosters[name],
                at,
                _period(cursor, name, rosters[name], query, sight, now),
            )
            for name, sight in sights.items()
            if at >= now or sight.everybody
        ]
    return OnCall(
        at=at,
        policy=version,
        items=_with_readiness(desk, duties),
        teams=[] if query.schedule else _teams(policy),
        as_of=upto,
    )


def require_schedule(policy: Policy, name: str | None) -> None:
    """Raise `HttpError` 404 if the policy has no schedule of this name."""
    if name is not None and name not in policy.schedules:
        there = ", ".join(sorted(policy.schedules)) or "none"
        raise HttpError(
            404,
            f"the policy has no schedule {name}: there are {there}",
            code="unknown_schedule",
        )


def _teams(policy: Policy) -> list[TeamView]:
    return [
        TeamView(
            team=name,
            level=team.level,
            members=list(team.members),
            manager=team.manager,
            schedule=team.schedule,
        )
        for name, team in sorted(policy.teams.items())
    ]


def _with_readiness(desk: Desk, items: Sequence[Duty]) -> list[Duty]:
    """Return the schedules with those people who have no verified contact method."""
    people = {each for duty in items for each in (*duty.people, *duty.next_people)}
    with snapshot(desk.log) as cursor:
        found = readiness_of(desk.log.vault, cursor, sorted(people))
    return [
        duty.model_copy(
            update={
                "unverified": [
                    each
                    for each in dict.fromkeys((*duty.people, *duty.next_people))
                    if found[each] != "ready"
                ]
            }
        )
        for duty in items
    ]


def _duty(name: str, roster: Roster, at: datetime, held: _Held | None) -> Duty:
    now = next(shifts(roster, at, at + _MOMENT), None)
    people, following = on_call(roster, at), next_on_call(roster, at)
    return Duty(
        schedule=name,
        timezone=roster.timezone,
        on_call=next(iter(people), None),
        people=list(people),
        from_=now.begins if now else None,
        to=now.ends if now else None,
        next=next(iter(following), None),
        next_people=list(following),
        unverified=[],
        roles={role: list(on_call(roster, at, role)) for role in roles_of(roster)},
        by_role=_by_role(roster, at),
        shifts=held[0] if held else None,
        gaps=held[1] if held else None,
    )


def _by_role(roster: Roster, at: datetime) -> list[RoleDuty]:
    held = roles_of(roster)
    return [
        RoleDuty(
            role=role,
            people=list(on_call(roster, at, role)),
            to=next((s.ends for s in shifts(roster, at, at + _MOMENT, role)), None),
            next_people=list(next_on_call(roster, at, role)),
            next_from=_next_from(roster, at, role),
            required=is_required(roster, at),
        )
        for role in get_args(Role)
        if role in held
    ]


def _next_from(roster: Roster, at: datetime, role: Role) -> datetime | None:
    return None if on_call(roster, at, role) else first_on_call(roster, at, role)


def roles_of(roster: Roster) -> list[Role]:
    """Return the roles of the layers and overrides of a roster."""
    layers = (layer.role for layer in roster.layers)
    return sorted({*layers, *(each.role for each in roster.overrides)})


def _period(
    cursor: Cursors,
    name: str,
    roster: Roster,
    query: OnCallQuery,
    sight: HistorySight,
    now: datetime,
) -> _Held | None:
    """Return the shifts and gaps between `since` and `until`, None without them.

    They are computed from `at` or now on, and before that as they were recorded.
    """
    if query.since is None or query.until is None:
        return None
    zone = ZoneInfo(roster.timezone)
    since, until = instant_of(query.since, zone), instant_of(query.until, zone)
    require_order(("since", "until"), since, until)
    split = min(now, query.at or now)
    past = recorded_part(cursor, name, "primary", (since, min(until, split)), sight)
    since = max(since, split)
    computed = shifts(roster, since, until) if since < until else ()
    found = list(islice(computed, SHIFTS_MAX + 1))
    if len(found) > SHIFTS_MAX:
        raise unwanted(
            "until",
            f"these are more than {SHIFTS_MAX} shifts: ask for a shorter time",
        )
    gaps = (*past.gaps, *uncovered(found, since, until))
    return _shown_shifts(past, found, split), [
        Gap(from_=begins, to=ends) for begins, ends in gaps
    ]


def _shown_shifts(
    past: RecordedPart, found: Sequence[Turn], split: datetime
) -> list[Shift]:
    """Return the shifts that were over at `split`, then those that are computed."""
    over = [(each.people, each.begins, each.ends or split) for each in past.shifts]
    coming = [
        (each.people, max(each.begins, past.until or each.begins), each.ends)
        for each in found
    ]
    return [
        Shift(person=people[0], people=list(people), from_=begins, to=ends)
        for people, begins, ends in (*over, *coming)
    ]
