"""Hand-overs to Problem Management: those that wait for an answer, and the answers.

Either an incident is handed over, or the service whose budget its breach used up; both
are identified by that incident. Accepting opens a problem, joining links the incident
to a known one: both are commands about a problem. Declining ends the hand-over itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from typing import Annotated, Literal, NamedTuple, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.projections import handovers
from services.projections.api.answers import Answer, shown, tabular
from services.projections.api.callers import (
    SomeCommander,
    SomeReader,
    person_of,
    sight_of,
)
from services.projections.api.commands.messages import Message, NewRecord
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.people import people_of_handover, policy_now
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX, POSITION_MAX
from services.projections.api.position import known
from services.projections.api.query_params import Ref, TableQuery
from services.projections.api.redaction import redacted, seen_of
from services.projections.generations import AsOf
from services.projections.handovers import Handover, HandoverQuery, State, Subject
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.commands.escalation import (
    AcceptHandover,
    Decline,
    DeclineService,
    JoinHandover,
)
from shared.domain.events.handover import ServiceHandoverRequested
from shared.domain.events.problem import Match
from shared.domain.identifiers import IncidentRef, ProblemRef, incident_stream
from shared.domain.incident import replay
from shared.domain.incident.relations import may_say
from shared.eventlog.log import EventLog
from shared.http.bodies import validated
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.security.sender import COMMANDERS

router = APIRouter(tags=["handovers"])


class _View(Answer):
    @classmethod
    def of(cls, handover: Handover) -> Self:
        """Return the view of a hand-over."""
        return cls.model_validate({**dict(handover.request), **handover.__dict__})


class HandoverView(_View):
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
    """Problems that match and that it did not join: several were open when it was
    handed over, or one came to have an incident of its signature while it waits."""
    reason: str | None
    """Why it was declined."""


class CountedView(Answer):
    """A broken TTR that counts towards the budget of its service."""

    incident: IncidentRef
    breached_at: AwareDatetime
    overrun_seconds: int | None
    """How late it was, in working time; null if it was still open when counted."""


class ServiceHandoverView(_View):
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


class HandoverList(Answer):
    """Some hand-overs, the newest first."""

    items: list[HandoverView]
    actions: dict[IncidentRef, list[str]]
    """Which of `accept`, `join` and `decline` the caller may answer, by incident."""
    next_cursor: int | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class ServiceHandoverList(Answer):
    """Some hand-overs of services, the newest first."""

    items: list[ServiceHandoverView]
    actions: dict[IncidentRef, list[str]]
    """Which of `accept`, `join` and `decline` the caller may answer, by incident."""
    next_cursor: int | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


class HandoversQuery(TableQuery):
    """Which part of the list."""

    state: Literal["waiting", "all"] = "waiting"
    """`waiting`: only those that Problem Management has not answered or confirmed."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[int, Field(ge=0, le=POSITION_MAX)] | None = None
    """`next_cursor` of the previous page."""


@router.get("/v1/handovers", response_model=HandoverList, responses=tabular())
async def list_handovers(
    request: Request,
    query: Annotated[HandoversQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List hand-overs to Problem Management, the newest first."""
    found = await desk.blocking(_incident_list, desk, query, caller)
    return shown(request, query, found)


@router.get(
    "/v1/service-handovers", response_model=ServiceHandoverList, responses=tabular()
)
async def list_service_handovers(
    request: Request,
    query: Annotated[HandoversQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List services handed over to Problem Management, the newest first."""
    found = await desk.blocking(_service_list, desk, query, caller)
    return shown(request, query, found)


def _incident_list(desk: Desk, query: HandoversQuery, caller: Caller) -> HandoverList:
    sight = sight_of(caller)
    with snapshot(desk.log) as cursor:
        part = _part(desk.log, cursor, "incident", query, sight)
        actions = _actions(desk, cursor, part.items, caller, Decline.verb)
        items = [HandoverView.of(each) for each in part.items]
        found = HandoverList(
            items=items,
            actions=actions,
            next_cursor=part.next_cursor,
            as_of=part.as_of,
        )
        return redacted(desk.log, cursor, sight, found)


def _service_list(
    desk: Desk, query: HandoversQuery, caller: Caller
) -> ServiceHandoverList:
    sight = sight_of(caller)
    with snapshot(desk.log) as cursor:
        part = _part(desk.log, cursor, "service", query, sight)
        actions = _actions(desk, cursor, part.items, caller, DeclineService.verb)
        items = [ServiceHandoverView.of(each) for each in part.items]
        found = ServiceHandoverList(
            items=items,
            actions=actions,
            next_cursor=part.next_cursor,
            as_of=part.as_of,
        )
        return redacted(desk.log, cursor, sight, found)


def _actions(
    desk: Desk,
    cursor: Cursors,
    items: Sequence[Handover],
    caller: Caller,
    decline: str,
) -> dict[str, list[str]]:
    """Return how a caller may answer hand-overs.

    A problem is opened and linked by everybody who gives commands.
    """
    if set(COMMANDERS).isdisjoint(caller.scopes):
        return {}
    person, now = person_of(caller), cache(partial(policy_now, desk.log, cursor))
    found = dict[str, list[str]]()
    for each in (each for each in items if each.awaits):
        people = people_of_handover(desk, each.request, now)
        ending = ["decline"] if may_say(decline, person, people) else []
        found[each.request.incident] = ["accept", "join", *ending]
    return found


class _Part(NamedTuple):
    items: list[Handover]
    next_cursor: int | None
    as_of: AsOf


def _part(
    log: EventLog,
    cursor: Cursors,
    subject: Subject,
    query: HandoversQuery,
    sight: Sight,
) -> _Part:
    """Return the hand-overs within the reader's limits: as many as were requested."""
    before = POSITION_MAX if query.cursor is None else query.cursor
    upto = known(cursor, None, query.min_position)
    seen: list[Handover] = []
    while len(seen) <= query.limit:
        limits = HandoverQuery(before, query.state == "waiting", query.limit + 1)
        found = handovers.newest(log, cursor, subject, upto, limits)
        refs = [each.request.incident for each in found]
        visible = seen_of(log, cursor, sight, refs)
        seen += [each for each in found if each.request.incident in visible]
        if len(found) <= query.limit:
            break
        before = found[-1].position
    items = seen[: query.limit]
    return _Part(items, items[-1].position if len(seen) > len(items) else None, upto)


def identification(subject: Subject) -> Callable[..., Awaitable[Message]]:
    """Return the dependency that accepts a hand-over: it identifies a problem."""

    async def message(
        ref: Ref, given: NewRecord, desk: DeskHere, caller: SomeCommander
    ) -> Message:
        body = validated(AcceptHandover, given.body, "command")
        repeat = given.idempotency_key is not None
        waits = await desk.blocking(
            _waiting, desk, subject, ref, sight_of(caller), repeat=repeat
        )
        identify = {
            "title": body.title or waits.title,
            "incident": ref,
            "beside": waits.problems,
        }
        if subject == "service":
            identify["service"] = waits.service
        return given.model_copy(update={"body": identify})

    return message


def link(subject: Subject) -> Callable[..., Awaitable[Message]]:
    """Return the dependency that joins a hand-over to a problem: it links the two."""

    async def message(
        ref: Ref, given: NewRecord, desk: DeskHere, caller: SomeCommander
    ) -> Message:
        body = validated(JoinHandover, given.body, "command")
        repeat = given.idempotency_key is not None
        into = body.problem
        sight = sight_of(caller)
        await desk.blocking(
            _waiting, desk, subject, ref, sight, repeat=repeat, into=into
        )
        update = {"body": {"incident": ref}, "record": body.problem}
        return given.model_copy(update=update)

    return message


class _Waiting(NamedTuple):
    """What a problem for the hand-over is called, and the problems at that time."""

    title: str
    service: str
    problems: list[str]


def _waiting(
    desk: Desk,
    subject: Subject,
    ref: str,
    sight: Sight,
    *,
    repeat: bool,
    into: str | None = None,
) -> _Waiting:
    """Return the hand-over to answer; `HttpError` if it cannot be answered.

    The answer may be a `repeat`, which its owner recognizes by the idempotency key;
    one that joins is a repeat only if it names the same problem, `into`.
    """
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, 0)
        handover = handovers.one(desk.log, cursor, subject, ref, upto)
        if handover is None or not seen_of(desk.log, cursor, sight, [ref]):
            detail = {
                "incident": f"{ref} was not handed over",
                "service": f"{ref} did not bring a service to Problem Management",
            }
            raise HttpError(404, detail[subject], code="unknown_handover")
        same = into is None or (handover.state, handover.problem) == ("joined", into)
        is_repeat = repeat and same and handover.state != "declined"
        if not (handover.awaits or is_repeat):
            raise HttpError(409, _answered(handover, subject), code="state")
        stream = incident_stream(ref)
        entries = desk.log.histories(cursor, [stream], handover.position)
    then = replay(entry.event for entry in entries)  # type: ignore[misc] # of its stream
    title = _title(handover) or (then.title if then else ref)
    problems = sorted(then.problems) if then else []
    return _Waiting(title, handover.request.service, problems)


def _title(handover: Handover) -> str | None:
    """Return the title of a problem of a service; None for that of an incident."""
    match handover.request:
        case ServiceHandoverRequested(service=service, cause="downtime") as request:
            return f"{service}: {len(request.outages)} × P1"
        case ServiceHandoverRequested(service=service, breaches=breaches):
            return f"{service}: {breaches} × TTR"
        case _:
            return None


def _answered(handover: Handover, subject: Subject) -> str:
    request, problem = handover.request, handover.problem
    name = request.service if subject == "service" else request.incident
    match handover.state:
        case "accepted":
            return f"the hand-over of {name} was accepted as {problem} before"
        case "joined":
            return f"{name} became part of {problem} before"
        case state:
            return f"the hand-over of {name} was {state} before"
