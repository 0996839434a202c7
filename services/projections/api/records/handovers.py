"""Hand-overs to Problem Management: those that wait for an answer, and the answers.

Accepting a hand-over opens a problem, joining links the incident to a known one: both
are commands about a problem. Declining ends the hand-over itself.
"""

from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from services.projections import handovers
from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import known
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX, POSITION_MAX
from services.projections.api.metrics.tables import TableQuery, shown, tabular
from services.projections.api.query_params import Ref, refusals
from services.projections.handovers import Handover, HandoverQuery, State
from services.projections.snapshots import snapshot
from shared.domain.commands.escalation import AcceptHandover, Decline, JoinHandover
from shared.domain.commands.problem import IdentifyProblem, LinkProblem
from shared.domain.events.problem import Match
from shared.domain.identifiers import IncidentRef, ProblemRef, incident_stream
from shared.domain.incident import replay
from shared.http.problem_details import HttpError, located
from shared.messaging.commands import CommandAnswer, RecordAnswer

_Body = TypeVar("_Body", AcceptHandover, JoinHandover)

router = APIRouter(tags=["handovers"])
_REFUSALS = refusals(400, 404, 409, 413, 415)


class HandoverView(Answer):
    """A hand-over; each incident has at most one."""

    incident: IncidentRef
    state: State
    service: str
    team: str
    breached_at: AwareDatetime
    requested_at: AwareDatetime
    answer_by: AwareDatetime | None
    problem: ProblemRef | None
    """The problem it belongs to, confirmed or presumed."""
    matched: Match | None
    """How it was matched to the problem; null if a person linked it."""
    to_be_confirmed: bool
    """Whether it was matched only by its service. To confirm, `join` it to the same
    problem; otherwise accept or decline it, or unlink it from the problem."""
    proposed: list[ProblemRef]
    """Open problems that match, if there are several: it was linked to none of them."""
    reason: str | None
    """Why it was declined."""


class Handovers(Answer):
    """Some hand-overs, the newest first."""

    items: list[HandoverView]
    next_cursor: int | None
    """Where the next page begins; null at the end."""
    as_of: AsOfAnswer


class HandoversQuery(TableQuery):
    """Which part of the list."""

    state: Literal["waiting", "all"] = "waiting"
    """`waiting`: only those that Problem Management has not answered or confirmed."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[int, Field(ge=0, le=POSITION_MAX)] | None = None
    """`next_cursor` of the previous page."""

    @property
    def wanted(self) -> HandoverQuery:
        """Return the query, with one row more to detect a next page."""
        before = POSITION_MAX if self.cursor is None else self.cursor
        return HandoverQuery(before, self.state == "waiting", self.limit + 1)


@router.get("/v1/handovers", response_model=Handovers, responses=tabular())
async def list_handovers(
    request: Request,
    asked: Annotated[HandoversQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List hand-overs to Problem Management, the newest first."""
    return shown(request, asked, await desk.blocking(_listed, desk, asked))


@router.post(
    "/v1/handovers/{ref}/accept",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=body_of(AcceptHandover),
)
async def accept_handover(
    ref: Ref, wish: Wish, desk: DeskHere, response: Response
) -> RecordAnswer:
    """Open a problem for the incident that was handed over."""
    body = read(AcceptHandover, wish.body)
    awaiting = await desk.blocking(_awaiting, desk, ref, wish.idempotency_key)
    identify = {
        "title": body.title or awaiting.title,
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
    "/v1/handovers/{ref}/join",
    responses=_REFUSALS,
    openapi_extra=body_of(JoinHandover),
)
async def join_handover(ref: Ref, wish: Wish, desk: DeskHere) -> RecordAnswer:
    """Link the incident that was handed over to a known problem."""
    body = read(JoinHandover, wish.body)
    await desk.blocking(_awaiting, desk, ref, None)
    asked: dict[str, Any] = {"body": {"incident": ref}, "record": body.problem}
    return await desk.owner.ask_about(
        "problem", LinkProblem.verb, wish.model_copy(update=asked)
    )


@router.post(
    "/v1/handovers/{ref}/decline",
    responses=_REFUSALS,
    openapi_extra=body_of(Decline),
)
async def decline_handover(ref: Ref, wish: Wish, desk: DeskHere) -> CommandAnswer:
    """Decline the hand-over: it ends without a problem, and the breach remains."""
    return await desk.owner.ask(
        Decline.verb, wish.model_copy(update={"incident": ref}), Decline.aggregate
    )


def _listed(desk: Desk, asked: HandoversQuery) -> Handovers:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, asked.min_position)
        found = handovers.newest(desk.log, cursor, upto, asked.wanted)
    shown = found[: asked.limit]
    return Handovers(
        items=[HandoverView.model_validate(each) for each in shown],
        next_cursor=shown[-1].position if len(found) > len(shown) else None,
        as_of=AsOfAnswer.model_validate(upto),
    )


class _Awaiting(NamedTuple):
    """The incident of a hand-over: its title, and its problems at that time."""

    title: str
    problems: list[str]


def _awaiting(desk: Desk, ref: str, key: str | None) -> _Awaiting:
    """Return the hand-over to answer; `HttpError` if it cannot be answered.

    With an idempotency `key` the answer may be a repeat, which its owner recognizes.
    """
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, 0)
        handover = handovers.one(desk.log, cursor, ref, upto)
        if handover is None:
            raise HttpError(404, f"{ref} was not handed over", code="unknown_handover")
        if not handover.awaits and (key is None or handover.state == "declined"):
            raise HttpError(409, _answered(ref, handover), code="state")
        stream = incident_stream(ref)
        entries = desk.log.histories(cursor, [stream], handover.position)
    then = replay(entry.event for entry in entries)  # type: ignore[misc] # of its stream
    if then is None:
        return _Awaiting(ref, [])
    return _Awaiting(then.title, sorted(then.problems))


def _answered(ref: str, handover: Handover) -> str:
    match handover.state:
        case "accepted":
            return f"the hand-over of {ref} was accepted as {handover.problem} before"
        case "joined":
            return f"{ref} was made part of {handover.problem} before"
        case _:
            return f"the hand-over of {ref} was {handover.state} before"


def read(kind: type[_Body], body: dict[str, Any]) -> _Body:
    """Return the body of an answer; `HttpError` 422 if it is malformed."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise HttpError(
            422,
            "the command is not well formed: see `errors`",
            code="invalid",
            errors=located(error),
        ) from error
