"""Reports: what anybody may tell the desk without being signed in, and the answer.

The answer is the same whether the directory knows an address or not: what is promised
to whom stands in the letter that goes there.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from services.projections.api.answers import Answer
from services.projections.api.asked import Asked, refusals
from services.projections.api.bodies import read_object
from services.projections.api.commands import body_of
from services.projections.api.contacts import read_wish
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.form_limits import address_of
from services.projections.api.languages import Liked
from services.projections.api.limits import COMMAND_BYTES_MAX, RETRY_SECONDS
from services.projections.policy_in_force import policy_in_force
from services.projections.snapshots import snapshot
from shared.command import CommandMessage
from shared.event_log import EventLog
from shared.http.bodies import BODY_SECONDS_MAX
from shared.incident.noticed import Noticed
from shared.policy.document import Policy
from shared.policy.services import UNKNOWN
from shared.problem import Problem
from shared.references import IncidentRef
from shared.report import Report
from shared.sla import promised
from shared.wording.instants import instant_text
from shared.wording.reader import Language, language_of

router = APIRouter(tags=["reports"])


class FormAsked(Asked):
    """In which language the form is to be."""

    lang: Language | None = None
    """Left out: the one that `Accept-Language` puts first."""


class ServiceOffered(Answer):
    """A service that somebody may report about."""

    service: str
    text: str


_BY_FORM = Noticed("user", "web")


class Form(Answer):
    """What the form asks and offers."""

    language: Language
    services: list[ServiceOffered]


class PublicPromise(Answer):
    """What the desk promises everybody for a service."""

    target: str
    seconds: int
    due_at: AwareDatetime
    due_text: str


class ReportAnswer(Answer):
    """The reference, and what the desk promises for that service."""

    incident: IncidentRef
    promises: list[PublicPromise]


async def _open(desk: DeskHere) -> Desk:
    if not desk.has_form:
        raise Problem(404, "this desk takes no reports by a form", code="no_form")
    return desk


FormDesk = Annotated[Desk, Depends(_open)]


@router.get("/v1/reports/form", responses=refusals(404))
async def get_form(
    asked: Annotated[FormAsked, Query()], liked: Liked, desk: FormDesk
) -> Form:
    """Tell what the form offers; open to anybody."""
    language = asked.lang or liked
    policy = await desk.blocking(_policy, desk.log)
    offered = [
        ServiceOffered(service=name, text=service.called(language) or name)
        for name, service in policy.services.items()
        if name != UNKNOWN
    ]
    return Form(language=language, services=offered)


@router.post(
    "/v1/reports",
    status_code=201,
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(Report),
)
async def take_report(request: Request, liked: Liked, desk: FormDesk) -> ReportAnswer:
    """Take a report of anybody: a contact of the channel `web`."""
    async with desk.keyless.body(request, COMMAND_BYTES_MAX, seconds=BODY_SECONDS_MAX):
        report = read_wish(Report, await read_object(request), "report")
    desk.form_limits.admit(address_of(request))
    reported = await desk.owner.report(
        CommandMessage[dict[str, object]](
            body=report.model_dump(mode="json", exclude_none=True)
        )
    )
    if reported.incident is None:
        raise Problem(
            429,
            "too many reports came from this address within the hour: a person reads "
            "this one before it is taken; in a hurry, call the desk",
            code="too_many_reports",
            retry_after=600,
        )
    language = language_of(report.language, liked)
    promises = await desk.blocking(_promises, desk, report.service, language)
    return ReportAnswer(incident=reported.incident, promises=promises)


def _policy(log: EventLog) -> Policy:
    with snapshot(log) as cursor:
        found = policy_in_force(log, cursor)
    if found is None:
        raise Problem(
            503,
            "this desk has no policy yet: apply one",
            code="no_policy",
            retry_after=RETRY_SECONDS,
        )
    return found


def _promises(
    desk: Desk, service: str | None, language: Language
) -> list[PublicPromise]:
    policy, now = _policy(desk.log), desk.clock()
    name = service if service and service in policy.services else UNKNOWN
    criticality = policy.service(name).criticality
    try:
        priority = policy.priority(criticality, "medium")
        pledges = promised(policy, name, None, priority, now, _BY_FORM)
    except ValueError:  # a calendar that never opens promises nothing
        return []
    zone = policy.desk.timezone
    return [
        PublicPromise(
            target=target,
            seconds=pledges[target].seconds,
            due_at=pledges[target].due_at,
            due_text=instant_text(pledges[target].due_at, zone, language),
        )
        for target in ("tto", "ttr")
        if target in pledges
    ]
