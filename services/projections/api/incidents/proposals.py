"""Proposals during a call: what helps at once, and what the call may belong to."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, StringConstraints

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import POSITION_MAX
from services.projections.api.position import known, known_to
from services.projections.api.query_params import Name, QueryParams
from services.projections.api.redaction import seen_of
from services.projections.generations import AsOf
from services.projections.proposals import (
    Because,
    Candidate,
    Kind,
    Proposal,
    ranked,
    telling_words,
)
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.row import QueueRow
from services.projections.read_models import METRICS, QUEUE
from services.projections.records import PROBLEMS, RecordQuery
from services.projections.records import newest as newest_records
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from services.projections.solutions import NoteQuery, newest, uses
from shared.database.cursors import Cursors
from shared.domain.limits import Place
from shared.domain.policy.contracts import UNKNOWN
from shared.security.access import Caller

router = APIRouter(tags=["contacts"])

PROPOSALS_MAX = 4
"""The maximum number of proposals of each kind."""
PROBLEMS_READ_MAX = 200
NOTES_READ_MAX = 100
OPEN_READ_MAX = 50
"""How many problems, notes and open incidents are compared; the newest, or the most
urgent."""
SEARCHES_MAX = 3
"""How many words of the caller are searched for in all open incidents."""
_URGENT = frozenset({"p1", "p2"})


class ProposalsQuery(QueryParams):
    """What a call is about, as far as it is known."""

    service: Name | None = None
    words: Annotated[
        str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")
    ] = ""
    """What the caller says, as it was noted so far."""


class ProposalView(Answer):
    """Something that may help, and why it is proposed."""

    kind: Kind
    """`incident`: the call may belong to it. `workaround`: of an open problem.
    `solution`: a note on how N1 solves this."""
    ref: str
    service: str
    text: str
    """The title of the incident; otherwise what to do."""
    because: list[Because]
    at: AwareDatetime


class Proposals(Answer):
    """Proposals, the most likely first."""

    items: list[ProposalView]
    as_of: AsOf


@router.get("/v1/proposals", responses=refusals())
async def get_proposals(
    query: Annotated[ProposalsQuery, Query()], desk: DeskHere, caller: SomeReader
) -> Proposals:
    """Propose what helps during a call, by service and by the caller's words."""
    await desk.reached(query.min_position, QUEUE)
    return await desk.blocking(_proposals, desk, caller, query)


def _proposals(desk: Desk, caller: Caller, query: ProposalsQuery) -> Proposals:
    service = query.service if query.service != UNKNOWN else None
    if service is None and not telling_words(query.words):
        candidates: list[Candidate] = []
        with snapshot(desk.log) as cursor:
            _, upto = known_to(cursor, QUEUE, query.min_position)
    else:
        with snapshot(desk.log) as cursor:
            schema, upto = known_to(cursor, QUEUE, query.min_position)
            incidents = _open(
                desk, cursor, schema, (service, query.words), sight_of(caller)
            )
            candidates = [
                *(_incident(row) for row in incidents),
                *_workarounds(desk, cursor, caller),
                *_notes(desk, cursor, caller, service),
            ]
    best = ranked(candidates, service, query.words, PROPOSALS_MAX)
    return Proposals(items=[_view(each) for each in best], as_of=upto)


def _open(
    desk: Desk,
    cursor: Cursors,
    schema: str,
    asked_for: tuple[str | None, str],
    sight: Sight,
) -> list[QueueRow]:
    """Return open incidents of the service, else those with the caller's words."""
    service, words = asked_for
    part = Part(None, OPEN_READ_MAX, desk.clock())
    longest = sorted(telling_words(words), key=lambda word: (-len(word), word))
    asked = (
        [Filters(service=service)]
        if service is not None
        else [Filters(q=word) for word in longest[:SEARCHES_MAX]]
    )
    found = {
        row.ref: row
        for filters in asked
        for row in page(cursor, schema, QueueName("all"), filters, part, sight).rows
    }
    return list(found.values())


def _incident(row: QueueRow) -> Candidate:
    return Candidate(
        "incident",
        row.ref,
        row.service,
        row.title,
        row.reported_at,
        is_outage=row.priority in _URGENT and row.restored_at is None,
        is_reported=len(row.contacts.split()) > 1,
    )


def _workarounds(desk: Desk, cursor: Cursors, caller: Caller) -> Iterator[Candidate]:
    upto = known(cursor, None, 0)
    asked = RecordQuery(None, only_open=True, team=None, limit=PROBLEMS_READ_MAX)
    for item in newest_records(desk.log, cursor, PROBLEMS, upto, asked).items:
        problem = item.record
        if problem.workaround and sight_of(caller).sees(
            Place(None, problem.service, problem.team)
        ):
            yield Candidate(
                "workaround",
                problem.ref,
                problem.service,
                f"{problem.title}: {problem.workaround}",
                problem.identified_at,
            )


def _notes(
    desk: Desk, cursor: Cursors, caller: Caller, service: str | None
) -> list[Candidate]:
    upto = known(cursor, None, 0)
    asked = NoteQuery(service, None, POSITION_MAX, NOTES_READ_MAX)
    seen = partial(seen_of, desk.log, cursor, sight_of(caller))
    notes = newest(desk.log, cursor, upto, asked, seen).solutions
    schema, _ = known_to(cursor, METRICS, 0)
    used = uses(cursor, schema, [each.incident for each in notes])
    return [
        Candidate(
            "solution",
            each.incident,
            each.service,
            each.note,
            each.noted_at,
            uses=used[each.incident][0] if each.incident in used else 0,
        )
        for each in notes
    ]


def _view(proposal: Proposal) -> ProposalView:
    return ProposalView(
        kind=proposal.candidate.kind,
        ref=proposal.candidate.ref,
        service=proposal.candidate.service,
        text=proposal.candidate.text,
        because=list(proposal.because),
        at=proposal.candidate.at,
    )
