"""Whether somebody is on call in the next days, and whether a page reaches them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.query_params import QueryParams
from services.projections.generations import AsOf
from services.projections.snapshots import snapshot
from shared.contact_methods.readiness import Readiness, readiness_of
from shared.domain.events.notification import Channel
from shared.domain.on_call import Roster, Shift, first_shifts
from shared.domain.on_call.coverage import GAP_ALARM_BEFORE, unexpected_gaps
from shared.domain.page_test import PageTest, last_reached
from shared.domain.policy.clause import Person
from shared.on_call_changes import rosters_of
from shared.page_tests import page_tests_of

router = APIRouter(tags=["on call"])

DAYS_DEFAULT = 14
DAYS_MAX = 60
GAPS_MAX = 100
"""The maximum number of gaps of a schedule in one answer: the first ones."""


class ReadinessQuery(QueryParams):
    """How many days from now on."""

    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = DAYS_DEFAULT


class OnCallPerson(Answer):
    """A person who is on call, with their first shift of the period."""

    person: Person
    readiness: Readiness
    last_test_reached_at: AwareDatetime | None
    """When a test of their pages last reached them; null: none did so far."""
    last_test_over: list[Channel]
    """The channels over which it did, as far as is known."""
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime


class CoverageGap(Answer):
    """A time without anybody on call, half-open."""

    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    alarm: bool
    """It begins within 72 hours: the manager of the team was told, or will be."""


class ScheduleReadiness(Answer):
    """Whether everybody who is on call in a schedule can be paged."""

    schedule: str
    ready: bool
    """Everybody has a verified contact method; also if nobody is on call."""
    people: list[OnCallPerson]
    """In the order of their first shifts, in any role."""
    gaps: list[CoverageGap]
    """When nobody is on call in the hours of coverage: the first 100."""


class OnCallReadiness(Answer):
    """Who is on call in [from, to), and whether a page reaches them."""

    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    items: list[ScheduleReadiness]
    as_of: AsOf


@router.get("/v1/oncall/readiness", responses=refusals(404))
async def get_oncall_readiness(
    query: Annotated[ReadinessQuery, Query()],
    desk: DeskHere,
    _: SomeReader,  # as `/v1/oncall`, which lists who is unverified now
) -> OnCallReadiness:
    """Show who is on call in the next days without a verified method, and gaps."""
    return await desk.blocking(_readiness, desk, query, desk.clock())


def _readiness(desk: Desk, query: ReadinessQuery, now: datetime) -> OnCallReadiness:
    until = now + timedelta(days=query.days)
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, query.min_position)
        rosters = rosters_of(cursor, policy, upto=upto.position)
        found = {
            name: first_shifts(roster, now, until)
            for name, roster in sorted(rosters.items())
        }
        people = {person for held in found.values() for person in held}
        readiness = readiness_of(desk.log.vault, cursor, sorted(people))
        tests = page_tests_of(desk.log, cursor, people, upto.position)
        tested = {person: last_reached(held) for person, held in tests.items()}
    items = [
        ScheduleReadiness(
            schedule=name,
            ready=all(readiness[person] == "ready" for person in held),
            people=_people(held, readiness, tested),
            gaps=_gaps(rosters[name], now, until),
        )
        for name, held in found.items()
    ]
    return OnCallReadiness(from_=now, to=until, items=items, as_of=upto)


def _people(
    held: Mapping[str, Shift],
    readiness: Mapping[str, Readiness],
    tested: Mapping[str, PageTest | None],
) -> list[OnCallPerson]:
    return [
        OnCallPerson(
            person=person,
            readiness=readiness[person],
            last_test_reached_at=_reached_at(tested[person]),
            last_test_over=_reached_over(tested[person]),
            from_=shift.begins,
            to=shift.ends,
        )
        for person, shift in sorted(
            held.items(), key=lambda each: (each[1].begins, each[0])
        )
    ]


def _gaps(roster: Roster, now: datetime, until: datetime) -> list[CoverageGap]:
    return [
        CoverageGap(from_=begins, to=ends, alarm=begins < now + GAP_ALARM_BEFORE)
        for begins, ends in islice(unexpected_gaps(roster, now, until), GAPS_MAX)
    ]


def _reached_at(test: PageTest | None) -> datetime | None:
    return None if test is None else test.reached_at


def _reached_over(test: PageTest | None) -> list[Channel]:
    return [] if test is None else [*test.reached_over]
