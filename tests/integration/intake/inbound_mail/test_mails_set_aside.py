"""A letter that was set aside is taken all the same, once a person has looked at it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.assembly import Parts
from services.intake.directory import store as directory_store
from services.intake.inbound_mail import parser
from services.intake.inbound_mail.context import LETTERS_AN_HOUR_MAX
from services.intake.inbound_mail.endpoints import mail_routes
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.security.access import create
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.mail import LetterDoors
from tests.support.mail.broken_mails import BROKEN
from tests.support.mail.raw_mails import mail
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

COSTA = {"id": "costa", "name": "M. Costa", "email": "Costa@Valmont.example"}


@pytest.fixture
def desk(ruled: Database) -> Iterator[LetterDoors]:
    """Give the doors of a desk that knows somebody."""
    dsn = ruled.dsn("desk_intake")
    with (
        closing(EventLog.open(ruled.owner_dsn)) as owner,
        closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        with owner.transaction() as cursor:
            token = create(cursor, NOW, "person:nadia", ["agent"]).token
            directory_store.import_people(cursor, [COSTA], NOW)
        yield LetterDoors(log, owner, executor, token, NOW)


def again(
    desk: LetterDoors, letter: str, *, times: int = 1, **body: Any
) -> httpx.Response:
    """Say of a letter that it is to be taken; return the last answer."""
    headers = {"Authorization": f"Bearer {desk.token}"}

    async def knock(parts: Parts) -> httpx.Response:
        transport = httpx.ASGITransport(
            Router(routes=complete(mail_routes(parts.context, parts.letters)))
        )
        async with httpx.AsyncClient(
            transport=transport, base_url="http://intake"
        ) as client:
            path = f"/v1/letters/{letter}/retry"
            answers = [
                await client.post(path, json=body, headers=headers)
                for _ in range(times)
            ]
        return answers[-1]

    return desk.with_parts(knock)


def kept(desk: LetterDoors) -> list[tuple[Any, ...]]:
    return desk.asks(
        "SELECT verdict, incident, person, retried_by FROM intake.letters"
        " ORDER BY letter_id"
    )


def test_what_looked_like_a_machines_opens_once_a_person_says_so(
    desk: LetterDoors,
) -> None:
    told = desk.takes(mail("The portal is down.", subject="Out of office: portal"))
    assert told["verdict"] == "automatic"

    taken = again(desk, told["letter"])

    assert taken.status_code == 201, taken.text
    ref = taken.json()["incident"]
    opened, contacted = desk.history(ref)
    assert (opened.reporter, contacted.words) == ("costa", "The portal is down.")
    assert kept(desk) == [("opened", ref, "costa", "person:nadia")]


def test_what_was_one_too_many_is_attached_where_it_belongs(desk: LetterDoors) -> None:
    ref = desk.takes(mail(message_id="<0@valmont.example>"))["incident"]
    for n in range(1, LETTERS_AN_HOUR_MAX):
        desk.takes(mail(message_id=f"<{n}@valmont.example>"))
    reply = f"<{ref}@permanence.example>"
    told = desk.takes(mail("Le 40 312.", message_id="<x@v.example>", in_reply_to=reply))
    assert told["verdict"] == "held"

    taken = again(desk, told["letter"])

    assert taken.status_code == 200, taken.text
    assert (taken.json()["verdict"], taken.json()["incident"]) == ("attached", ref)
    assert desk.history(ref)[-1].words == "Le 40 312."


def test_taken_twice_it_is_one_contact(desk: LetterDoors) -> None:
    told = desk.takes(mail("Down.", subject="Out of office"))

    twice = again(desk, told["letter"], times=2)

    assert twice.status_code == 409
    assert "taken already" in twice.json()["detail"]
    rows = desk.asks("SELECT 1 FROM log.events WHERE topic = 'incident.opened'")
    assert len(rows) == 1


def test_an_agent_says_where_it_belongs(desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    told = desk.takes(
        mail("Absent.", message_id="<2@v.example>", subject="Out of office")
    )

    taken = again(desk, told["letter"], incident=ref)

    assert (taken.json()["verdict"], taken.json()["incident"]) == ("attached", ref)


def test_what_still_cannot_be_taken_stays_and_says_why(desk: LetterDoors) -> None:
    told = desk.takes(mail(sender="nobody"))
    assert told["verdict"] == "unreadable"

    taken = again(desk, told["letter"])

    assert taken.status_code == 200
    assert taken.json()["verdict"] == "unreadable"
    assert kept(desk)[0][0] == "unreadable"


def test_what_is_no_letter_or_needs_no_retry_is_told(desk: LetterDoors) -> None:
    taken = desk.takes(mail())["letter"]

    assert again(desk, taken).status_code == 409
    assert again(desk, "7").status_code == 404
    assert again(desk, taken.replace(taken[0], "0")).status_code in {404, 409}
    assert again(desk, taken, incident="x").status_code == 422
    assert again(desk, taken, colour="red").status_code == 422


def test_what_was_forgotten_cannot_be_taken(desk: LetterDoors, ruled: Database) -> None:
    told = desk.takes(mail("Down.", subject="Out of office"))
    with desk.owner.transaction() as cursor:
        cursor.execute(
            "UPDATE vault.keys SET wrapped = NULL, destroyed_at = now(),"
            " destroyed_because = 'a test' WHERE owner = 'person:costa'"
        )

    # A process that has used the key a moment ago still holds it.
    dsn = ruled.dsn("desk_intake")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log:
        answer = again(
            replace(desk, log=log, registry=CollectorRegistry()), told["letter"]
        )

    assert answer.status_code == 409
    assert "forgotten" in answer.json()["detail"]


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_no_broken_mail_is_a_mistake_of_ours(desk: LetterDoors, raw: bytes) -> None:
    assert desk.post(raw).status_code < 500


def test_a_mail_that_cannot_be_read_is_kept_and_read_again(
    desk: LetterDoors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RecursionError

    with monkeypatch.context() as broken:
        broken.setattr(parser, "content_of", failing)
        told = desk.takes(mail("The portal is down."))
        still = again(desk, told["letter"])

    taken = again(desk, told["letter"])

    assert (told["verdict"], still.json()["verdict"]) == ("unreadable", "unreadable")
    assert taken.status_code == 201, taken.text
    assert desk.history(taken.json()["incident"])[-1].words == "The portal is down."
