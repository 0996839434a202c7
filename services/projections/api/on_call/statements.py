"""What standby amounts to in a month: for each person, and for payroll."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, refusals, rows_of
from services.projections.api.callers import SomeReader, person_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.query_params import PersonPath, QueryParams, unwanted
from services.projections.generations import AsOf
from services.projections.snapshots import snapshot
from shared.domain.identifiers import Month
from shared.domain.on_call.statement import (
    Intervention,
    ShortRest,
    Standby,
    Statement,
)
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Policy
from shared.domain.policy.schedules import Role
from shared.http.problem_details import HttpError
from shared.on_call_history import TooMany, month_of, statements
from shared.security.access import Caller

router = APIRouter(tags=["on call"])

HOUR = timedelta(hours=1)
COLUMNS = (
    *("person", "kind", "from", "to", "hours", "schedule", "role", "intervention"),
    *("incident", "standby_hours", "intervention_hours"),
)
"""The columns of the table for payroll; `kind` is `standby`, `intervention`,
`short_rest` or `total`."""


class MonthQuery(QueryParams):
    """A month, in the zone of the desk."""

    month: Month


class StandbyPeriod(Answer):
    """A time on call, half-open."""

    schedule: str
    role: Role
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class InterventionPeriod(Answer):
    """A time of work while on standby, half-open, as the person declared it."""

    intervention: str
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    incident: str | None


class Rest(Answer):
    """A rest between two interventions of under eleven hours: a warning."""

    after: str
    """The intervention that it follows."""
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class OnCallStatement(Answer):
    """Standby and interventions of a person in a month, kept apart.

    Standby is what was recorded as it happened, up to now; an hour counts once, and
    interventions are not standby but work.
    """

    person: Person
    month: str
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    standby_hours: float
    intervention_hours: float
    standby: list[StandbyPeriod]
    interventions: list[InterventionPeriod]
    short_rests: list[Rest]
    as_of: AsOf


@router.get("/v1/people/{person}/on-call-statement", responses=refusals(403, 404))
async def get_statement(
    person: PersonPath,
    query: Annotated[MonthQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> OnCallStatement:
    """Show what somebody's standby amounts to: to themselves, and to payroll."""
    return await desk.blocking(_statement, desk, person, query, caller)


@router.get(
    "/v1/oncall/statement.csv",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **refusals(403, 404),
    },
)
async def get_statements(
    query: Annotated[MonthQuery, Query()],
    request: Request,
    desk: DeskHere,
    caller: SomeReader,
) -> Response:
    """Return everybody's standby and interventions, a line a period, for payroll."""
    rows = await desk.blocking(_rows, desk, query, caller)
    return rows_of(request, "csv", {}, rows)


def _statement(
    desk: Desk, person: str, query: MonthQuery, caller: Caller
) -> OnCallStatement:
    found, as_of = _found(desk, query, caller, person)
    stated = found[0]
    return OnCallStatement(
        person=person,
        month=query.month,
        from_=stated.start,
        to=stated.end,
        standby_hours=round(stated.standby_time / HOUR, 2),
        intervention_hours=round(stated.work_time / HOUR, 2),
        standby=[
            StandbyPeriod(
                schedule=each.schedule, role=each.role, from_=each.start, to=each.end
            )
            for each in stated.standby
        ],
        interventions=[
            InterventionPeriod(
                intervention=each.id,
                from_=each.start,
                to=each.end,
                incident=each.incident,
            )
            for each in stated.interventions
        ],
        short_rests=[
            Rest(after=each.after, from_=each.start, to=each.end)
            for each in stated.short_rests
        ],
        as_of=as_of,
    )


def _rows(desk: Desk, query: MonthQuery, caller: Caller) -> Sequence[Mapping[str, Any]]:
    found, _ = _found(desk, query, caller, None)
    return [row for each in found for row in _rows_of(each)]


def _rows_of(stated: Statement) -> Iterator[Mapping[str, Any]]:
    """Yield a line for each period: overlaps are in it, as they are in the log."""
    for each in stated.standby:
        yield _row(stated.person, "standby", each) | {
            "schedule": each.schedule,
            "role": each.role,
        }
    for worked in stated.interventions:
        yield _row(stated.person, "intervention", worked) | {
            "intervention": worked.id,
            "incident": worked.incident,
        }
    for rest in stated.short_rests:
        yield _row(stated.person, "short_rest", rest) | {"intervention": rest.after}
    yield {
        "person": stated.person,
        "kind": "total",
        "from": _text(stated.start),
        "to": _text(stated.end),
        "standby_hours": round(stated.standby_time / HOUR, 2),
        "intervention_hours": round(stated.work_time / HOUR, 2),
    }


def _row(
    person: str, kind: str, period: Standby | Intervention | ShortRest
) -> dict[str, Any]:
    hours = round((period.end - period.start) / HOUR, 2)
    empty = dict.fromkeys(COLUMNS)
    given = {
        "person": person,
        "kind": kind,
        "from": _text(period.start),
        "to": _text(period.end),
    }
    return empty | given | {"hours": hours}


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _found(
    desk: Desk, query: MonthQuery, caller: Caller, person: str | None
) -> tuple[Sequence[Statement], AsOf]:
    """Return the statements of a month; `HttpError` 403 unless the caller may."""
    with snapshot(desk.log) as cursor:
        policy, as_of = policy_now(desk, cursor, query.min_position)
        _require_right(caller, policy, person)
        month = month_of(date.fromisoformat(f"{query.month}-01"), policy.desk.timezone)
        only = None if person is None else [person]
        try:
            found = statements(desk.log, cursor, month, desk.clock(), only)
        except TooMany as error:
            raise unwanted("month", f"a schedule had {error} in this month") from error
    return found, as_of


def _require_right(caller: Caller, policy: Policy, person: str | None) -> None:
    """Raise `HttpError` 403 unless the caller is the person, or of payroll."""
    own = person_of(caller)
    if own is not None and (own == person or own in policy.desk.payroll):
        return
    is_admin = "admin" in caller.scopes and caller.limits_of("admin") is None
    if is_admin and not policy.desk.payroll:
        return
    raise HttpError(
        403,
        "hours on call are shown to the person, and to those whom `desk.payroll` of "
        "the policy names",
        code="role",
    )
