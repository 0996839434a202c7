"""The outcome of letters is listed, and their words are there until forgotten."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from shared.eventlog.log import EventLog
from shared.security.access import create
from shared.vault import vault
from shared.vault.vault import forget
from tests.support.builders.june_log import June
from tests.support.desks.api import MASTER, Api, problem
from tests.support.desks.mail import LetterDoors
from tests.support.mail.raw_mails import mail, written

pytestmark = pytest.mark.servers

NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)


@pytest.fixture
def desk(api: Api, month: June) -> Iterator[LetterDoors]:
    """Give intake's doors on the log that the API reads."""
    dsn = api.database.dsn("desk_intake")
    with (
        closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log,
        ThreadPoolExecutor(4) as executor,
    ):
        with month.log.transaction() as cursor:
            token = create(cursor, NOW, "person:nadia", ["agent"]).token
        yield LetterDoors(log, month.log, executor, token, NOW)


def test_letters_are_listed_the_newest_first(api: Api, desk: LetterDoors) -> None:
    opened = desk.takes(mail("Le portail est blanc.", subject="Portail"))
    desk.takes(mail("Away.", message_id="<2@b.example>", precedence="bulk"))
    desk.takes(written("Subject: ?", "who?"))

    first = api.get("/v1/letters", limit=2)
    rest = api.get("/v1/letters", before=first["next_before"])

    assert [one["verdict"] for one in first["items"]] == ["unreadable", "automatic"]
    (last,) = rest["items"]
    assert last["incident"] == opened["incident"]
    assert last["sender"] == "costa@valmont.example"
    assert (last["subject"], last["words"]) == ("Portail", "Le portail est blanc.")
    assert rest["next_before"] is None


def test_letters_are_found_by_what_became_of_them(api: Api, desk: LetterDoors) -> None:
    ref = desk.takes(mail())["incident"]
    desk.takes(mail(message_id="<2@b.example>", precedence="bulk"))

    (automatic,) = api.get("/v1/letters", verdict="automatic")["items"]
    (opened,) = api.get("/v1/letters", incident=ref)["items"]

    assert "Precedence" in automatic["reason"]
    assert opened["verdict"] == "opened"


def test_the_words_of_whom_we_forgot_are_gone(
    api: Api, desk: LetterDoors, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reader that was faster may use the key for some seconds.
    monkeypatch.setattr(vault, "REMEMBERED_SECONDS", 0)
    person = desk.takes(mail())["person"]
    with desk.owner.transaction() as cursor:
        assert forget(cursor, f"person:{person}", "asked", NOW)

    (letter,) = api.get("/v1/letters")["items"]

    assert (letter["sender"], letter["words"], letter["subject"]) == (None, None, None)
    assert letter["verdict"] == "opened"


def test_who_may_not_look_people_up_sees_no_addresses(
    api: Api, desk: LetterDoors
) -> None:
    desk.takes(mail())

    (shown,) = api.call("GET", "/v1/letters", "auditor").json()["items"]

    assert shown["person"]
    assert shown["sender"] is None


def test_a_source_lists_no_letters(shared_api: Api) -> None:
    problem(shared_api.call("GET", "/v1/letters", "source"), 403)


def test_a_mail_is_intakes_to_take(shared_api: Api) -> None:
    details = problem(shared_api.call("POST", "/v1/contacts/mail", content=mail()), 503)

    assert details["code"] == "intake_away"
