"""Each error of the API is answered as problem+json; what is expected is not raised."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from services.projections.api.errors import answer_errors
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
