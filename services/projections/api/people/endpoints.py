"""Looks people up in the directory, with their and their client's open incidents."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Commander, Reader, person_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.queues import behind_unless
from services.projections.api.limits import PAGE_MAX, WAIT_SECONDS_MAX
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.api.query_params import QueryParams, refusals
from services.projections.log_queries import desk_zone
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.row import QueueRow
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from shared.directory import entry, search
from shared.domain.policy.clause import Person
from shared.http.problem_details import HttpError
from shared.messaging.commands import Scope
from shared.security.access import Caller

router = APIRouter(tags=["people"])

OPEN_MAX = 50
"""The maximum number of incidents shown for a person, and for their client."""
_Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=2, max_length=254, pattern=r"^[^\x00-\x1f]+$"
    ),
]
PersonPath = Annotated[Person, Path(description="An id of the directory: `costa`.")]


class PeopleQuery(TableQuery):
    """Whom to look up; all given criteria must match."""

    q: _Words | None = None
    """Part of a name or an id."""
    email: _Words | None = None
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+ ().-]{4,40}$")] | None = (
        None
    )
    """As the telephone shows it, with or without the country code."""

    id: Annotated[tuple[Person, ...], Field(max_length=PAGE_MAX)] = ()
    """Ids in the directory; repeat it for several values."""

    @model_validator(mode="after")
    def _is_about_somebody(self) -> Self:
        if self.q is None and self.email is None and self.phone is None and not self.id:
            raise PydanticCustomError(
                "nobody", "say whom to look up: `q`, `email`, `phone` or `id`"
            )
        return self


class Me(Answer):
    """The owner of the token, with their language and time zone."""

    actor: str
    """The owner's id as events contain it: `person:nadia`."""
    scopes: list[Scope]
    name: str | None
    """Null if the directory does not contain them."""
    language: str | None
    """Their language; null: the desk's first language."""
    zone: str
    """Their time zone, otherwise the desk's."""


class PersonView(Answer):
    """A person as the directory has them."""

    id: str
    name: str
    email: str | None
    phone: str | None
    language: str | None
    """Their language; null: the desk's first language."""
    zone: str | None
    client: str | None
    confirmed: bool
    """Whether somebody confirmed the identity; false for an unverified sender."""


class People(Answer):
    """The people found, confirmed ones first."""

    items: list[PersonView]


class PersonAndOpen(Answer):
    """A person with their open incidents and those of their client."""

    person: PersonView | None
    """Null if the person is only mentioned in incidents."""
    reported: list[QueueRow]
    """Open incidents that they reported first, by urgency."""
    of_client: list[QueueRow]
    """Other open incidents of the same client."""
    as_of: AsOfAnswer


@router.get("/v1/me", responses=refusals())
async def get_me(
    asked: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: Reader,
) -> Me:
    """Show the owner of the token, its scopes, and the owner's time zone."""
    return await desk.blocking(_me, desk, caller)


@router.get("/v1/people", response_model=People, responses=tabular())
async def get_people(
    request: Request,
    asked: Annotated[PeopleQuery, Query()],
    desk: DeskHere,
    caller: Commander,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """Look people up by part of a name, an address or a telephone number."""
    found = await desk.blocking(_people, desk, asked)
    return shown(request, asked, found)


@router.get("/v1/people/{person}", responses=refusals(404))
async def get_person(
    person: PersonPath,
    asked: Annotated[QueryParams, Query()],
    desk: DeskHere,
    caller: Commander,  # noqa: ARG001 # it lets nobody else in
) -> PersonAndOpen:
    """Show a person, with the open incidents of the person and of their client."""
    await desk.progress.wait(QUEUE.name, asked.min_position, WAIT_SECONDS_MAX)
    return await desk.blocking(_person, desk, person, asked.min_position)


def _me(desk: Desk, caller: Caller) -> Me:
    id_ = person_of(caller)
    with snapshot(desk.log) as cursor:
        known = entry(cursor, id_) if id_ else None
        zone = (known and known.zone) or desk_zone(desk.log, cursor)
    return Me(
        actor=caller.actor,
        scopes=list(caller.scopes),
        name=known.name if known else None,
        language=known.language if known else None,
        zone=zone,
    )


def _people(desk: Desk, asked: PeopleQuery) -> People:
    with snapshot(desk.log) as cursor:
        found = search(cursor, asked.q, asked.email, asked.phone, asked.id)
    return People(items=[PersonView.model_validate(each) for each in found])


def _person(desk: Desk, id_: str, min_position: int) -> PersonAndOpen:
    queue, part = QueueName("all"), Part(None, OPEN_MAX, desk.clock())
    with snapshot(desk.log) as cursor:
        schema, known = behind_unless(cursor, min_position)
        who = entry(cursor, id_)
        own = page(cursor, schema, queue, Filters(reporter=id_), part).rows
        others: list[QueueRow] = []
        if who and who.client:
            of_client = Filters(client=who.client)
            others = page(cursor, schema, queue, of_client, part).rows
    if who is None and not own:
        raise HttpError(
            404,
            f"nobody is called {id_} here: look them up with GET /v1/people?q=…",
            code="unknown_person",
        )
    shown = {row.ref for row in own}
    return PersonAndOpen(
        person=PersonView.model_validate(who) if who else None,
        reported=own,
        of_client=[row for row in others if row.ref not in shown],
        as_of=AsOfAnswer.model_validate(known),
    )
