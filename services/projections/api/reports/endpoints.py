"""Reports without signing in: the public form, and its answer.

Intake serves the same form and handles the reports; this API asks it over NATS.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.projections.api.commands.endpoints import body_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.languages import Liked
from services.projections.api.limits import RETRY_SECONDS
from services.projections.api.query_params import QueryParams, refusals
from services.projections.log_queries import policies, policy_in_force
from services.projections.snapshots import brief_snapshot
from shared.contacts.endpoints import get_page, post_page, posted_report
from shared.contacts.form import Form, FormDesk, ReportAnswer
from shared.domain.commands.contact import Report, Reported
from shared.domain.policy.document import Policy
from shared.http.problem_details import HttpError
from shared.i18n.formats import Language
from shared.messaging.commands import CommandMessage

router = APIRouter(tags=["reports"])


class FormQuery(QueryParams):
    """The language of the form."""

    lang: Language | None = None
    """Default: the first choice of `Accept-Language`."""


@router.get("/v1/reports/form", responses=refusals(404))
async def get_form(
    asked: Annotated[FormQuery, Query()], liked: Liked, desk: DeskHere
) -> Form:
    """Return the choices of the form; public."""
    return await form_of(desk).offer(asked.lang or liked)


@router.post(
    "/v1/reports",
    status_code=201,
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(Report),
)
async def take_report(request: Request, desk: DeskHere) -> ReportAnswer:
    """Take a public report: a contact on the channel `web`."""
    return await posted_report(form_of(desk), request)


@router.get("/report", include_in_schema=False)
async def get_report(request: Request, desk: DeskHere) -> Response:
    """Show the form."""
    return await get_page(form_of(desk), request)


@router.post("/report", include_in_schema=False)
async def post_report(request: Request, desk: DeskHere) -> Response:
    """Take a submitted form."""
    return await post_page(form_of(desk), request)


def form_of(desk: Desk) -> FormDesk:
    """Return the form with the settings of this desk."""

    def policy() -> Policy:
        with brief_snapshot(desk.log) as cursor:
            found = policy_in_force(desk.log, cursor)
        if found is None:
            raise HttpError(
                503,
                "this desk has no policy yet: apply one",
                code="no_policy",
                retry_after=RETRY_SECONDS,
            )
        return found

    def version(number: int) -> Policy:
        with brief_snapshot(desk.log) as cursor:
            return policies(cursor, [number])[number]

    async def report(given: Report) -> Reported:
        body = given.model_dump(mode="json", exclude_none=True)
        return await desk.owner.report(CommandMessage[dict[str, object]](body=body))

    return FormDesk(
        policy,
        version,
        report,
        desk.blocking,
        desk.form_limits,
        desk.keyless,
        desk.trusted_proxies,
        desk.has_form,
    )
