"""Problems, the causes behind incidents, read from the log; and their commands."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.metrics.tables import shown, tabular
from services.projections.api.query_params import InstantQuery, refusals
from services.projections.api.records.commands import add_commands
from services.projections.api.records.service_handovers import ServiceHandoverView
from services.projections.api.records.solutions import NoteView
from services.projections.api.records.views import (
    IncidentsQuery,
    LinkedIncidents,
    RecordsQuery,
    read_incidents,
    read_one,
    read_part,
)
from services.projections.generations import AsOf
from services.projections.records import PROBLEMS, VersionedRecord
from services.projections.service_handovers import ServiceHandover, by_problem
from services.projections.snapshots import snapshot
from services.projections.solutions import Solution, of_incidents
from shared.domain.commands.problem import BODIES, IdentifyProblem
from shared.domain.identifiers import ChangeRef, IncidentRef, ProblemRef
from shared.domain.problem import Problem, Status

router = APIRouter(tags=["problems"])

NOTES_MAX = 20
NOTES_READ_MAX = 500
"""The maximum number of notes that an answer reads for all its problems."""


class ProblemView(Answer):
    """A problem. Send `version` as `If-Match`; it is also the `ETag`."""

    ref: ProblemRef
    version: int
    status: Status
    title: str
    service: str
    team: str
    origin: Literal["incident", "staff"]
    incidents: list[IncidentRef]
    """Incidents with this cause, in the order in which they were linked."""
    related: list[IncidentRef]
    """Related incidents that do not have this cause."""
    presumed: list[IncidentRef]
    """Incidents matched only by their service; a person has to confirm them."""
    changes: list[ChangeRef]
    """Changes requested to remove the cause."""
    services: list[ServiceHandoverView]
    """Services that used up their budget and were handed over to it."""
    identified_at: AwareDatetime
    workaround: str | None
    cause: str | None
    """The cause, once known."""
    solutions: list[NoteView]
    """Solution notes of its incidents, for N1; the newest first, at most 20."""
    known_error: bool
    """Whether cause and workaround are known while the cause still exists."""
    resolved_at: AwareDatetime | None

    as_of: AsOfAnswer

    @classmethod
    def of(cls, seen: VersionedRecord[Problem], upto: AsOf, beside: "_Beside") -> Self:
        """Return the view of a problem at a version, as known at `upto`."""
        known = {
            "version": seen.version,
            "known_error": seen.record.known_error,
            "as_of": upto,
            "services": beside.services.get(seen.record.ref, ()),
            "solutions": beside.solutions.get(seen.record.ref, ()),
        }
        return cls.model_validate({**seen.record.__dict__, **known})


class _Beside(NamedTuple):
    """Data about problems from other streams, by problem."""

    services: Mapping[str, Sequence[ServiceHandover]]
    solutions: Mapping[str, Sequence[Solution]]


class Problems(Answer):
    """Some problems, the newest first."""

    items: list[ProblemView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOfAnswer


class ProblemsQuery(RecordsQuery):
    """Which part of the list of problems."""

    cursor: ProblemRef | None = None
    """`next_cursor` of the previous page: the last reference on it."""


@router.get("/v1/problems", response_model=Problems, responses=tabular())
async def list_problems(
    request: Request,
    asked: Annotated[ProblemsQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List problems, the newest first."""
    part = await desk.blocking(read_part, desk, PROBLEMS, asked)
    beside = await desk.blocking(_beside, desk, part.items, part.upto)
    found = Problems(
        items=[ProblemView.of(seen, part.upto, beside) for seen in part.items],
        next_cursor=part.next_cursor,
        as_of=AsOfAnswer.model_validate(part.upto),
    )
    return shown(request, asked, found)


@router.get("/v1/problems/{ref}", responses=refusals(404))
async def get_problem(
    ref: Annotated[ProblemRef, Path(description="A problem: `PRB-000001`.")],
    asked: Annotated[InstantQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    response: Response,
) -> ProblemView:
    """Show a problem as it is, or as it was recorded at an instant."""
    seen, upto = await desk.blocking(read_one, desk, PROBLEMS, ref, asked)
    beside = await desk.blocking(_beside, desk, [seen], upto)
    response.headers["ETag"] = f'"{seen.version}"'
    return ProblemView.of(seen, upto, beside)


def _beside(
    desk: Desk, problems: Sequence[VersionedRecord[Problem]], upto: AsOf
) -> _Beside:
    """Return the services and the solution notes of problems. Blocks."""
    with snapshot(desk.log) as cursor:
        services = by_problem(desk.log, cursor, upto)
        of_all = {ref for seen in problems for ref in seen.record.incidents}
        noted = of_incidents(desk.log, cursor, upto, of_all, NOTES_READ_MAX)
    solutions = {
        seen.record.ref: [
            each for each in noted if each.incident in seen.record.incidents
        ][:NOTES_MAX]
        for seen in problems
    }
    return _Beside(services, solutions)


@router.get(
    "/v1/problems/{ref}/incidents",
    response_model=LinkedIncidents,
    responses=tabular(404),
)
async def list_problem_incidents(
    request: Request,
    ref: Annotated[ProblemRef, Path(description="A problem: `PRB-000001`.")],
    asked: Annotated[IncidentsQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> BaseModel | Response:
    """List the incidents of a problem, the oldest first."""
    found = await desk.blocking(read_incidents, desk, PROBLEMS, ref, asked)
    return shown(request, asked, found)


add_commands(router, "problem", BODIES, IdentifyProblem.verb, r"^PRB-[0-9]{6,12}$")
