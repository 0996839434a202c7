"""Services handed over to Problem Management: the list, and the three answers.

Each hand-over is identified by the incident whose breach exceeded the budget. Answers
work as for the hand-over of an incident, but are about the service.
"""

from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.projections import service_handovers
from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import known
from services.projections.api.metrics.tables import shown, tabular
from services.projections.api.query_params import Ref, refusals
from services.projections.api.records.handovers import HandoversQuery, read
from services.projections.handovers import State
from services.projections.service_handovers import ServiceHandover
from services.projections.snapshots import snapshot
from shared.domain.commands.escalation import (
    AcceptHandover,
    DeclineService,
    JoinHandover,
)
from shared.domain.commands.problem import IdentifyProblem, LinkProblem
from shared.domain.identifiers import IncidentRef, ProblemRef, incident_stream
from shared.domain.incident import replay
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandAnswer, RecordAnswer

router = APIRouter(tags=["handovers"])
_REFUSALS = refusals(400, 404, 409, 413, 415)


class CountedView(Answer):
    """A broken TTR that counts towards the budget of its service."""

    incident: IncidentRef
    breached_at: AwareDatetime
    overrun_seconds: int | None
    """How late it was, in working time; null if it was still open when counted."""


class ServiceHandoverView(Answer):
    """A service that used up its budget."""

    incident: IncidentRef
    """The incident whose breach exceeded the budget."""
    service: str
    state: State
    team: str
    cause: Literal["breaches", "overrun", "downtime"]
    """Which budget was used up: the number of breaches, their total delay in working
    time, or the downtime of the service."""
    breaches: int
    overrun_seconds: int | None
    downtime_seconds: int | None
    """How long, in the hours of its contract, the service had an unrestored P1."""
    outages: list[IncidentRef]
    """The P1 incidents that caused the downtime."""
    within_days: int
    crossed_at: AwareDatetime
    counted: list[CountedView]
    """The breaches that count, the oldest first; if there are very many, the newest."""
    requested_at: AwareDatetime
    answer_by: AwareDatetime | None
    problem: ProblemRef | None
    """The problem of which the service is part."""
    proposed: list[ProblemRef]
    """Open problems of the service, if there are several: it was linked to none."""
    reason: str | None
    """Why it was declined."""


class ServiceHandovers(Answer):
    """Some hand-overs of services, the newest first."""

    items: list[ServiceHandoverView]
    next_cursor: int | None
    """Where the next page begins; null at the end."""
    as_of: AsOfAnswer


@router.get(
    "/v1/service-handovers", response_model=ServiceHandovers, responses=tabular()
)
async def list_service_handovers(
    request: Request,
    asked: Annotated[HandoversQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List services handed over to Problem Management, the newest first."""
    return shown(request, asked, await desk.blocking(_listed, desk, asked))


@router.post(
    "/v1/service-handovers/{ref}/accept",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=body_of(AcceptHandover),
)
async def accept_service_handover(
    ref: Ref, wish: Wish, desk: DeskHere, response: Response
) -> RecordAnswer:
    """Open a problem for the service that was handed over."""
    body = read(AcceptHandover, wish.body)
    awaiting = await desk.blocking(_awaiting, desk, ref, wish.idempotency_key)
    identify = {
        "title": body.title or awaiting.title,
        "service": awaiting.service,
        "incident": ref,
        "beside": awaiting.problems,
    }
    asked: dict[str, Any] = {"body": identify}
    answer = await desk.owner.ask_about(
        "problem", IdentifyProblem.verb, wish.model_copy(update=asked)
    )
    response.headers["Location"] = f"/v1/problems/{answer.record}"
    return answer


@router.post(
    "/v1/service-handovers/{ref}/join",
    responses=_REFUSALS,
    openapi_extra=body_of(JoinHandover),
)
async def join_service_handover(ref: Ref, wish: Wish, desk: DeskHere) -> RecordAnswer:
    """Add the service, with its last incident, to a known problem."""
    body = read(JoinHandover, wish.body)
    await desk.blocking(_awaiting, desk, ref, None)
    asked: dict[str, Any] = {"body": {"incident": ref}, "record": body.problem}
    return await desk.owner.ask_about(
        "problem", LinkProblem.verb, wish.model_copy(update=asked)
    )


@router.post(
    "/v1/service-handovers/{ref}/decline",
    responses=_REFUSALS,
    openapi_extra=body_of(DeclineService),
)
async def decline_service_handover(
    ref: Ref, wish: Wish, desk: DeskHere
) -> CommandAnswer:
    """Decline the hand-over: it ends without a problem, and the breaches remain."""
    about = wish.model_copy(update={"incident": ref})
    return await desk.owner.ask(DeclineService.verb, about, DeclineService.aggregate)


def _listed(desk: Desk, asked: HandoversQuery) -> ServiceHandovers:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        found = service_handovers.newest(desk.log, cursor, upto, asked.wanted)
    shown = found[: asked.limit]
    return ServiceHandovers(
        items=[ServiceHandoverView.model_validate(each) for each in shown],
        next_cursor=shown[-1].position if len(found) > len(shown) else None,
        as_of=AsOfAnswer.model_validate(upto),
    )


class _Awaiting(NamedTuple):
    """The title and service for a problem, and the position of the log."""

    title: str
    service: str
    problems: list[str]


def _awaiting(desk: Desk, ref: str, key: str | None) -> _Awaiting:
    """Return the hand-over to answer; `HttpError` if it cannot be answered.

    With an idempotency `key` the answer may be a repeat, which its owner recognizes.
    """
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, 0)
        handover = service_handovers.one(desk.log, cursor, ref, upto)
        if handover is None:
            raise HttpError(
                404,
                f"{ref} did not bring a service to Problem Management",
                code="unknown_handover",
            )
        if not handover.awaits and (key is None or handover.state == "declined"):
            raise HttpError(409, _answered(handover), code="state")
        stream = incident_stream(ref)
        entries = desk.log.histories(cursor, [stream], handover.position)
    then = replay(entry.event for entry in entries)  # type: ignore[misc] # of its stream
    problems = sorted(then.problems) if then else []
    many = f"{handover.breaches} × TTR"
    if handover.cause == "downtime":
        many = f"{len(handover.outages)} × P1"
    title = f"{handover.service}: {many}"
    return _Awaiting(title, handover.service, problems)


def _answered(handover: ServiceHandover) -> str:
    service = handover.service
    if handover.state == "declined":
        return f"the hand-over of {service} was declined before"
    return f"{service} became part of {handover.problem} before"
