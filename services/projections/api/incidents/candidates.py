"""Incidents that may report the same as one: candidates to merge it into."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, person_of, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import known_to, no_incident
from services.projections.api.query_params import QueryParams, Ref
from services.projections.api.redaction import redacted_rows
from services.projections.generations import AsOf
from services.projections.queue.duplicates import Reason, near, ranked
from services.projections.queue.row import QueueRow, with_own_reminders
from services.projections.queue.store import load
from services.projections.read_models import QUEUE
from services.projections.sight import visible
from services.projections.snapshots import snapshot
from shared.domain.identifiers import IncidentRef
from shared.domain.incident import AT_WORK
from shared.security.access import Caller

router = APIRouter(tags=["incidents"])


class CandidatesQuery(QueryParams):
    """Which incidents to propose."""

    status: Literal["at_work", "all"] = "at_work"
    """`all`: also those that were resolved or have ended. An incident can be linked to
    them, but not merged into them."""


class MergeCandidate(Answer):
    """An incident that may report the same, and why."""

    incident: QueueRow
    at_work: bool
    """Whether it is at work: only then can another incident be merged into it."""
    score: int
    """How much the two have in common; at least 3."""
    because: list[Reason]
    """What they have in common: what counts most comes first."""


class MergeCandidates(Answer):
    """Candidates, the likeliest first."""

    incident: IncidentRef
    items: list[MergeCandidate]
    as_of: AsOf


@router.get("/v1/incidents/{ref}/candidates", responses=refusals(404))
async def list_merge_candidates(
    ref: Ref,
    query: Annotated[CandidatesQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> MergeCandidates:
    """Propose incidents that may report the same, reported within a week of it.

    With `status=all` also incidents that ended in the month before it. They are
    compared by reporter, client, service, labels (such as the host) and words of the
    title. Nothing is merged by itself.
    """
    await desk.reached(query.min_position, QUEUE)
    return await desk.blocking(_candidates, desk, ref, query, caller)


def _candidates(
    desk: Desk, ref: str, query: CandidatesQuery, caller: Caller
) -> MergeCandidates:
    sight = sight_of(caller)
    with snapshot(desk.log) as cursor:
        schema, upto = known_to(cursor, QUEUE, query.min_position)
        of = load(cursor, schema, [ref]).get(ref)
        if of is None or not visible(cursor, schema, sight, [ref]):
            raise no_incident(ref)
        others = near(cursor, schema, of, sight, ended=query.status == "all")
        others = redacted_rows(desk.log, cursor, sight, others)
    seen = with_own_reminders(others, person_of(caller))
    return MergeCandidates(
        incident=ref,
        items=[
            MergeCandidate(
                incident=each.row,
                at_work=each.row.status in AT_WORK,
                score=each.likeness.score,
                because=list(each.likeness.because),
            )
            for each in ranked(of, seen)
        ],
        as_of=upto,
    )
