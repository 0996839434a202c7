"""A report of the form that is sent again is the same one only in the same words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.routing import Router

from services.intake.app import rooms
from services.intake.assembly import Parts
from services.intake.inbound_mail.context import LETTERS_AN_HOUR_MAX
from services.intake.inbound_mail.subscriber import report_taken
from shared.contacts.form import KEY_REUSED
from shared.domain.commands.contact import Report, Reported
from shared.http.error_responses import complete
from shared.http.problem_details import HttpError
from tests.support.desks.mail import LetterDoors, apply_mailbox, mailbox_desk
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

HERE = "http://127.0.0.1"
WORDS = "The totals are wrong"


@pytest.fixture
def desk(database: Database) -> Iterator[LetterDoors]:
    """Give the doors of a desk."""
    with mailbox_desk(database) as desk:
        yield desk


def reports(
    desk: LetterDoors,
    words: str = WORDS,
    service: str | None = "web",
    key: str = "a-key-of-ones-own",
) -> Reported:
    """Send the form."""
    report = Report(
        email="zoe@elsewhere.example", words=words, service=service, key=key
    )

    async def take(parts: Parts) -> Reported:
        return await report_taken(parts.letters, report)

    return desk.with_parts(take)


def posts(desk: LetterDoors) -> dict[str, Any]:
    """Send the form to intake; return the answer."""
    body = {
        "email": "zoe@elsewhere.example",
        "words": WORDS,
        "service": "web",
        "key": "made-by-a-portal",
    }

    async def knock(parts: Parts) -> dict[str, Any]:
        routes = complete(rooms(parts).routes)
        transport = httpx.ASGITransport(Router(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            answer = await client.post("/v1/reports", json=body)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return desk.with_parts(knock)


def refused(desk: LetterDoors, words: str = WORDS, **how: str) -> str:
    """Send the form, which is to be refused because of its key; return the sentence."""
    with pytest.raises(HttpError) as no:
        reports(desk, words, **how)
    assert (no.value.details.status, no.value.details.code) == (422, KEY_REUSED)
    return no.value.details.detail


def test_the_same_report_sent_again_is_the_same_incident(desk: LetterDoors) -> None:
    first = reports(desk, f"{WORDS}\nsince May")
    desk.now += timedelta(hours=1)

    assert reports(desk, f"{WORDS}\r\nsince May") == first
    assert desk.asks("SELECT count(*) FROM intake.letters") == [(1,)]


def test_the_same_report_has_the_same_promises_though_time_and_policy_moved_on(
    desk: LetterDoors,
) -> None:
    first = posts(desk)
    desk.now += timedelta(hours=1)
    apply_mailbox(desk.owner, ("tto: {p1: 15m, p2: 30m", "tto: {p1: 15m, p2: 20m"))

    assert {each["target"] for each in first["promises"]} == {"tto", "ttr"}
    assert posts(desk) == first


def test_a_key_with_other_words_or_another_service_is_refused(
    desk: LetterDoors,
) -> None:
    first = reports(desk)

    assert "another `key`" in refused(desk, "The printer burns")
    refused(desk, service="mail")
    again = reports(desk, "The printer burns", key="another-key-of-ones-own")
    assert again.incident != first.incident
    assert len(desk.history(first.incident or "")) == 2


def test_it_is_refused_too_if_the_first_was_recorded_and_not_kept(
    desk: LetterDoors,
) -> None:
    first = reports(desk)
    with desk.owner.transaction() as cursor:
        cursor.execute("DELETE FROM intake.letters")

    refused(desk, "The printer burns")
    assert reports(desk).incident == first.incident


def test_it_is_refused_too_if_the_first_is_held(desk: LetterDoors) -> None:
    for number in range(LETTERS_AN_HOUR_MAX):
        reports(desk, key=f"a-key-of-ones-own-{number}")
    assert reports(desk).verdict == "held"

    refused(desk, "The printer burns")
    assert reports(desk).verdict == "held"


def test_a_service_that_the_policy_does_not_name_loses_no_report(
    desk: LetterDoors,
) -> None:
    taken = reports(desk, service="renamed-since")

    assert desk.history(taken.incident or "")[0].service == "unknown"
