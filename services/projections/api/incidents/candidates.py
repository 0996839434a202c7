"""Open incidents to which a contact may belong: proposed here, chosen by a person."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.queues import behind_unless
from services.projections.api.limits import WAIT_SECONDS_MAX
from services.projections.api.query_params import Name, QueryParams, refusals
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.row import QueueRow
from services.projections.read_models import QUEUE
from services.projections.snapshots import snapshot
from shared.domain.policy.contracts import UNKNOWN

router = APIRouter(tags=["contacts"])

CANDIDATES_MAX = 10
"""The maximum number of proposals for each reason."""

Because = Literal["person", "service"]


class CandidatesQuery(QueryParams):
    """Who contacts the desk, and about which service."""

    person: Name | None = None
    service: Name | None = None


class Candidate(Answer):
    """An open incident, and why the contact may belong to it."""

    incident: QueueRow
    because: list[Because]
    """Reasons: the same person reported it first; it is about the same service."""


class Candidates(Answer):
    """Candidates, the most likely first."""

    items: list[Candidate]
    as_of: AsOfAnswer


@router.get("/v1/contacts/candidates", responses=refusals())
async def get_candidates(
    asked: Annotated[CandidatesQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
) -> Candidates:
    """Propose open incidents to which a contact may belong, by person and service."""
    await desk.progress.wait(QUEUE.name, asked.min_position, WAIT_SECONDS_MAX)
    return await desk.blocking(_candidates, desk, asked)


def _candidates(desk: Desk, asked: CandidatesQuery) -> Candidates:
    wanted: dict[Because, Filters] = {}
    if asked.person:
        wanted["person"] = Filters(reporter=asked.person)
    if asked.service and asked.service != UNKNOWN:
        wanted["service"] = Filters(service=asked.service)
    found: dict[str, QueueRow] = {}
    reasons: dict[str, list[Because]] = {}
    part = Part(None, CANDIDATES_MAX, desk.clock())
    with snapshot(desk.log) as cursor:
        schema, known = behind_unless(cursor, asked.min_position)
        for because, filters in wanted.items():
            queue = QueueName("all")
            for row in page(cursor, schema, queue, filters, part).rows:
                found[row.ref] = row
                reasons.setdefault(row.ref, []).append(because)
    likely = sorted(found, key=lambda ref: (-len(reasons[ref]), reasons[ref][0]))
    return Candidates(
        items=[Candidate(incident=found[ref], because=reasons[ref]) for ref in likely],
        as_of=AsOfAnswer.model_validate(known),
    )
