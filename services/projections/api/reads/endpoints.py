"""Who read an incident, and what somebody read: for auditors, with a reason.

A question is recorded before it is answered, by the same call to the database. It is a
POST, since a GET that records something is repeated by browsers and caches.
"""

import base64
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.projections.api.answers import body_of, shown, tabular
from services.projections.api.callers import OnlyAuditor
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import refused, require_order
from services.projections.api.reads.schemas import (
    Reads,
    ReadsQuery,
    ReadsQuestion,
    ReadView,
)
from services.projections.reads.store import Place, Question, ask
from shared.domain.bounded_text import EARLIEST
from shared.http.bodies import read_object, validated
from shared.http.problem_details import HttpError

router = APIRouter(tags=["audit"])


async def _question(request: Request, _: OnlyAuditor) -> ReadsQuestion:
    """Return the question; the body of others is not read."""
    return validated(ReadsQuestion, await read_object(request), "question")


@router.post(
    "/v1/audit/reads",
    response_model=Reads,
    responses=tabular(400, 413, 415),
    openapi_extra=body_of(ReadsQuestion),
)
async def ask_who_read(
    request: Request,
    query: Annotated[ReadsQuery, Query()],
    desk: DeskHere,
    caller: OnlyAuditor,
    wanted: Annotated[ReadsQuestion, Depends(_question)],
) -> BaseModel | Response:
    """Ask who read a record, or what somebody read in a period.

    The question and its reason are recorded first, and kept as long as the rows.
    """
    question = _asked(wanted, caller.actor, desk.clock())
    before = _place(query.cursor)
    page = await desk.blocking(_answer, desk, question, before, query.limit)
    return shown(request, query, page)


def _asked(wanted: ReadsQuestion, by: str, now: datetime) -> Question:
    """Return the question with its period. Raises `HttpError` 422."""
    if wanted.record is None and wanted.reader is None:
        raise _incomplete("record", "name a record, a reader or both")
    if wanted.record is None and (wanted.start is None or wanted.end is None):
        raise _incomplete("from", "say in which period: `from` and `to`")
    start, end = wanted.start or EARLIEST, wanted.end or now
    require_order(("from", "to"), start, end)
    return Question(by, wanted.reason, wanted.record, wanted.reader, start, end)


def _incomplete(name: str, sentence: str) -> HttpError:
    errors = [{"loc": [name], "msg": sentence, "type": "missing"}]
    return HttpError(422, sentence, code="invalid", errors=errors)


def _answer(desk: Desk, question: Question, before: Place | None, limit: int) -> Reads:
    with desk.log.transaction() as cursor:
        rows = ask(cursor, question, desk.clock(), before, limit + 1)
    page = rows[:limit]
    more = len(rows) > limit
    return Reads(
        items=[ReadView.model_validate(row) for row in page],
        next_cursor=_cursor(Place(page[-1].at, page[-1].key)) if more else None,
    )


def _cursor(place: Place) -> str:
    written = orjson.dumps([place.at.astimezone(UTC), place.key])
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def _place(cursor: str | None) -> Place | None:
    """Return the place in a cursor; `HttpError` 422 if it is not one of ours."""
    if cursor is None:
        return None
    try:
        at, key = orjson.loads(base64.urlsafe_b64decode(f"{cursor}==="))
        return Place(datetime.fromisoformat(at).astimezone(UTC), key.replace("\0", ""))
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        sentence = "this is not a cursor: take `next_cursor` as it was given"
        raise refused("cursor", "cursor", sentence, code="cursor") from error
