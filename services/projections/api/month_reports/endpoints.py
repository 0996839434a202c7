"""Month reports of clients: the list, a report, and what is done with its figures.

The figures of an approval and of an edition are counted here, and sent with the
command: intake, which decides, has no metrics. So nobody sends figures of their own.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.projections.api.answers import body_of, refusals, shown, tabular
from services.projections.api.callers import SomeCommander, SomeReader, sight_of
from services.projections.api.commands.messages import Message
from services.projections.api.commands.month_report_paths import (
    MONTH_REPORT,
    ClientPath,
    MonthPath,
    ReportMessage,
)
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import RETRY_SECONDS
from services.projections.api.month_reports.schemas import (
    ApproveMonthReportBody,
    MonthReports,
    MonthReportView,
    PublishMonthReportBody,
)
from services.projections.api.month_reports.views import (
    About,
    counted,
    listed,
    rows,
    view,
)
from services.projections.api.query_params import TableQuery
from services.projections.read_models import METRICS
from services.projections.snapshots import TooSlow
from shared.domain.commands.month_report import (
    ApproveMonthReport,
    MonthReportAnswer,
    PublishMonthReport,
)
from shared.domain.policy.clause import Name
from shared.http.problem_details import HttpError

router = APIRouter(tags=["month reports"])

_REFUSALS = (400, 404, 409, 412, 413, 415)


class ListQuery(TableQuery):
    """Which reports are listed."""

    months: Annotated[int, Field(ge=1, le=24)] = 6
    """How many of the last months that are over."""
    client: Name | None = None
    """Only those of this client."""


@router.get("/v1/month-reports", response_model=MonthReports, responses=tabular(404))
async def get_month_reports(
    query: Annotated[ListQuery, Query()],
    request: Request,
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List the month reports of clients, and how far each is."""
    sight = sight_of(caller)
    found = await desk.blocking(
        listed, desk, sight, query.months, query.client, query.min_position
    )
    return shown(request, query, found)


@router.get(MONTH_REPORT, response_model=MonthReportView, responses=tabular(404))
async def get_month_report(
    client: ClientPath,
    month: MonthPath,
    query: Annotated[TableQuery, Query()],
    request: Request,
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """Show the month report of a client: figures, comments, editions, differences.

    As rows, it has a line for each number.
    """
    await desk.reached(query.min_position, METRICS)
    about = About(client, month, sight_of(caller))
    try:
        found = await desk.blocking(view, desk, about, query.min_position)
    except TooSlow as error:
        raise _too_slow() from error
    return shown(request, query, found, rows(found))


@router.post(
    f"{MONTH_REPORT}/approve",
    responses=refusals(*_REFUSALS),
    openapi_extra=body_of(ApproveMonthReportBody),
)
async def approve_month_report(
    message: ReportMessage, desk: DeskHere, caller: SomeCommander
) -> MonthReportAnswer:
    """Approve a report as it was read; a manager may who wrote none of its comments."""
    sent = await _with_figures(message, desk, caller)
    return await desk.owner.ask(
        ApproveMonthReport.aggregate, ApproveMonthReport.verb, sent, MonthReportAnswer
    )


@router.post(
    f"{MONTH_REPORT}/publish",
    responses=refusals(*_REFUSALS),
    openapi_extra=body_of(PublishMonthReportBody),
)
async def publish_month_report(
    message: ReportMessage, desk: DeskHere, caller: SomeCommander
) -> MonthReportAnswer:
    """Publish the approved report: it never changes, and contacts are sent a link."""
    sent = await _with_figures(message, desk, caller)
    return await desk.owner.ask(
        PublishMonthReport.aggregate, PublishMonthReport.verb, sent, MonthReportAnswer
    )


async def _with_figures(message: Message, desk: Desk, caller: SomeCommander) -> Message:
    body: dict[str, Any] = message.body
    if "figures" in body:
        raise HttpError(
            422,
            "the desk counts the figures: leave `figures` out of the body",
            code="invalid",
        )
    about = About(body["client"], body["month"], sight_of(caller))
    try:
        figures = await desk.blocking(counted, desk, about)
    except TooSlow as error:
        raise _too_slow() from error
    added = {**body, "figures": figures.model_dump(mode="json")}
    return message.model_copy(update={"body": added})


def _too_slow() -> HttpError:
    return HttpError(
        503,
        "this month holds too much to be counted in time: come again",
        code="too_slow",
        retry_after=RETRY_SECONDS,
    )
