"""Solution notes for N1, searched by service and by words."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.projections.api.answers import Answer, shown, tabular
from services.projections.api.callers import SomeReader, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.limits import PAGE_DEFAULT, PAGE_MAX, POSITION_MAX
from services.projections.api.position import known, known_to
from services.projections.api.query_params import Name, Position, TableQuery, Words
from services.projections.api.redaction import redacted, seen_of
from services.projections.generations import AsOf
from services.projections.read_models import METRICS, WORDS
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from services.projections.solutions import NoteQuery, Solution, newest, uses
from services.projections.words.search import WordIndex
from shared.domain.events.event import Actor
from shared.domain.identifiers import IncidentRef

router = APIRouter(tags=["incidents"])


class SolutionsQuery(TableQuery):
    """Which notes to list."""

    service: Name | None = None
    """The service of their incidents."""
    q: Words | None = None
    """Words that must all occur in the note, its service or its reference, in any
    order, each a prefix from three letters on; without case and accents."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    cursor: Position = POSITION_MAX
    """`next_cursor` of the previous page."""


class NoteView(Answer):
    """A solution note: what N1 can do by itself, recorded at an incident."""

    incident: IncidentRef
    """The id of the note, to give as `solution` in `resolve`."""
    service: str
    note: str
    by: Actor
    noted_at: AwareDatetime


class SolutionView(NoteView):
    """A note, and how often it was used."""

    used: int
    """The number of resolutions that named it; 0 for readers with limits."""
    last_used_at: AwareDatetime | None


class SolutionList(Answer):
    """Some notes, the newest first."""

    items: list[SolutionView]
    next_cursor: str | None
    """Where the next page begins; null at the end."""
    as_of: AsOf


@router.get("/v1/solutions", response_model=SolutionList, responses=tabular())
async def list_solutions(
    request: Request,
    query: Annotated[SolutionsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> BaseModel | Response:
    """List solution notes, the newest first, and how often each was used."""
    searched = () if query.q is None else (WORDS,)
    await desk.reached(query.min_position, METRICS, *searched)
    found = await desk.blocking(_solutions, desk, query, sight_of(caller))
    return shown(request, query, found)


def _solutions(desk: Desk, query: SolutionsQuery, sight: Sight) -> SolutionList:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        counted_in, _ = known_to(cursor, METRICS, query.min_position)
        words = None
        if query.q is not None:
            indexed_in, upto = known_to(cursor, WORDS, query.min_position)
            words = WordIndex(desk.log.vault, indexed_in).words(query.q)
            if words is None:
                return SolutionList(items=[], next_cursor=None, as_of=upto)
        wanted = NoteQuery(query.service, words, query.cursor, query.limit)
        seen = partial(seen_of, desk.log, cursor, sight)
        found = newest(desk.log, cursor, upto, wanted, seen)
        refs = [each.incident for each in found.solutions]
        used = uses(cursor, counted_in, refs) if sight.within is None else {}
        more = found.next_before
        page = SolutionList(
            items=[_view(each, used) for each in found.solutions],
            next_cursor=None if more is None else str(more),
            as_of=upto,
        )
        return redacted(desk.log, cursor, sight, page, *refs)


def _view(solution: Solution, used: Mapping[str, tuple[int, datetime]]) -> SolutionView:
    times, last = used.get(solution.incident, (0, None))
    counted = {"used": times, "last_used_at": last}
    return SolutionView.model_validate({**solution.__dict__, **counted})
