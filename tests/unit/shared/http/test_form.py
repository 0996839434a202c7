"""The form says why it takes nothing, whichever service shows it; the words stay."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.routing import Router

from shared.contacts.endpoints import form_routes
from shared.contacts.form import KEY_REUSED, FormDesk
from shared.domain.commands.contact import Reported
from shared.domain.policy.document import Policy
from shared.eventlog.errors import Unavailable
from shared.http.problem_details import HttpError
from tests.support.policies import full

NOW = datetime(2025, 6, 30, 7, tzinfo=UTC)
GIVEN = {
    "email": "zoe@elsewhere.example",
    "words": "The totals are wrong",
    "key": "a-key-of-ones-own",
}
REFERENCE = "INC-000042"


async def at_once(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return call(*args, **kwargs)


async def taken(*_: object) -> Reported:
    return Reported(verdict="taken", incident=REFERENCE, reported_at=NOW, policy=3)


async def held(*_: object) -> Reported:
    return Reported(verdict="held")


async def away(*_: object) -> Reported:
    raise HttpError(503, "nobody takes commands at the moment", code="owner_away")


async def reused(*_: object) -> Reported:
    raise HttpError(422, "this `key` was used for another report", code=KEY_REUSED)


def unreadable() -> Policy:
    raise Unavailable("PostgreSQL is away")


def asked(form: FormDesk, method: str, path: str, **given: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Router(routes=form_routes(form)))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://desk"
        ) as client:
            return await client.request(method, path, **given)

    return asyncio.run(ask())


def form_of(report: Any = taken, policy: Any = full, **how: Any) -> FormDesk:
    return FormDesk(policy, lambda _: policy(), report, at_once, **how)


def test_a_report_has_its_reference_on_the_page_and_in_json() -> None:
    page = asked(form_of(), "POST", "/report", data=GIVEN)
    answer = asked(form_of(), "POST", "/v1/reports", json=GIVEN)

    assert (page.status_code, answer.status_code) == (201, 201)
    assert f'id="reference">{REFERENCE}<' in page.text
    assert answer.json()["incident"] == REFERENCE


@pytest.mark.parametrize(
    ("form", "status", "why"),
    [
        (form_of(is_open=False), 404, "Ce centre de services ne prend pas"),
        (form_of(held), 429, "Trop de signalements"),
        (form_of(away), 503, "renvoyez-le dans une minute"),
    ],
)
def test_why_nothing_is_taken_is_said_in_the_readers_language(
    form: FormDesk, status: int, why: str
) -> None:
    page = asked(form, "POST", "/report", data={**GIVEN, "lang": "fr"})
    answer = asked(form, "POST", "/v1/reports", json=GIVEN)

    assert (page.status_code, answer.status_code) == (status, status)
    assert why in page.text


def test_what_was_written_is_given_back_while_nobody_takes_it() -> None:
    page = asked(form_of(away), "POST", "/report", data=GIVEN)

    assert all(written in page.text for written in GIVEN.values())


def test_what_was_written_with_a_used_key_is_given_back_with_a_new_key() -> None:
    page = asked(form_of(reused), "POST", "/report", data=GIVEN)
    answer = asked(form_of(reused), "POST", "/v1/reports", json=GIVEN)

    assert (page.status_code, answer.status_code) == (422, 422)
    assert "Send it again if this is another report" in page.text
    assert GIVEN["words"] in page.text
    assert GIVEN["email"] in page.text
    assert GIVEN["key"] not in page.text
    assert re.search(r'name="key" value="[\w-]{16,}"', page.text)


def test_a_report_is_taken_although_nobody_can_say_what_is_promised() -> None:
    form = form_of(policy=unreadable)

    shown = asked(form, "GET", "/report?lang=fr")
    answer = asked(form, "POST", "/v1/reports", json=GIVEN)

    assert shown.status_code == 503
    assert "Le journal est injoignable" in shown.text
    assert answer.json() == {"incident": REFERENCE, "promises": [], "left_out": []}
