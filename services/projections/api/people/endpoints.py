"""Looks people up in the directory, with their and their client's open incidents."""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.projections.api.answers import Answer, refusals, shown, tabular
from services.projections.api.callers import (
    ClientReader,
    SomeCommander,
    may_look_people_up,
    person_of,
    sight_of,
)
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_MAX
from services.projections.api.position import known_to
from services.projections.api.query_params import PersonPath, QueryParams, TableQuery
from services.projections.api.redaction import redacted_rows
from services.projections.generations import AsOf
from services.projections.log_queries import desk_zone
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.row import QueueRow, with_own_reminders
from services.projections.read_models import QUEUE
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from services.projections.words.normalization import searched
from shared.database.cursors import Cursors
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
    may_command: bool
    """Whether one of the scopes allows commands, perhaps for some records only."""
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
    as_of: AsOf


@router.get("/v1/me", responses=refusals())
async def get_me(
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: ClientReader,
) -> Me:
    """Show the owner of the token, its scopes, and the owner's time zone."""
    return await desk.blocking(_me, desk, caller)


@router.get("/v1/people", response_model=People, responses=tabular())
async def get_people(
    request: Request,
    query: Annotated[PeopleQuery, Query()],
    desk: DeskHere,
    caller: SomeCommander,
) -> BaseModel | Response:
    """Look people up by part of a name, an address or a telephone number."""
    found = await desk.blocking(_people, desk, query, sight_of(caller))
    return shown(request, query, found)


@router.get("/v1/people/{person}", responses=refusals(404))
async def get_person(
    person: PersonPath,
    query: Annotated[QueryParams, Query()],
    desk: DeskHere,
    caller: SomeCommander,
) -> PersonAndOpen:
    """Show a person, with the open incidents of the person and of their client."""
    await desk.reached(query.min_position, QUEUE)
    found = await desk.blocking(
        _person, desk, person, query.min_position, sight_of(caller)
    )
    me = person_of(caller)
    own = {
        name: with_own_reminders(getattr(found, name), me)
        for name in ("reported", "of_client")
    }
    return found.model_copy(update=own)


def _me(desk: Desk, caller: Caller) -> Me:
    id_ = person_of(caller)
    with snapshot(desk.log) as cursor:
        known = entry(cursor, id_) if id_ else None
        zone = (known and known.zone) or desk_zone(desk.log, cursor)
    return Me(
        actor=caller.actor,
        scopes=list(caller.scopes),
        may_command=may_look_people_up(caller),
        name=known.name if known else None,
        language=known.language if known else None,
        zone=zone,
    )


def _people(desk: Desk, query: PeopleQuery, sight: Sight) -> People:
    with snapshot(desk.log) as cursor:
        found = search(
            cursor,
            query.q,
            query.email,
            query.phone,
            query.id,
            searched(query.q or ""),
        )
    return People(
        items=[
            PersonView.model_validate(each)
            for each in found
            if sight.sees_client(each.client)
        ]
    )


def _rows(
    desk: Desk, cursor: Cursors, schema: str, sight: Sight, filters: Filters
) -> list[QueueRow]:
    part = Part(None, OPEN_MAX, desk.clock())
    found = page(cursor, schema, QueueName("all"), filters, part, sight).rows
    return redacted_rows(desk.log, cursor, sight, found)


def _person(desk: Desk, id_: str, min_position: int, sight: Sight) -> PersonAndOpen:
    with snapshot(desk.log) as cursor:
        schema, known = known_to(cursor, QUEUE, min_position)
        who = entry(cursor, id_)
        if who and not sight.sees_client(who.client):
            who = None
        own = _rows(desk, cursor, schema, sight, Filters(reporter=id_))
        others: list[QueueRow] = []
        if who and who.client:
            of_client = Filters(client=who.client)
            others = _rows(desk, cursor, schema, sight, of_client)
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
        as_of=known,
    )
