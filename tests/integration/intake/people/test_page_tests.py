"""A page test from its request to its answer: on a real log, over real servers."""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.escalation.notifications.channels.mail import MailChannel, mail_server
from services.escalation.notifications.channels.mail_message import Mailbox
from services.escalation.notifications.channels.ntfy import Ntfy
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.webhook import forgetful_client
from services.escalation.page_tests import store
from services.escalation.page_tests.recorder import PageTestRecorder
from services.escalation.page_tests.worker import PageTestWorker
from services.intake.directory.store import import_people
from services.intake.page_tests.store import PageTestDesk
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from shared.contact_methods.store import put_value, verify_value
from shared.database.cursors import Cursors
from shared.domain.commands.page_test import AnswerPageTest, RequestPageTest
from shared.domain.events import AnyEvent
from shared.domain.events.contact_method import (
    PersonContactMethodAdded,
    PersonContactMethodVerified,
)
from shared.domain.identifiers import page_test_messages_stream, person_stream
from shared.domain.page_test import PageTest
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, CommandRequest, Credential
from shared.messaging.delivery_reports import DeliveryReport
from shared.page_tests import page_tests_of
from shared.security.page_test_links import answers_page_test
from tests.integration.intake.conftest import MASTER, NOW, POLICY
from tests.support.mail.smtp_server import HOST, Inbox, open_inbox
from tests.support.servers.servers import Database
from tests.support.servers.webhook_receiver import Postbox, open_postbox

pytestmark = pytest.mark.servers

URL = "https://desk.example"
MINUTE = timedelta(minutes=1)
_GONE = """
INSERT INTO access.removed_people (person, removed_by, removed_at)
VALUES ('nadia', 'person:root', %s)
"""
_LINK = re.compile(rf"{URL}/page-test/(\S+)")


@dataclass
class Drill:
    """Intake and escalation at one database, their receivers, and a clock to set."""

    intake: EventLog
    escalation: EventLog
    owner: EventLog
    inbox: Inbox
    postbox: Postbox
    now: datetime = NOW
    position: int = 0

    def reaches(self, person: str, **methods: str) -> None:
        """Verify methods of a person, each by its kind and value."""
        common = {"at": NOW, "by": f"person:{person}", "person": person}
        named = [(f"{person}.{n}", kind) for n, kind in enumerate(methods, 1)]
        events: list[AnyEvent] = [
            PersonContactMethodAdded.model_validate(
                {**common, "method": method, "kind": kind}
            )
            for method, kind in named
        ]
        events += [
            PersonContactMethodVerified.model_validate({**common, "method": method})
            for method, _ in named
        ]
        stream = person_stream(person)
        self.owner.record(stream, self.owner.head_version(stream), events)
        with self.owner.transaction() as cursor:
            for number, (kind, value) in enumerate(methods.items(), 1):
                method = f"{person}.{number}"
                put_value(cursor, person, method, kind, value, NOW)
                verify_value(cursor, person, method, NOW)

    def asks(self, person: str = "nadia", by: str = "nadia", number: int = 0) -> Any:
        """Ask for a test, as the API does."""
        return self.desk.take(
            CommandRequest[Any](
                body=RequestPageTest(person=person),
                command_id=UUID(int=number) if number else None,
                actor=f"person:{by}",
                scopes=("agent",),
            )
        )

    @property
    def desk(self) -> PageTestDesk:
        """What takes commands."""
        return PageTestDesk(self.intake, Policies(self.intake), lambda: self.now)

    def answers(self, token: str) -> str:
        """Answer by a link, as the page behind it does; return the outcome."""
        body = AnswerPageTest(test=self.test().id)
        message = CommandMessage[Any](
            credential=Credential(kind="page_test_link", secret=token), body=body
        )
        link = answers_page_test(self.intake, token, message)
        request = CommandRequest[Any](
            body=body, actor=f"person:{link.person}", scopes=()
        )
        return self.desk.take_answer(request).outcome

    def follows(self) -> None:
        """Let escalation read what is new in the log."""
        entries = self.escalation.since(self.position, 1_000)
        with self.escalation.transaction() as cursor:
            for entry in entries:
                store.note(cursor, entry)
        self.position = entries[-1].position if entries else self.position

    def sends(self) -> None:
        """Plan and send all that is due."""
        asyncio.run(self._sent())

    async def _sent(self) -> None:
        server = mail_server(f"smtp://{HOST}:{self.inbox.port}")
        async with forgetful_client() as client:
            mails = MailChannel(server, Mailbox("desk@desk.example", "Desk"))
            outlets = Outlets.of((mails, Ntfy(client, self.postbox.origin)))
            with ThreadPoolExecutor(2) as threads:
                worker = PageTestWorker.of(
                    self.escalation, URL, outlets, lambda: self.now, threads
                )
                while await worker.round() is not None:
                    self.follows()

    def test(self, person: str = "nadia") -> PageTest:
        """Return the newest test of a person."""
        with self.intake.transaction() as cursor:
            found = page_tests_of(self.intake, cursor, [person])[person]
        return [*found.values()][-1]

    def states(self) -> list[tuple[str, str]]:
        """Return channel and state of the messages of the newest test."""
        return [(each.channel, each.state) for each in self.test().messages]


@pytest.fixture
def drill(ruled: Database, owner: EventLog) -> Iterator[Drill]:
    with ExitStack() as stack:
        intake, escalation = (
            stack.enter_context(
                closing(
                    EventLog.open(ruled.dsn(role), master=MASTER, clock=lambda: NOW)
                )
            )
            for role in ("desk_intake", "desk_escalation")
        )
        inbox = stack.enter_context(open_inbox())
        postbox = stack.enter_context(open_postbox())
        postbox.status, postbox.body = 200, b'{"id": "x1"}'
        rows = [
            {"id": each, "name": each, "email": f"{each}@desk.example"}
            for each in ("nadia", "root")
        ]
        with intake.transaction() as cursor:
            import_people(cursor, rows, NOW)
        yield Drill(intake, escalation, owner, inbox, postbox)


def test_a_test_goes_the_way_of_an_important_page_until_its_person_answers(
    drill: Drill,
) -> None:
    drill.reaches("nadia", mail="nadia@home.example", ntfy="nadia-Qx7")
    answer = drill.asks()
    assert [each.test for each in answer.tests] == ["PT-nadia.1"]

    drill.follows()
    drill.sends()

    (mail,) = drill.inbox.mails
    assert mail["To"].addresses[0].addr_spec == "nadia@home.example"
    assert mail["Subject"].startswith("TEST: nothing is wrong")
    pushed = json.loads(drill.postbox.requests[-1].body)
    assert pushed["message"].startswith("TEST: nothing is wrong")
    assert pushed["actions"][0]["label"] == "It reached me"
    assert drill.states() == [("mail", "confirmed"), ("ntfy", "confirmed")]

    (token,) = _LINK.findall(mail.get_content())
    assert [drill.answers(token), drill.answers(token)] == ["recorded", "already"]
    assert drill.test().answered_via == "link"
    stored = " ".join(map(str, drill.owner.history(page_test_messages_stream("nadia"))))
    assert "home.example" not in stored


def test_the_next_method_follows_at_once_if_one_fails_for_good(drill: Drill) -> None:
    drill.inbox.refuse_recipients = "550 5.1.1 unknown"
    drill.reaches("nadia", mail="old@home.example", ntfy="first-Qx7", matrix="!r:x")
    drill.asks()
    drill.follows()
    drill.sends()

    assert dict(drill.states())["mail"] == "failed"
    assert "550" in (drill.test().messages[0].reason or "")
    assert dict(drill.states())["matrix"] == "failed"  # not five minutes later


def test_who_has_answered_is_sent_nothing_more(drill: Drill) -> None:
    drill.reaches("nadia", ntfy="nadia-Qx7", matrix="!room:x")
    drill.asks()
    drill.follows()
    drill.sends()
    pushed = json.loads(drill.postbox.requests[-1].body)
    drill.answers(_LINK.findall(pushed["actions"][0]["url"])[0])
    drill.follows()

    drill.now += 6 * MINUTE
    drill.sends()

    assert dict(drill.states()) == {"ntfy": "confirmed", "matrix": "planned"}


def test_a_sender_that_was_frozen_sends_nothing_after_the_end_of_the_test(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_late(cursor: Cursors, now: datetime) -> store.MessageRequest | None:
        found = take(cursor, now)
        drill.now += timedelta(hours=9)
        return found

    take = store.take
    drill.asks()
    drill.follows()
    monkeypatch.setattr(store, "take", taken_late)
    drill.sends()

    assert drill.inbox.mails == []


def test_how_a_message_ended_is_recorded_though_its_person_has_answered(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered_meanwhile(*given: Any) -> bool:
        (mail,) = drill.inbox.mails
        drill.answers(_LINK.findall(mail.get_content())[0])
        drill.follows()
        return over(*given)

    over = store.over
    drill.asks()
    drill.follows()
    monkeypatch.setattr(store, "over", answered_meanwhile)
    drill.sends()

    assert drill.states() == [("mail", "confirmed")]


def test_somebody_without_a_verified_method_is_tested_at_the_directorys_address(
    drill: Drill,
) -> None:
    drill.asks()
    drill.follows()
    drill.sends()

    assert drill.test().unverified
    assert drill.inbox.recipients == [["nadia@desk.example"]]


def test_nothing_is_planned_or_sent_twice_whatever_is_read_again(drill: Drill) -> None:
    drill.asks()
    for _ in range(3):
        drill.position = 0
        drill.follows()
        drill.sends()

    assert len(drill.inbox.mails) == 1
    assert drill.owner.head_version(page_test_messages_stream("nadia")) == 3


def test_a_repeated_request_is_one_test(drill: Drill) -> None:
    first, again = drill.asks(number=7), drill.asks(number=7)

    assert (first.outcome, again.outcome) == ("recorded", "repeated")
    assert first.tests == again.tests


@pytest.mark.parametrize("state", ["delivered", "failed"])
def test_what_a_provider_reports_later_is_recorded_once(
    drill: Drill, state: Any
) -> None:
    drill.reaches("nadia", ntfy="nadia-Qx7")
    drill.asks()
    drill.follows()
    drill.sends()
    message = drill.test().messages[0]
    report = DeliveryReport(message.key, state, "PT-nadia.1", "twilio", "busy", NOW)

    recorder = PageTestRecorder(drill.escalation, lambda: drill.now)
    for _ in range(2):
        with drill.escalation.transaction() as cursor:
            recorder.reported(cursor, report)

    assert drill.states() == [("ntfy", state)]
    assert drill.test().is_reached == (state == "delivered")
    assert drill.owner.head_version(page_test_messages_stream("nadia")) == 4


@pytest.mark.parametrize("why", ["another test", "removed", "too late", "not ours"])
def test_a_link_answers_its_own_test_in_its_time_only(drill: Drill, why: str) -> None:
    drill.asks()
    drill.follows()
    drill.sends()
    (token,) = _LINK.findall(drill.inbox.mails[0].get_content())
    if why == "another test":
        drill.asks()
    if why == "removed":
        with drill.owner.transaction() as cursor:
            cursor.execute(_GONE, (NOW,))
    if why == "too late":
        drill.now += 60 * MINUTE
    if why == "not ours":
        token = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")

    with pytest.raises(HttpError):
        drill.answers(token)
    assert drill.test().answered_at is None


def test_a_link_answers_its_test_although_an_epoch_began_before_it_was_planned(
    drill: Drill,
) -> None:
    drill.reaches("nadia", mail="nadia@home.example")
    drill.asks()
    renew(drill.owner, Renewal("restore", "a test", "person:root", NOW), None)
    for log in (drill.intake, drill.escalation):
        with suppress(Unavailable), log.transaction() as cursor:
            log.look(cursor)  # it learns of the epoch
    drill.follows()
    drill.sends()

    (mail,) = drill.inbox.mails
    (token,) = _LINK.findall(mail.get_content())
    assert drill.answers(token) == "recorded"


def test_of_a_schedule_with_too_many_people_those_left_out_are_named(
    drill: Drill,
) -> None:
    drill.reaches("nadia", mail="nadia@home.example")
    names = ["nadia", "paul", "zoe"]
    rotation = {"type": "weekly", "shift_length": 1, "start": "2025-06-02T09:00"}
    rotation |= {"participants": [names]}
    schedule = {"timezone": "Europe/Paris", "rotation": rotation}
    text = POLICY.read_text(encoding="utf-8")
    text = text.replace("members: [agent]", f"members: {json.dumps(names)}")
    text += f"\nschedules: {json.dumps({'garde': schedule})}\n"
    signed = Signature(by="root", reason="a schedule for a test")
    applied = policy_store.apply(drill.owner, text, signed, NOW, "test")
    assert isinstance(applied, Applied), applied
    body = RequestPageTest(schedule="garde")
    answer = replace(drill.desk, people_max=1).take(
        CommandRequest[Any](body=body, actor="person:nadia", scopes=("admin",))
    )

    assert [each.person for each in answer.tests] == ["nadia"]
    refused = [(each.person, each.code) for each in answer.refused]
    assert refused == [("paul", "too_many_tests"), ("zoe", "too_many_tests")]


def test_a_key_in_a_call_answers_as_well(drill: Drill) -> None:
    drill.asks()

    assert drill.desk.answered_by_call("PT-nadia.1")
    assert drill.test().answered_via == "call"
    assert not drill.desk.answered_by_call("PT-nadia.9")


def test_a_colleague_may_not_test_and_that_is_said(drill: Drill) -> None:
    with pytest.raises(HttpError) as refused:
        drill.asks("nadia", by="root")

    assert refused.value.details.code == "role"
