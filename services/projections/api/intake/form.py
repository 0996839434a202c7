"""Reports without signing in: the public form, and its answer.

Intake serves the same form and handles the reports; this API asks it over NATS.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Query, Request, Response

from services.projections.api.answers import body_of, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import RETRY_SECONDS
from services.projections.api.query_params import PreferredLanguage, QueryParams
from services.projections.log_queries import (
    policies,
    policy_in_force,
    rows_of_stream,
)
from services.projections.snapshots import brief_snapshot
from shared.contacts.endpoints import FILE_FIELD, get_page, post_page, posted_report
from shared.contacts.form import Form, FormDesk, ReportAnswer, SentFile
from shared.domain.commands.contact import Report, Reported
from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_stream
from shared.domain.policy.document import Policy
from shared.http.bodies import FILE_SECONDS_MAX
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.messaging.commands import CommandMessage

router = APIRouter(tags=["reports"])


class FormQuery(QueryParams):
    """The language of the form."""

    lang: Language | None = None
    """Default: the first choice of `Accept-Language`."""


@router.get("/v1/reports/form", responses=refusals(404))
async def get_form(
    query: Annotated[FormQuery, Query()], liked: PreferredLanguage, desk: DeskHere
) -> Form:
    """Return the choices of the form; public."""
    return await form_of(desk).offer(query.lang or liked)


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

    async def report(
        given: Report, files: Sequence[SentFile], address: str
    ) -> Reported:
        if files:
            return await _with_files(desk, given, files, address)
        body = given.model_dump(mode="json", exclude_none=True)
        return await desk.owner.ask(
            "contact", "report", CommandMessage[dict[str, Any]](body=body), Reported
        )

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


async def _with_files(
    desk: Desk, report: Report, files: Sequence[SentFile], address: str
) -> Reported:
    """Send a report with files to intake over HTTP, since NATS carries too little."""
    fields = report.model_dump(mode="json", exclude_none=True)
    sent = [(FILE_FIELD, (each.name, each.content)) for each in files]
    try:
        answer = await desk.intake.post(
            "/v1/reports",
            data=fields,
            files=sent,
            headers={"X-Forwarded-For": address},
            timeout=FILE_SECONDS_MAX,
        )
    except httpx.HTTPError as error:
        raise HttpError(
            503,
            "nobody takes reports at the moment: send it again in a minute",
            code="owner_away",
            retry_after=RETRY_SECONDS,
        ) from error
    told = answer.json()
    if not answer.is_success:
        retry = answer.headers.get("retry-after")
        raise HttpError(
            answer.status_code,
            told["detail"],
            code=told.get("code"),
            retry_after=int(retry) if retry else None,
        )
    taken = ReportAnswer.model_validate(told)
    reported = Reported(
        verdict="taken", incident=taken.incident, left_out=tuple(taken.left_out)
    )
    opened = await desk.blocking(_opening, desk, taken.incident)
    if opened is None:
        return reported
    about = {"reported_at": opened.reported_at, "policy": opened.policy}
    return reported.model_copy(update=about)


def _opening(desk: Desk, ref: str) -> IncidentOpened | None:
    with brief_snapshot(desk.log) as cursor:
        first = rows_of_stream(cursor, incident_stream(ref), 0, 1)
    event = desk.log.entry(first[0]).event if first else None
    return event if isinstance(event, IncidentOpened) else None
