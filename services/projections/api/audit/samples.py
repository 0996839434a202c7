"""Samples of closed incidents, drawn by a seed so that anyone can draw them again.

The method is in `services.projections.audit.rules`. The population follows from the
log up to a position, so a sample is always the same as long as the log is the same:
`chain`, the hash of the event at that position, says whether it is.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.projections.api.answers import Answer, shown, tabular
from services.projections.api.audit.query import PeriodParams
from services.projections.api.callers import Auditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_MAX, POSITION_MAX
from services.projections.api.position import behind, known
from services.projections.api.query_params import Name, TableQuery, unwanted
from services.projections.audit.population import (
    Filter,
    TooLarge,
    instants,
    population,
)
from services.projections.audit.rules import METHOD, sample
from services.projections.generations import AsOf
from services.projections.log_queries import rows_at
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.priorities import Priority
from shared.http.problem_details import HttpError

router = APIRouter(tags=["audit"])

SEED_MAX = 64
Seed = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$", max_length=SEED_MAX),
]
Chain = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SampleQuery(TableQuery, PeriodParams):
    """The population, the seed and the size of a sample."""

    seed: Seed
    """Letters, digits, spaces, `_`, `.` and `-`, such as `2025-Q2`. Choose it before
    you see the incidents."""
    size: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 25
    """How many incidents are drawn."""
    priority: Priority | None = None
    """Only incidents with this priority at the position."""
    client: Name | None = None
    """Only incidents of this client at the position."""
    overridden: bool = False
    """Only incidents whose priority was set by hand up to the position."""
    position: Annotated[int, Field(ge=0, le=POSITION_MAX)] | None = None
    """Draw from the log up to this position. Default: its head."""
    chain: Chain | None = None
    """The hash of the event at the position; 409 if this log has another one there."""

    @property
    def limits(self) -> Filter:
        """The limits of the population."""
        return Filter(self.priority, self.client, self.overridden)


class SampleItem(Answer):
    """An incident of a sample. What was drawn is in each row, to draw it again."""

    number: int
    incident: IncidentRef
    closed_at: AwareDatetime
    closed_position: int
    rank: str
    """SHA-256 over the method, the seed and the reference, in hex."""
    seed: str
    position: int
    chain: str
    population: int


class Sample(Answer):
    """A sample, in the order in which it was drawn."""

    method: str
    seed: str
    size: int
    start: AwareDatetime
    end: AwareDatetime
    position: int
    """The log up to which it was drawn."""
    chain: str
    """The hash of the event at the position, in hex; zeros before the first event."""
    population: int
    """How many incidents it was drawn from."""
    items: list[SampleItem]
    as_of: AsOf


@router.get("/v1/audit/sample", response_model=Sample, responses=tabular(409))
async def get_sample(
    request: Request,
    query: Annotated[SampleQuery, Query()],
    desk: DeskHere,
    _: Auditor,
) -> BaseModel | Response:
    """Draw incidents that closed in a period; the same every time, by the seed."""
    return shown(request, query, await desk.blocking(_drawn, desk, query))


def _drawn(desk: Desk, query: SampleQuery) -> Sample:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        position = upto.position if query.position is None else query.position
        if position > upto.position:
            raise behind("log", upto.position, position)
        chain = _chain_at(cursor, position, query.chain)
        span = query.span(desk.log, cursor, position)
        try:
            found = population(desk.log, cursor, span, query.limits)
        except TooLarge as error:
            raise unwanted("to", str(error)) from error
        drawn = sample(query.seed, found, query.size)
        closed = instants(cursor, [found[each.incident] for each in drawn])
    return Sample(
        method=METHOD,
        seed=query.seed,
        size=query.size,
        start=span.start,
        end=span.end,
        position=position,
        chain=chain,
        population=len(found),
        items=[
            SampleItem(
                number=number,
                incident=each.incident,
                closed_at=closed[found[each.incident]],
                closed_position=found[each.incident],
                rank=each.rank,
                seed=query.seed,
                position=position,
                chain=chain,
                population=len(found),
            )
            for number, each in enumerate(drawn, 1)
        ],
        as_of=upto,
    )


def _chain_at(cursor: Cursors, position: int, expected: str | None) -> str:
    """Return the hash at a position; `HttpError` 409 if it is not the expected one."""
    rows = rows_at(cursor, [position]) if position else []
    chain = rows[0].chain.hex() if rows else bytes(32).hex()
    if expected is not None and chain != expected:
        raise HttpError(
            409,
            f"this log has another event at position {position}: it was restored or "
            "rewritten since, or is another log, so the sample may differ",
            code="other_log",
        )
    return chain
