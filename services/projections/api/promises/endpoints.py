"""Longer delays and moves of promises; most commands about them are in the table."""

from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.projections.api.answers import Answer, body_of, refusals
from services.projections.api.callers import (
    Reader,
    SomeReader,
    Token,
    credential_of,
    sight_of,
)
from services.projections.api.commands.messages import (
    ExtensionPath,
    Message,
    Operation,
    about_incident,
)
from services.projections.api.commands.routes import REFUSALS
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import history, known
from services.projections.api.promises.views import ExtensionView
from services.projections.api.query_params import InstantQuery, Nothing
from services.projections.generations import AsOf
from services.projections.history.history import wording
from services.projections.log_queries import rows_at
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.domain.commands.policy_moves import (
    LookAtMove,
    MovedPage,
    MoveSeen,
    PreviewMove,
)
from shared.domain.commands.sla import ProposeExtension
from shared.domain.events.sla import SlaExtensionProposed
from shared.domain.identifiers import ExtensionRef, IncidentRef, extended_incident
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, Done

router = APIRouter()


class Proposed(Answer):
    """The outcome of a proposal, with the id of the proposed extension."""

    outcome: Done
    incident: IncidentRef
    version: int
    positions: list[int]
    extension: ExtensionRef


class ExtensionSeen(ExtensionView):
    """An extension on its own."""

    incident: IncidentRef
    as_of: AsOf


@router.post(
    "/v1/incidents/{ref}/extensions",
    tags=["longer delays"],
    status_code=201,
    responses=refusals(*REFUSALS),
    openapi_extra=body_of(ProposeExtension),
)
async def propose_extension(
    message: Annotated[Message, Depends(about_incident)],
    desk: DeskHere,
    response: Response,
) -> Proposed:
    """Ask the users for more time; until they accept, nothing changes."""
    kind = ProposeExtension
    answer = await desk.owner.ask(kind.aggregate, kind.verb, message, CommandAnswer)
    extension = await desk.blocking(_proposed_at, desk, answer.positions)
    response.headers["Location"] = f"/v1/extensions/{extension}"
    response.headers["ETag"] = f'"{answer.version}"'
    return Proposed(extension=extension, **answer.model_dump())


@router.get(
    "/v1/extensions/{extension}", tags=["longer delays"], responses=refusals(404)
)
async def get_extension(
    extension: ExtensionPath,
    query: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> ExtensionSeen:
    """Show an extension as it is, or as it was recorded at an instant."""
    return await desk.blocking(_seen, desk, extension, query, sight_of(caller))


@router.get("/v1/sla/preview-move", tags=["moves"], responses=refusals())
async def preview_move(
    query: Annotated[PreviewMove, Query()], desk: DeskHere, _: Reader, token: Token
) -> MovedPage:
    """Show what moving live promises to another version of the policy would change.

    One page at a time: incidents in progress whose promises have another version.
    """
    body = query.model_dump(mode="json", exclude_none=True)
    message = Message(credential=credential_of(token), body=body)
    return await desk.owner.ask(query.aggregate, query.verb, message, MovedPage)


@router.get("/v1/sla/moves/{operation}", tags=["moves"], responses=refusals(404))
async def get_move(
    operation: Operation,
    _query: Annotated[Nothing, Query()],
    desk: DeskHere,
    _: Reader,
    token: Token,
) -> MoveSeen:
    """Show the progress of a move: how many incidents are moved, how many remain."""
    body = {"operation": operation}
    message = Message(credential=credential_of(token), body=body)
    kind = LookAtMove
    return await desk.owner.ask(kind.aggregate, kind.verb, message, MoveSeen)


def _proposed_at(desk: Desk, positions: list[int]) -> str:
    """Return the id of the extension proposed by the events at these positions."""
    with snapshot(desk.log) as cursor:
        entries = desk.log.entries(rows_at(cursor, positions))
    return next(
        entry.event.extension
        for entry in entries
        if isinstance(entry.event, SlaExtensionProposed)
    )


def _seen(desk: Desk, ref: str, query: InstantQuery, sight: Sight) -> ExtensionSeen:
    incident = extended_incident(ref)
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        past = history(desk.log, cursor, incident, upto, sight)
    words = wording(past.entries)
    for extension in chain.from_iterable(each.extensions for each in past.state.clocks):
        if extension.ref == ref:
            view = ExtensionView.of(extension, words).model_dump()
            return ExtensionSeen(**view, incident=incident, as_of=upto)
    raise HttpError(404, f"there is no longer delay {ref}", code="unknown_extension")
