"""Extensions of promises and attribution of breaches: commands and one read."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import history, known
from services.projections.api.promises.views import ExtensionView
from services.projections.api.query_params import InstantQuery, Ref, refusals
from services.projections.history.history import wording
from services.projections.log_queries import rows_at
from services.projections.snapshots import snapshot
from shared.domain import sla
from shared.domain.commands.sla import (
    AcceptExtension,
    AttributeBreach,
    ProposeExtension,
    RefuseExtension,
)
from shared.domain.events import is_sla_event
from shared.domain.events.sla import SlaExtensionProposed, SlaTarget
from shared.domain.identifiers import ExtensionRef, IncidentRef, extended_incident
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, Done

router = APIRouter(tags=["longer delays"])
_REFUSALS = refusals(400, 404, 409, 413, 415)
_AGGREGATE = ProposeExtension.aggregate

ExtensionHere = Annotated[
    ExtensionRef, Path(description="A longer delay: `INC-000042-E1`.")
]


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
    as_of: AsOfAnswer


@router.post(
    "/v1/incidents/{ref}/extensions",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=body_of(ProposeExtension),
)
async def propose_extension(
    ref: Ref, wish: Wish, desk: DeskHere, response: Response
) -> Proposed:
    """Ask the users for more time; until they accept, nothing changes."""
    about: dict[str, Any] = {"incident": ref}
    asked = wish.model_copy(update=about)
    answer = await desk.owner.ask(ProposeExtension.verb, asked, _AGGREGATE)
    extension = await desk.blocking(_proposed_at, desk, answer.positions)
    response.headers["Location"] = f"/v1/extensions/{extension}"
    response.headers["ETag"] = f'"{answer.version}"'
    return Proposed(extension=extension, **answer.model_dump())


@router.get("/v1/extensions/{extension}", responses=refusals(404))
async def get_extension(
    extension: ExtensionHere,
    asked: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> ExtensionSeen:
    """Show an extension as it is, or as it was recorded at an instant."""
    return await desk.blocking(_seen, desk, extension, asked)


@router.post(
    "/v1/extensions/{extension}/accept",
    responses=_REFUSALS,
    openapi_extra=body_of(AcceptExtension),
)
async def accept_extension(
    extension: ExtensionHere, wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Accept an extension, or record that somebody did."""
    return await _answer(AcceptExtension.verb, extension, wish, desk, response)


@router.post(
    "/v1/extensions/{extension}/refuse",
    responses=_REFUSALS,
    openapi_extra=body_of(RefuseExtension),
)
async def refuse_extension(
    extension: ExtensionHere, wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Refuse an extension: the promise remains unchanged."""
    return await _answer(RefuseExtension.verb, extension, wish, desk, response)


@router.post(
    "/v1/incidents/{ref}/sla/{target}/attribution",
    responses=_REFUSALS,
    openapi_extra=body_of(AttributeBreach),
)
async def attribute_breach(
    ref: Ref, target: SlaTarget, wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    """Attribute a breach, which remains, to a party; the last attribution counts."""
    if wish.body.get("target", target) != target:
        raise HttpError(
            422,
            f"the path says `{target}`: leave `target` out of the body",
            code="invalid",
        )
    about: dict[str, Any] = {"incident": ref, "body": {**wish.body, "target": target}}
    asked = wish.model_copy(update=about)
    answer = await desk.owner.ask(AttributeBreach.verb, asked, _AGGREGATE)
    response.headers["ETag"] = f'"{answer.version}"'
    return answer


async def _answer(
    verb: str, extension: str, wish: Wish, desk: DeskHere, response: Response
) -> CommandAnswer:
    incident = extended_incident(extension)
    about: dict[str, Any] = {"incident": incident, "record": extension}
    answer = await desk.owner.ask(verb, wish.model_copy(update=about), _AGGREGATE)
    response.headers["ETag"] = f'"{answer.version}"'
    return answer


def _proposed_at(desk: Desk, positions: list[int]) -> str:
    """Return the id of the extension proposed by the events at these positions."""
    with snapshot(desk.log) as cursor:
        entries = desk.log.entries(rows_at(cursor, positions))
    return next(
        entry.event.extension
        for entry in entries
        if isinstance(entry.event, SlaExtensionProposed)
    )


def _seen(desk: Desk, ref: str, asked: InstantQuery) -> ExtensionSeen:
    incident = extended_incident(ref)
    with snapshot(desk.log) as cursor:
        upto = known(cursor, asked.at, asked.min_position)
        past = history(desk.log, cursor, incident, upto)
    clocks = sla.replay(e.event for e in past if is_sla_event(e.event))
    words = wording(past)
    for extension in (each for clock in clocks for each in clock.extensions):
        if extension.ref == ref:
            view = ExtensionView.of(extension, words).model_dump()
            as_of = AsOfAnswer.model_validate(upto)
            return ExtensionSeen(**view, incident=incident, as_of=as_of)
    raise HttpError(404, f"there is no longer delay {ref}", code="unknown_extension")
