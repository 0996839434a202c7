"""What people may do: given, withdrawn, imported, reviewed; and removals.

The commands go to intake, which owns the streams of people. The answers about rights
are read from the tables that intake keeps.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.projections.api.answers import (
    Answer,
    body_of,
    refusals,
    shown,
    tabular,
)
from services.projections.api.callers import (
    Anybody,
    SomeCommander,
    Token,
    credential_of,
    person_of,
    sight_of,
)
from services.projections.api.commands.messages import Message, about_person
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.people.duties import Duties, duties
from services.projections.api.query_params import (
    PersonPath,
    QueryParams,
    TableQuery,
)
from services.projections.people import RightRow, rights, rights_version
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.directory import entry
from shared.domain.commands.person import (
    IMPORT_BYTES_MAX,
    ImportPeople,
    PeopleImported,
    PeopleSynchronised,
    PersonRemovedAnswer,
    RemovePerson,
    SyncPeople,
)
from shared.domain.limits import Within, limits_from
from shared.domain.policy.clause import Person
from shared.http.bearer import require_scope
from shared.http.bodies import read_larger_object
from shared.http.command_headers import CommandHeaders, idempotency_key
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.security.sender import REVIEWERS

router = APIRouter(tags=["people"])

_BODY_BYTES_MAX = IMPORT_BYTES_MAX + IMPORT_BYTES_MAX // 4
"""Room for the escapes of a file in JSON."""
_REFUSALS = refusals(400, 404, 409, 412, 413, 415)
_SYNC_REFUSALS = refusals(400, 409, 413, 415)
BODIES: tuple[type[BaseModel], ...] = (RemovePerson, ImportPeople, SyncPeople)


class RightView(Answer):
    """A right that somebody has or had, who gave it, and when it was last used."""

    kind: Literal["grant", "token", "session"]
    id: str
    """The id of the grant, the token or the session."""
    person: str
    """The id of the person; of a source or a service with its kind before it."""
    roles: list[str]
    clients: list[str] | None
    """Limited to these clients; null: no such limit."""
    services: list[str] | None
    teams: list[str] | None
    given_by: str | None
    """Null if an administrator made the token on the command line."""
    given_at: AwareDatetime
    until: AwareDatetime | None
    """When it ends by itself."""
    ended_at: AwareDatetime | None
    """When it was withdrawn or revoked; null while it is in force."""
    last_used: AwareDatetime | None
    """When the person last used a session or a token, or this token was last used."""
    note: str
    """What a token is for; how a session with rights of its own began."""


class PersonRights(Answer):
    """What a person may do. Send `version` as `If-Match`; it is also the `ETag`."""

    person: Person
    version: int
    items: list[RightView]


class RightsReview(Answer):
    """Every right of everybody, by person: for an access review."""

    items: list[RightView]


class ReviewQuery(TableQuery):
    """Which rights."""

    ended: bool = False
    """Also those that were withdrawn, revoked or are over."""


class ImportQuery(QueryParams):
    """Whether to change anything."""

    preview: bool = False
    """Only show what would change."""


class Removed(PersonRemovedAnswer):
    """What ended with a person, and what they leave behind."""

    duties: Duties


async def _import_message(
    request: Request,
    caller: SomeCommander,  # noqa: ARG001 # nobody else's body is read
    token: Token,
    headers: Annotated[CommandHeaders, Header()],
    query: Annotated[ImportQuery, Query()],
) -> Message:
    body = await read_larger_object(request, _BODY_BYTES_MAX)
    return Message(
        credential=credential_of(token),
        idempotency_key=idempotency_key(headers.idempotency_key),
        body={**body, "preview": True} if query.preview else body,
    )


@router.post(
    "/v1/people/{person}/remove",
    responses=_REFUSALS,
    openapi_extra=body_of(RemovePerson),
)
async def remove_person(
    person: PersonPath,
    message: Annotated[Message, Depends(about_person)],
    desk: DeskHere,
    response: Response,
) -> Removed:
    """Remove a person: all roles, tokens, sessions and links end at once.

    The answer lists the open incidents that they leave, and the shifts that the policy
    has to give to somebody else.
    """
    kind = RemovePerson
    done = await desk.owner.ask(kind.aggregate, kind.verb, message, PersonRemovedAnswer)
    response.headers["ETag"] = f'"{done.version}"'
    left = await desk.blocking(duties, desk, person)
    return Removed.model_validate({**done.model_dump(), "duties": left})


@router.get("/v1/people/{person}/duties", responses=refusals())
async def get_duties(
    person: PersonPath,
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: Anybody,
) -> Duties:
    """Show what would be left behind if a person were removed."""
    require_scope(caller, *REVIEWERS)
    return await desk.blocking(duties, desk, person)


@router.post(
    "/v1/people/import",
    responses=_REFUSALS,
    openapi_extra=body_of(ImportPeople),
)
async def import_people(
    message: Annotated[Message, Depends(_import_message)], desk: DeskHere
) -> PeopleImported:
    """Import people and their roles from a file, or show what that would change."""
    kind = ImportPeople
    return await desk.owner.ask(
        kind.aggregate, kind.verb, message, PeopleImported, sent_once=kind.sent_once
    )


@router.post(
    "/v1/people/sync", responses=_SYNC_REFUSALS, openapi_extra=body_of(SyncPeople)
)
async def synchronise_people(
    message: Annotated[Message, Depends(_import_message)], desk: DeskHere
) -> PeopleSynchronised:
    """Make people and their roles what LDAP says, or show what that would change."""
    kind = SyncPeople
    return await desk.owner.ask(
        kind.aggregate, kind.verb, message, PeopleSynchronised, sent_once=kind.sent_once
    )


@router.get("/v1/people/{person}/rights", responses=refusals(404))
async def get_rights(
    person: PersonPath,
    query: Annotated[QueryParams, Query()],  # noqa: ARG001 # it takes nothing else
    desk: DeskHere,
    caller: Anybody,
    response: Response,
) -> PersonRights:
    """Show what a person may do; everybody may look at their own rights.

    Whose rights are limited sees those that are within the same limits.
    """
    within: Within = None
    if person_of(caller) != person:
        within = _reviewed_by(caller)
    found = await desk.blocking(_rights, desk, person, within, sight_of(caller))
    response.headers["ETag"] = f'"{found.version}"'
    return found


@router.get("/v1/rights", response_model=RightsReview, responses=tabular())
async def review_rights(
    request: Request,
    query: Annotated[ReviewQuery, Query()],
    desk: DeskHere,
    caller: Anybody,
) -> BaseModel | Response:
    """Review every right: who has it, who gave it, when it was last used.

    Whose own rights are limited sees those that are within the same limits.
    """
    found = await desk.blocking(_review, desk, query, _reviewed_by(caller))
    return shown(request, query, found)


def _reviewed_by(caller: Caller) -> Within:
    """Return the limits of the rights that a caller may review; raises 403."""
    require_scope(caller, *REVIEWERS, limited=True)
    return caller.limits_of(*REVIEWERS)


def _is_within(row: RightRow, within: Within) -> bool:
    limits = limits_from(row.clients, row.services, row.teams)
    return within is None or any(each.includes(limits) for each in within)


def _rights(desk: Desk, person: str, within: Within, sight: Sight) -> PersonRights:
    with snapshot(desk.log) as cursor:
        who = entry(cursor, person)
        version = rights_version(cursor, person)
        found = rights(cursor, desk.clock(), person=person, ended=True)
    seen = [_view(each) for each in found if _is_within(each, within)]
    if within is not None and not seen and not (who and sight.sees_client(who.client)):
        raise HttpError(404, "nobody has this id here", code="unknown_person")
    return PersonRights(person=person, version=version, items=seen)


def _review(desk: Desk, query: ReviewQuery, within: Within) -> RightsReview:
    with snapshot(desk.log) as cursor:
        found = rights(cursor, desk.clock(), ended=query.ended)
    return RightsReview(
        items=[_view(each) for each in found if _is_within(each, within)]
    )


def _view(row: RightRow) -> RightView:
    told: Mapping[str, object] = row._asdict()
    return RightView.model_validate(
        {**told, "person": row.actor.removeprefix("person:")}
    )
