"""Twilio reports the result of a message: signed by it, at an address signed by us."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, NoReturn
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from pydantic import BaseModel

from services.intake.assembly import WorkerConfig
from services.intake.callbacks.endpoints import CallbackRules
from services.intake.callbacks.rules import NO_KEY
from services.intake.commands.page_taker import PageTaker
from shared.domain.events import EscalationPaged, NotificationRequested
from shared.domain.identifiers import escalation_stream, incident_stream
from shared.eventlog.batcher import Batcher
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import end
from shared.messaging.commands import CommandAnswer, CommandMessage, ProblemDetails
from shared.messaging.subjects import command
from shared.security.callback_links import PURPOSE, CallbackLink, callback_token
from shared.security.signed_links import PAGE_LINKS_PURPOSE, read_page_token
from tests.support.builders.on_call.callbacks import twilio_headers
from tests.support.desks.intake_endpoints import (
    MASTER,
    NOW,
    Doors,
    Gatekept,
    gatekept,
    through,
)
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

PUBLIC_URL = "https://desk.example"
TOKEN = "token-of-ours"
CONFIG = WorkerConfig(callbacks=CallbackRules(TOKEN, PUBLIC_URL))
KEY = "3f0c6f3e-2b1d-5f0e-9c55-0d1f6a0f8f11"
NOTICE = "3f0c6f3e-2b1d-5f0e-9c55-0d1f6a0f8f12"
DONE = CommandAnswer(outcome="recorded", incident="INC-000001", version=1, positions=[])
_PERSON = """
INSERT INTO directory.people (id, name, email, language, updated_at)
VALUES ('bruno', 'Bruno', 'bruno@desk.example', 'fr', now())
"""
_REPORTS = "SELECT key, state, reason FROM escalation.delivery_reports ORDER BY state"


class Owner:
    """The escalation service as the bus shows it: its answer, and what it was asked."""

    def __init__(self) -> None:
        self.answer: BaseModel = DONE
        self.asked: list[CommandMessage[Any]] = []

    async def request(self, subject: str, data: bytes, timeout: float) -> Any:  # noqa: ASYNC109 # as of NATS
        """Answer a command."""
        assert (subject, timeout) == (command("escalation", "take_page"), 10.0)
        self.asked.append(CommandMessage[Any].model_validate_json(data))
        return SimpleNamespace(data=self.answer.model_dump_json().encode())


@dataclass
class Called:
    """A desk of which bruno was paged about the first incident."""

    desk: Gatekept
    incident: str

    owner: Owner = field(default_factory=Owner)

    def path(self, key: str = KEY, days: int = 1) -> str:
        """Return the address at which the message of a key is reported."""
        signing = self.key_of(PURPOSE)
        until = NOW + timedelta(days=days)
        link = CallbackLink(self.incident, key, "bruno", until)
        return f"/v1/callbacks/twilio/{callback_token(signing, link)}"

    def key_of(self, purpose: str) -> bytes:
        """Return the key that signs links for a purpose."""
        with self.desk.owner() as log:
            key = log.vault.key_for(purpose)
        assert key is not None
        return key

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database as its owner."""
        with psycopg.connect(self.desk.database.owner_dsn) as owner:
            return owner.execute(query).fetchall()

    def reports(self) -> list[tuple[Any, ...]]:
        """Return what is stored for escalation."""
        return self.sql(_REPORTS)

    def posts(
        self,
        *posts: tuple[str, Mapping[str, str]],
        token: str = TOKEN,
        config: WorkerConfig = CONFIG,
    ) -> list[httpx.Response]:
        """Post forms as Twilio would, and return the answers."""
        answers = []

        async def scenario(doors: Doors) -> None:
            parts = doors.parts
            commands = asyncio.create_task(parts.commands.run())
            bus: Any = SimpleNamespace(client=self.owner)
            taker = PageTaker(parts.log.vault, parts.commands, bus)
            parts.letters.pages = taker
            for path, form in posts:
                answer = await doors.client.post(
                    path,
                    content=urlencode(form).encode(),
                    headers=twilio_headers(token, PUBLIC_URL + path, form),
                )
                answers.append(answer)
            await end(commands)

        through(self.desk, scenario, config)
        return answers


@pytest.fixture
def called(database: Database) -> Iterator[Called]:
    with gatekept(database) as desk:
        with psycopg.connect(database.owner_dsn) as owner:
            owner.execute(_PERSON)
        found = []

        async def opens(doors: Doors) -> None:
            answer = await doors.post()
            found.append(answer.json()["results"][0]["incident"])

        through(desk, opens)
        _page(database, found[0])
        yield Called(desk, found[0])


def _page(database: Database, incident: str) -> None:
    log = EventLog.open(database.dsn("desk_escalation"), master=MASTER, pool_size=1)
    on: dict[str, Any] = {"at": NOW, "by": "system:escalation", "incident": incident}
    page = EscalationPaged(
        **on,
        policy=1,
        key=f"{incident}.1.1.n2.0.1",
        cycle=1,
        level="n2",
        step=0,
        loop=1,
        who="person",
        people=("bruno",),
        due_at=NOW,
    )
    request = NotificationRequested(
        **on,
        policy=1,
        key=KEY,
        kind="page",
        audience="staff",
        channel="voice",
        person="bruno",
        cause_stream=escalation_stream(incident),
        cause_version=1,
    )
    notice = {"key": NOTICE, "kind": "manager", "cause_version": 2}
    warning = request.model_copy(update=notice)
    log.record(escalation_stream(incident), 0, [page, request, warning])
    log.close()


@pytest.mark.parametrize(
    ("form", "stored"),
    [
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, []),
        ({"MessageSid": "SM1", "MessageStatus": "delivered"}, [("delivered", "")]),
        (
            {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"},
            [("failed", "the operator did not deliver it (Twilio 30003)")],
        ),
        (
            {"MessageStatus": "failed", "ErrorCode": "call +33612345678"},
            [("failed", "the operator did not deliver it")],
        ),
        ({"CallStatus": "ringing"}, []),
        ({"CallStatus": "no-answer"}, [("failed", "nobody answered the call")]),
        ({"CallStatus": "completed"}, [("failed", NO_KEY)]),
        ({}, []),
    ],
)
def test_what_is_final_is_stored_for_the_service_that_sends(
    called: Called, form: dict[str, str], stored: list[tuple[str, str]]
) -> None:
    path = called.path()
    answers = called.posts((path, form), (path, form))

    assert [each.status_code for each in answers] == [204, 204]
    assert called.reports() == [(KEY, *each) for each in stored]


DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered"}


@pytest.mark.parametrize("config", [CONFIG, WorkerConfig()], ids=["other", "none"])
def test_a_stranger_reports_nothing(called: Called, config: WorkerConfig) -> None:
    (answer,) = called.posts((called.path(), DELIVERED), token="x", config=config)

    assert answer.status_code == 403
    assert called.reports() == []


def test_an_address_that_we_did_not_sign_or_that_is_old_leads_nowhere(
    called: Called,
) -> None:
    expired, path = called.path(days=0), called.path()
    wrong = f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}"
    answers = called.posts(
        (expired, DELIVERED),
        (wrong, DELIVERED),
        ("/v1/callbacks/twilio/x", DELIVERED),
        ("/v1/callbacks/twilio/_-_-", DELIVERED),
    )

    assert [each.status_code for each in answers] == [404] * 4
    assert len({each.json()["detail"] for each in answers}) == 1
    assert called.reports() == []


def acknowledged_by(called: Called) -> list[str]:
    with called.desk.owner() as log:
        history = log.history(incident_stream(called.incident))
    return [e.event.by for e in history if e.type == "incident.acknowledged"]


def test_the_key_1_takes_the_incident_as_the_person_who_was_called_once(
    called: Called,
) -> None:
    path = f"{called.path()}/key"
    answers = called.posts((path, {"Digits": "1"}), (path, {"Digits": "1"}))

    take, again = called.owner.asked
    assert take == again
    assert take.credential
    link = read_page_token([called.key_of(PAGE_LINKS_PURPOSE)], take.credential.secret)
    assert link
    assert (link.page, link.person) == (f"{called.incident}.1.1.n2.0.1", "bruno")
    assert take.body == {"page": link.page, "via": "call"}
    assert [each.headers["content-type"] for each in answers] == ["application/xml"] * 2
    assert "L’incident est pris en compte." in answers[0].text
    assert 'language="fr-FR"' in answers[0].text
    assert acknowledged_by(called) == ["person:bruno"]
    assert called.reports() == [(KEY, "delivered", "")]


@pytest.mark.parametrize(("status", "told"), [(403, "un collègue"), (503, "pas été")])
def test_what_escalation_refuses_is_not_acknowledged_and_the_call_says_so(
    called: Called, status: int, told: str
) -> None:
    called.owner.answer = ProblemDetails(title="No", status=status, detail="no")
    (answer,) = called.posts((f"{called.path()}/key", {"Digits": "1"}))

    assert (answer.status_code, told in answer.text) == (200, True)
    assert acknowledged_by(called) == []
    assert called.reports() == [(KEY, "delivered", "")]


def test_a_call_while_the_log_is_away_says_that_nothing_was_taken(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> NoReturn:
        raise Unavailable("the log is away")

    monkeypatch.setattr(Batcher, "submit", away)
    (answer,) = called.posts((f"{called.path()}/key", {"Digits": "1"}))

    assert (answer.status_code, "pas été" in answer.text) == (200, True)
    assert acknowledged_by(called) == []


def test_the_key_1_only_confirms_a_notice(called: Called) -> None:
    (answer,) = called.posts((f"{called.path(NOTICE)}/key", {"Digits": "1"}))

    assert "Le message est confirmé." in answer.text
    assert (called.owner.asked, acknowledged_by(called)) == ([], [])
    assert called.reports() == [(NOTICE, "delivered", "")]


@pytest.mark.parametrize("form", [{"Digits": "2"}, {}, {"Digits": "11"}])
def test_another_key_does_nothing(called: Called, form: dict[str, str]) -> None:
    (answer,) = called.posts((f"{called.path()}/key", form))

    assert "n’a pas été pris en compte" in answer.text
    assert acknowledged_by(called) == []
    assert called.reports() == []


def test_a_message_that_was_never_requested_or_before_a_restore_takes_nothing(
    called: Called,
) -> None:
    paths = [called.path(key) for key in ("another-key", f"{KEY}@2-5f3a09c1")]
    called.posts(*((f"{path}/key", {"Digits": "1"}) for path in paths))

    assert (called.owner.asked, acknowledged_by(called)) == ([], [])


def test_a_body_that_is_no_form_is_answered_in_words(called: Called) -> None:
    async def scenario(doors: Doors) -> None:
        answer = await doors.client.post(called.path(), content=b"\xff=1")
        assert (answer.status_code, answer.json()["detail"]) == (
            400,
            "the body is not a form of Twilio",
        )

    through(called.desk, scenario, CONFIG)
