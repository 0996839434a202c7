"""Reads the results of page tests: one's own, and those of people whom one manages."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from services.projections.api.answers import refusals
from services.projections.api.callers import SomeReader, person_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.on_call.endpoints import require_schedule
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.page_tests.schemas import PageTests, PageTestView
from services.projections.api.query_params import QueryParams
from services.projections.snapshots import snapshot
from shared.domain.on_call import first_shifts
from shared.domain.page_test import PageTest
from shared.domain.policy.clause import Name, Person
from shared.domain.policy.document import Policy
from shared.http.problem_details import HttpError
from shared.on_call_changes import roster_of
from shared.page_tests import page_tests_of
from shared.security.access import Caller
from shared.security.sender import REVIEWERS
from shared.security.team_rights import manages, teams_of, teams_using

router = APIRouter(tags=["on call"])

TESTS_MAX = 50
"""The maximum number of tests in one answer."""
_MOMENT = timedelta(microseconds=1)


class PageTestsQuery(QueryParams):
    """Whose tests: of a person, or of those who are on call in a schedule now."""

    person: Person | None = None
    schedule: Name | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.person is None) == (self.schedule is None):
            raise PydanticCustomError(
                "page_test", "name either a `person` or a `schedule`"
            )
        return self


@router.get("/v1/oncall/page-tests", responses=refusals(403, 404))
async def get_page_tests(
    query: Annotated[PageTestsQuery, Query()], desk: DeskHere, caller: SomeReader
) -> PageTests:
    """Show the tests of a person's pages, or of all who are on call in a schedule.

    Each with its messages and its answer: to the person themself, to managers of their
    team, and to auditors.
    """
    return await desk.blocking(_tests, desk, query, caller)


def _tests(desk: Desk, query: PageTestsQuery, caller: Caller) -> PageTests:
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, query.min_position)
        if query.schedule is None:
            people = [query.person or ""]
        else:
            require_schedule(policy, query.schedule)
            now = desk.clock()
            roster = roster_of(
                cursor, query.schedule, policy, since=now, upto=upto.position
            )
            people = [*first_shifts(roster, now, now + _MOMENT)]
        seen = [each for each in people if _sees(caller, policy, each, query.schedule)]
        if people and not seen:
            raise HttpError(
                403,
                "tests of pages are shown to their person, to managers of their team "
                "and to auditors",
                code="role",
            )
        found = page_tests_of(desk.log, cursor, seen, upto.position)
    views = [PageTestView.of(each) for each in _newest(found)]
    return PageTests(items=views, as_of=upto)


def _sees(caller: Caller, policy: Policy, person: str, schedule: str | None) -> bool:
    me = person_of(caller)
    if me == person:
        return True
    rights = {scope: caller.limits_of(scope) for scope in caller.scopes}
    teams = teams_of(policy, person)
    if schedule is not None:
        teams |= teams_using(policy, schedule)
    return manages(policy, me or "", rights, teams, REVIEWERS)


def _newest(found: Mapping[str, Mapping[str, PageTest]]) -> Sequence[PageTest]:
    tests = [test for held in found.values() for test in held.values()]
    newest = sorted(tests, key=attrgetter("requested_at", "id"), reverse=True)
    return newest[:TESTS_MAX]
