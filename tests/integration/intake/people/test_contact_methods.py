"""Contact methods in a real database: their values, and the codes that are sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from services.escalation.notifications.channels.parcel import ByMail, ToContact
from services.escalation.sign_in_mail.letters import Letters
from services.intake.contact_methods.store import ContactMethodDesk
from services.intake.directory.store import import_people
from services.intake.people.store import PeopleDesk
from services.intake.policy.store import Policies
from shared.contact_methods.codes import SENT_MAX, TRIES_MAX, VALID
from shared.contact_methods.history import contact_methods_of
from shared.contact_methods.readiness import readiness_of
from shared.contact_methods.store import publish_channels, values_of
from shared.domain.commands.contact_method import (
    AddContactMethod,
    ContactMethodAnswer,
    RemoveContactMethod,
    RuleBody,
    SendContactCode,
    SetNotificationRules,
    VerifyContactMethod,
)
from shared.domain.commands.person import RemovePerson
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest, Scope
from shared.security.mail_requests import done, take
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.builders.on_call.subscriptions import subscription
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

MAIL = AddContactMethod(person="nadia", kind="mail", value="nadia@home.example")


@dataclass
class MethodsDesk:
    """Intake and escalation at one database, on a clock that a test sets."""

    intake: EventLog
    escalation: EventLog
    now: datetime = NOW
    asked: int = field(default=0)

    def command(
        self,
        body: Any,
        actor: str = "person:nadia",
        scopes: tuple[Scope, ...] = ("agent",),
        number: int | None = None,
    ) -> ContactMethodAnswer:
        self.asked += 1
        request = CommandRequest[Any](
            body=body,
            command_id=UUID(int=number or self.asked),
            actor=actor,
            scopes=scopes,
        )
        commands = ContactMethodDesk(
            self.intake, Policies(self.intake), lambda: self.now
        )
        return commands.take(request)

    def refused(self, body: Any, **more: Any) -> str | None:
        with pytest.raises(HttpError) as refusal:
            self.command(body, **more)
        return refusal.value.details.code

    def mailed(self) -> list[tuple[str, str, str]]:
        """Return address, subject and text of the mails that are due."""
        found: list[tuple[str, str, str]] = []
        letters = Letters(self.escalation, "https://desk.example")
        with self.escalation.transaction() as cursor:
            while (request := take(cursor, self.now)) is not None:
                for each in letters.of(cursor, request, self.now):
                    assert isinstance(each, ByMail)
                    found.append(
                        (each.to.address, each.message.subject, each.message.body)
                    )
                done(cursor, request.request_id)
        return found

    def code_mailed_to(self, address: str) -> str:
        (text,) = (
            body for to, _, body in self.mailed() if to == address and "minutes" in body
        )
        (code,) = re.findall(r"^\d{6}$", text, re.MULTILINE)
        return str(code)

    def readiness(self) -> str:
        with self.intake.transaction() as cursor:
            return readiness_of(self.intake.vault, cursor, ["nadia"])["nadia"]

    def verified(self) -> list[str]:
        with self.intake.transaction() as cursor:
            held = contact_methods_of(cursor, ["nadia"])["nadia"]
        return [each.id for each in held.verified()]

    def values(self) -> dict[str, str]:
        with self.intake.transaction() as cursor:
            found = values_of(cursor, ["nadia"])["nadia"]
        return {method: each.value for method, each in found.items()}


@pytest.fixture
def desk(ruled: Database) -> Iterator[MethodsDesk]:
    intake, escalation = (
        EventLog.open(ruled.dsn(role), master=MASTER, clock=lambda: NOW)
        for role in ("desk_intake", "desk_escalation")
    )
    rows = [
        {"id": "nadia", "name": "Nadia B.", "email": "nadia@desk.example"},
        {"id": "root", "name": "Root", "email": "root@desk.example"},
    ]
    with intake.transaction() as cursor:
        import_people(cursor, rows, NOW)
    yield MethodsDesk(intake, escalation)
    for log in (intake, escalation):
        log.close()


def test_a_method_counts_once_the_code_that_was_sent_to_it_is_entered(
    desk: MethodsDesk,
) -> None:
    added = desk.command(MAIL)
    assert (added.method, added.code_until) == ("nadia.1", NOW + VALID)
    assert (desk.readiness(), desk.verified()) == ("unverified", [])

    code = desk.code_mailed_to("nadia@home.example")
    desk.command(VerifyContactMethod(person="nadia", method="nadia.1", code=code))

    assert (desk.readiness(), desk.verified()) == ("ready", ["nadia.1"])
    stored = " ".join(map(str, desk.intake.history("person-nadia")))
    assert "home.example" not in stored
    assert code not in stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ntfy", "nadia-Qx7"),
        ("voice", "+33612345678"),
        ("web_push", subscription(f"https://push.example/{'x' * 1_500}")),
    ],
)
def test_a_code_goes_to_the_method_that_it_proves_whatever_its_channel(
    desk: MethodsDesk, kind: Any, value: str
) -> None:
    with desk.escalation.transaction() as cursor:
        publish_channels(cursor, [kind])
    desk.command(AddContactMethod(person="nadia", kind=kind, value=value))
    letters = Letters(desk.escalation, "https://desk.example")
    with desk.escalation.transaction() as cursor:
        requests = list(iter(partial(take, cursor, desk.now), None))
        parcels = [each for r in requests for each in letters.of(cursor, r, desk.now)]
    (sent,) = (each for each in parcels if isinstance(each, ToContact))
    code = sent.message.summary.removeprefix("Your code: ")

    assert (sent.channel, sent.to, sent.method) == (kind, value, "nadia.1")
    desk.command(VerifyContactMethod(person="nadia", method="nadia.1", code=code))
    assert desk.verified() == ["nadia.1"]


def test_the_address_in_the_directory_is_verified_until_it_changes(
    desk: MethodsDesk,
) -> None:
    desk.command(SendContactCode(person="nadia", method="mail"))
    code = desk.code_mailed_to("nadia@desk.example")
    desk.command(VerifyContactMethod(person="nadia", method="mail", code=code))
    assert desk.readiness() == "ready"

    with desk.intake.transaction() as cursor:
        moved = {"id": "nadia", "email": "nadia@new.example"}
        import_people(cursor, [moved], NOW)

    assert desk.readiness() == "unverified"


def test_a_code_counts_for_ten_minutes_and_five_tries_and_once(
    desk: MethodsDesk,
) -> None:
    desk.command(MAIL)
    code = desk.code_mailed_to("nadia@home.example")
    right = VerifyContactMethod(person="nadia", method="nadia.1", code=code)
    wrong = right.model_copy(update={"code": f"{(int(code) + 1) % 10**6:06}"})

    desk.now = NOW + VALID
    assert desk.refused(right) == "wrong_code"
    desk.now = NOW
    for _ in range(TRIES_MAX):
        assert desk.refused(wrong) == "wrong_code"
    assert desk.refused(right) == "wrong_code"

    desk.now = NOW + timedelta(minutes=1)
    desk.command(SendContactCode(person="nadia", method="nadia.1"))
    fresh = right.model_copy(update={"code": desk.code_mailed_to("nadia@home.example")})
    assert desk.command(fresh).outcome == "recorded"
    assert desk.refused(fresh) == "wrong_code"


def test_nobody_is_sent_more_codes_than_the_limit(desk: MethodsDesk) -> None:
    again = SendContactCode(person="nadia", method="nadia.1")
    desk.command(MAIL)
    assert desk.refused(again) == "too_many_codes"

    for minute in range(1, SENT_MAX):
        desk.now = NOW + timedelta(minutes=minute)
        assert desk.command(again).outcome == "sent"
    desk.now = NOW + timedelta(minutes=SENT_MAX)
    assert desk.refused(again) == "too_many_codes"
    assert desk.command(again, number=desk.asked - 1).outcome == "repeated"


def test_nothing_is_stored_of_a_method_whose_code_may_not_be_sent(
    desk: MethodsDesk,
) -> None:
    desk.command(MAIL)
    for minute in range(1, SENT_MAX):
        desk.now = NOW + timedelta(minutes=minute)
        desk.command(SendContactCode(person="nadia", method="nadia.1"))
    other = MAIL.model_copy(update={"value": "other@home.example"})

    assert desk.refused(other) == "too_many_codes"

    assert "other@home.example" not in desk.values().values()


def test_a_repeat_names_the_method_that_was_added_and_has_its_value(
    desk: MethodsDesk,
) -> None:
    desk.command(MAIL, number=7)
    repeat = desk.command(MAIL, number=7)

    assert (repeat.outcome, repeat.method) == ("repeated", "nadia.1")
    other = MAIL.model_copy(update={"value": "other@home.example"})
    assert desk.refused(other, number=7) == "idempotency_key"


def test_people_say_themselves_how_they_are_reached_and_an_administrator_may_remove(
    desk: MethodsDesk,
) -> None:
    root: dict[str, Any] = {"actor": "person:root", "scopes": ("admin",)}
    assert desk.refused(MAIL, **root) == "role"
    desk.command(MAIL)

    removal = RemoveContactMethod(person="nadia", method="nadia.1")
    agent: dict[str, Any] = {"actor": "person:root", "scopes": ("agent",)}
    assert desk.refused(removal, **agent) == "role"
    assert desk.command(removal, **root).outcome == "recorded"
    assert desk.values() == {"mail": "nadia@desk.example"}


def test_every_change_is_told_to_the_other_addresses(desk: MethodsDesk) -> None:
    desk.command(MAIL)
    told = desk.mailed()

    assert {(to, subject) for to, subject, _ in told} == {
        ("nadia@desk.example", "A contact method of yours was added"),
        ("nadia@home.example", told[0][1]),
    }
    assert "https://desk.example/me/contact-methods" in told[-1][2]


def test_what_cannot_reach_anybody_is_refused(desk: MethodsDesk) -> None:
    for kind in ("sms", "mail"):  # there is no channel for the first
        body = AddContactMethod(person="nadia", kind=kind, value="no address")
        assert desk.refused(body) == "invalid"


def test_a_number_is_stored_without_blanks_once_there_is_a_channel_for_it(
    desk: MethodsDesk,
) -> None:
    with desk.escalation.transaction() as cursor:
        publish_channels(cursor, ["mail", "sms"])

    desk.command(
        AddContactMethod(person="nadia", kind="sms", value="+33 6 12.34 56 78")
    )
    assert desk.values()["nadia.1"] == "+33612345678"
    again = AddContactMethod(person="nadia", kind="sms", value="+33612345678")
    assert desk.refused(again) == "state"


def test_rules_name_verified_methods_only(desk: MethodsDesk) -> None:
    desk.command(SendContactCode(person="nadia", method="mail"))
    rules = SetNotificationRules(person="nadia", important=(RuleBody(method="mail"),))
    assert desk.refused(rules) == "state"

    code = desk.code_mailed_to("nadia@desk.example")
    desk.command(VerifyContactMethod(person="nadia", method="mail", code=code))
    late = (RuleBody(method="mail", delay_minutes=6),)

    assert desk.refused(rules.model_copy(update={"important": late})) == "invalid"
    assert desk.command(rules).outcome == "recorded"
    assert desk.command(rules).outcome == "already"


def test_nothing_of_how_to_reach_somebody_is_left_once_they_are_removed(
    desk: MethodsDesk,
) -> None:
    desk.command(MAIL)
    removal = CommandRequest[Any](
        body=RemovePerson(person="nadia"),
        command_id=UUID(int=99),
        actor="person:root",
        scopes=("admin",),
    )
    PeopleDesk(desk.intake, Policies(desk.intake), lambda: NOW).take(removal)

    assert desk.values() == {"mail": "nadia@desk.example"}
    code = VerifyContactMethod(person="nadia", method="nadia.1", code="000000")
    assert desk.refused(code) == "unknown_method"
