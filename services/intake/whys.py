"""The doors at which is asked why: what was suppressed, and how a trouble stands.

A source hears of its own signals, people of everybody's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import ValidationError as Invalid
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.callers import bearer, seen_by
from services.intake.decisions import decisions, known_sources
from services.intake.doors import Doors
from services.intake.json_answers import json_answer
from services.intake.pipeline.suppressing import Suppressor
from services.intake.signals import DEDUP_KEY_MAX
from services.intake.suppressed import PAGE, PAGE_MAX, Asked, find_suppressed
from shared.http.error_responses import answered
from shared.http.problem_details import HttpError
from shared.validation_messages import said

NAME_MAX = 128
_Found = TypeVar("_Found")
_Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f]+$"),
]


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: _Name | None = None


class _OfSuppressed(_Question):
    service: _Name | None = None
    code: Suppressor | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE
    cursor: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


class _OfDecisions(_Question):
    dedup_key: Annotated[
        str,
        StringConstraints(
            min_length=1, max_length=DEDUP_KEY_MAX, pattern=r"^[^\x00-\x1f]+$"
        ),
    ]


_Kind = TypeVar("_Kind", bound=_Question)


def why_routes(doors: Doors) -> list[Route]:
    """Return the routes at which is asked why."""

    async def suppressed(request: Request) -> Response:
        return await _suppressed(doors, request)

    async def decided(request: Request) -> Response:
        return await _decided(doors, request)

    return [
        Route("/v1/suppressed", answered(suppressed), methods=["GET"]),
        Route("/v1/decisions", answered(decided), methods=["GET"]),
    ]


async def _suppressed(doors: Doors, request: Request) -> Response:
    """Give a page of suppressed signals, the newest first."""
    asked = await _asked(doors, request, _OfSuppressed)
    query = Asked(
        asked.source,
        asked.service,
        asked.code,
        asked.since,
        asked.until,
        asked.cursor,
        asked.limit + 1,
    )
    found = await _in_thread(doors, partial(find_suppressed, doors.log, query))
    page = found[: asked.limit]
    more = len(found) > len(page)
    return json_answer(
        {"items": page, "next_cursor": page[-1].suppressed_id if more else None}
    )


async def _decided(doors: Doors, request: Request) -> Response:
    """Tell how the trouble of a key stands, at one source or at all of them."""
    asked = await _asked(doors, request, _OfDecisions)

    def look() -> object:
        sources = [asked.source] if asked.source else known_sources(doors.log)
        return decisions(doors.log, sources, asked.dedup_key)

    return json_answer({"items": await _in_thread(doors, look)})


async def _asked(doors: Doors, request: Request, kind: type[_Kind]) -> _Kind:
    """Return the question; a source may ask of itself only."""
    own = seen_by(await doors.gate.caller(request, bearer(request)))
    fields = {name: _with_plus(value) for name, value in request.query_params.items()}
    try:
        question = kind.model_validate(fields)
    except Invalid as error:
        raise _wrong(error) from error
    if own is None:
        return question
    if question.source not in (None, own):
        raise HttpError(403, f"this key is of `{own}`: ask of it only", code="scope")
    return question.model_copy(update={"source": own})


def _with_plus(text: str) -> str:
    """Put back the plus of a zone: in a query string it means a space."""
    head, blank, zone = text.rpartition(" ")
    return f"{head}+{zone}" if blank and zone[:2].isdigit() else text


def _wrong(error: Invalid) -> HttpError:
    found = error.errors(include_url=False, include_input=False)
    errors = [
        {"loc": ["query", *each["loc"]], "msg": said(each), "type": each["type"]}
        for each in found
    ]
    first = errors[0]
    where = ".".join(map(str, first["loc"][1:]))
    return HttpError(422, f"{where}: {first['msg']}", errors=errors)


async def _in_thread(doors: Doors, look: Callable[[], _Found]) -> _Found:
    loop = asyncio.get_running_loop()
    asked: Awaitable[_Found] = loop.run_in_executor(doors.executor, look)
    return await asked
