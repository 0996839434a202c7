"""Each error of the API is answered as problem+json; what is expected is not raised."""

import asyncio
from http import HTTPStatus

import httpx
import pytest
from fastapi import FastAPI

from services.projections.api.errors import answer_errors
from services.projections.web.api_client import ApiError
from services.projections.web.link_pages import LinkPage
from shared.eventlog.append import TooLarge
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.http.problem_details import HttpError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("no connection"), 503),
        (Overloaded(), 429),
        (TimeoutError(), 503),
        (TooLarge("an event of 70 KB"), 413),
        (HttpError(409, "it is closed: reopen it first"), 409),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_go_wrong_is_answered_and_leaves_no_traceback(
    error: Exception, status: int
) -> None:
    app = FastAPI()
    answer_errors(app)

    @app.get("/")
    async def fails() -> None:
        raise error

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)  # raises what the server would log
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get("http://desk/")

    answer = asyncio.run(ask())

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("status", "state", "is_said"),
    [
        (HTTPStatus.CONFLICT, "answered", True),
        (HTTPStatus.CONFLICT, "open", False),
        (HTTPStatus.CONFLICT, None, False),
        (HTTPStatus.SERVICE_UNAVAILABLE, "answered", False),
        (HTTPStatus.FORBIDDEN, "answered", False),
    ],
)
def test_a_page_behind_a_link_leaves_out_only_that_nothing_is_left_to_answer(
    status: HTTPStatus, state: str | None, is_said: bool
) -> None:
    link = LinkPage("a.html", "/a", "/v1/a", answerable=frozenset({"open"}))
    error = ApiError(status, "state", "it cannot be answered")

    assert link.says_why(error, {"state": state} if state else None) is is_said
