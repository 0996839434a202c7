"""Whatever goes wrong, the sender hears what to do, and soon."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from shared.eventlog.append import TooLarge
from shared.eventlog.batcher import Overloaded
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.errors import Unavailable
from shared.http.error_responses import Endpoint, answered, place_of
from shared.http.problem_details import HttpError

SCOPE: Any = {"type": "http", "method": "POST", "path": "/v1/events", "headers": []}


def asked(endpoint: Endpoint) -> Response:
    async def ask() -> Response:
        return await endpoint(Request(SCOPE))

    return asyncio.run(ask())


def answer(error: Exception) -> tuple[Response, dict[str, Any]]:
    async def endpoint(_: Request) -> Response:
        raise error

    response = asked(answered(endpoint))
    return response, json.loads(bytes(response.body))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HttpError(409, "it is closed: reopen it"), 409),
        (Unavailable("connection refused"), 503),
        (Overloaded("2 wait, at most 1"), 429),
        (UnknownEvent("incident.noted at version 4"), 503),
        (TooLarge("an event of 70000 bytes"), 413),
        (ZeroDivisionError("a mistake of ours"), 500),
    ],
)
def test_each_error_has_its_status_and_a_sentence(
    error: Exception, status: int
) -> None:
    response, body = answer(error)

    assert response.status_code == body["status"] == status
    assert response.media_type == "application/problem+json"
    assert body["detail"]


def test_who_is_to_come_again_hears_when() -> None:
    response, _ = answer(Unavailable("connection refused"))

    assert int(response.headers["retry-after"]) > 0


def test_our_own_mistakes_show_nothing_of_themselves() -> None:
    _, body = answer(ZeroDivisionError("secret words"))

    assert "secret" not in json.dumps(body)


def test_a_silent_log_ends_in_a_503_that_says_it_may_be_done() -> None:
    async def hangs(_: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    response = asked(answered(hangs, seconds=0.01))

    assert response.status_code == 503
    assert "may be recorded" in bytes(response.body).decode()
    assert response.headers["retry-after"]


def test_a_mistake_is_logged_without_the_key_in_the_address() -> None:
    path = "/v1/integrations/alertmanager/pmn_0123456789ab_secret"
    params = {"type": "alertmanager", "key": "pmn_0123456789ab_secret"}

    place = place_of(Request({**SCOPE, "path": path, "path_params": params}))

    assert place == "/v1/integrations/{type}/{key}"


def test_a_refusal_is_said_in_the_form_its_callers_read() -> None:
    async def endpoint(_: Request) -> Response:
        raise HttpError(409, "it is closed: reopen it")

    response = asked(
        answered(
            endpoint, say=lambda no: Response(no.details.detail, no.details.status)
        )
    )

    assert (response.status_code, bytes(response.body)) == (
        409,
        b"it is closed: reopen it",
    )
