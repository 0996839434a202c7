"""Endpoints for who else has an incident open now, and who writes in a form.

Nothing of it is stored, and it is over seconds after the
last report. Only those who may act at the desk see it, of incidents that they may see.
"""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import SomeCommander, person_of, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import RETRY_SECONDS
from services.projections.api.log.credentials import credential_id
from services.projections.api.position import no_incident, require_seen
from services.projections.api.query_params import Nothing, Ref
from services.projections.log_queries import rows_of_stream
from services.projections.presence.state import PageId, TooManyPages, Visit
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.domain.identifiers import IncidentRef, incident_stream
from shared.http.bodies import read_object, validated
from shared.http.problem_details import HttpError

router = APIRouter(tags=["incidents"])
NUMBER_MAX = 2**53
"""The greatest number that browsers count to."""


class VisitBody(BaseModel):
    """An incident that the caller has open in a page, reported every 15 seconds."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    page: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,32}$")]
    """An id that the page has made up for itself."""
    form: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")] | None = None
    """The command whose form somebody writes in now, such as `note`."""
    number: Annotated[int, Field(ge=0, le=NUMBER_MAX)] | None = None
    """Counts the reports of the page, so that one that arrives late changes nothing."""
    is_over: bool = False
    """Whether the page was closed or hidden. Without this, the visit expires."""


class PresentPerson(Answer):
    """Somebody who has the incident open, and the form that they write in."""

    person: str
    form: str | None


class PresenceView(Answer):
    """The other people who have an incident open now, by id."""

    incident: IncidentRef
    items: list[PresentPerson] = Field(max_length=20)

    @classmethod
    def of(cls, desk: Desk, incident: str, person: str | None) -> Self:
        """Return who is present besides `person`."""
        found = desk.presence.presence.others(incident, person)
        items = [PresentPerson(**each._asdict()) for each in found]
        return cls(incident=incident, items=items)


@router.get("/v1/incidents/{ref}/presence", responses=refusals(404))
async def get_presence(
    ref: Ref,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeCommander,
) -> PresenceView:
    """Show who else has an incident open now; 404 if the operator does not want it."""
    await desk.blocking(_require, desk, ref, sight_of(caller))
    return PresenceView.of(desk, ref, person_of(caller))


@router.post(
    "/v1/incidents/{ref}/presence",
    responses=refusals(400, 404, 413, 415),
    openapi_extra=body_of(VisitBody),
)
async def report_presence(
    request: Request,
    ref: Ref,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    caller: SomeCommander,
) -> PresenceView:
    """Report that the caller has an incident open; the answer says who else has.

    Nothing is recorded. A visit that is not reported again within 35 seconds is over.
    """
    await desk.blocking(_require, desk, ref, sight_of(caller))
    body = validated(VisitBody, await read_object(request), "visit")
    person = person_of(caller)
    if person is None:
        raise HttpError(403, "only people are present: sign in as one", code="person")
    page = PageId(credential_id(caller), body.page)
    if not desk.presence_limits.has_room(page.session):
        raise _too_many("this session reports too often: report every 15 seconds")
    visit = Visit(ref, page, person, body.form, body.number)
    if body.is_over:
        await desk.presence.end(visit)
    else:
        try:
            await desk.presence.report(visit)
        except TooManyPages as error:
            raise _too_many("too many pages are open: close some") from error
    return PresenceView.of(desk, ref, person)


def _too_many(sentence: str) -> HttpError:
    return HttpError(429, sentence, code="overloaded", retry_after=RETRY_SECONDS)


def _require(desk: Desk, ref: str, sight: Sight) -> None:
    """Raise `HttpError` 404 for an incident out of sight, or if it is switched off."""
    with snapshot(desk.log) as cursor:
        require_seen(desk.log, cursor, sight, ref)
        if not rows_of_stream(cursor, incident_stream(ref), 0, 1):
            raise no_incident(ref)
    if not desk.presence.is_on:
        raise HttpError(
            404, "this desk does not show who is present", code="presence_off"
        )
