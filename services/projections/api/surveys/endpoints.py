"""Surveys, their results in any period, and what was published."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.projections.api.answers import refusals, shown, tabular
from services.projections.api.callers import Reader
from services.projections.api.commands.survey_paths import SurveyPath
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import QueryParams, TableQuery
from services.projections.api.surveys.schemas import SurveyPeriod, Surveys
from services.projections.api.surveys.views import results, surveys
from shared.domain.policy.local_times import Day

router = APIRouter(tags=["surveys"])


class ResultsQuery(TableQuery):
    """A period of whole days in the time zone of the desk."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    """The first day. Default: the first of this month."""
    to: Day | None = None
    """The day after the last. Default: the first of the month after `from`."""


@router.get("/v1/surveys", responses=refusals(404))
async def get_surveys(
    query: Annotated[QueryParams, Query()], desk: DeskHere, caller: Reader
) -> Surveys:
    """List the surveys of the policy in force, with what was published."""
    return await desk.blocking(surveys, desk, caller.actor, query.min_position)


@router.get(
    "/v1/surveys/{survey}/results",
    response_model=SurveyPeriod,
    responses=tabular(404),
)
async def get_results(
    survey: SurveyPath,
    query: Annotated[ResultsQuery, Query()],
    request: Request,
    desk: DeskHere,
    caller: Reader,
) -> BaseModel | Response:
    """Show what users answered in a period, computed from the log.

    Where fewer people answered than the survey asks for, there is n and no figure. Of
    users' surveys, only whole months that are over and published periods have figures.
    Comments with a name, and figures of fewer than five answers, are shown to the owner
    of the survey alone: `withheld` says what is left out.
    """
    days = (query.from_, query.to)
    asked = (desk, caller.actor, survey, days, query.min_position)
    found = await desk.blocking(results, *asked)
    return shown(request, query, found, _rows(found))


def _rows(found: SurveyPeriod) -> Iterator[Mapping[str, object]]:
    """Yield a line for the whole and one for each group."""
    names = {"invited", "n", "satisfied", "share"}
    about = {"from": found.from_.isoformat(), "to": found.to.isoformat()}
    whole = found.figures.model_dump(include=names)
    yield {**about, "by": None, "name": None, **whole}
    for group in found.figures.groups:
        yield {**about, **group.model_dump()}
