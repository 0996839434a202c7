"""Every writer of an address records it, and what nobody recorded is found."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from cli.app import command_line
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.contacts import CHANGED, mail_reader
from services.escalation.sign_in_mail.letters import Letters
from services.intake.commands.pending_command import PendingCommand
from services.intake.contact_methods.store import ContactMethodDesk
from services.intake.directory.address_audit import (
    AddressesCompared,
    compare_addresses,
    record_found,
)
from services.intake.directory.address_facts import Author, append_addresses
from services.intake.directory.store import import_people
from services.intake.inbound_mail.context import MailLookup, see
from services.intake.inbound_mail.message import InboundMail
from services.intake.people.import_plan import WishedPerson
from services.intake.people.store import PeopleDesk
from services.intake.people.sync_plan import PeopleFound
from services.intake.people.sync_store import PeopleSync, Reading
from services.intake.policy.store import Policies
from services.projections.identity_provider.store import ProviderSignIn, start_of
from shared.contact_methods import fingerprints
from shared.contact_methods.fingerprints import (
    Address,
    addresses_of,
    changed_among,
    checked_values,
    fingerprint,
)
from shared.contact_methods.history import contact_methods_of
from shared.contact_methods.readiness import readiness_of
from shared.contact_methods.store import put_value
from shared.domain.commands.caller import NewCaller
from shared.domain.commands.contact_method import AddContactMethod
from shared.domain.commands.incident import Open
from shared.domain.commands.person import CorrectPerson, ImportPeople, InvitePerson
from shared.domain.events.contact_method import (
    PersonAddressChanged,
    PersonContactMethodAdded,
)
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest, Scope
from shared.security.mail_requests import request_link, take
from shared.vault.master_keys import text_of
from shared.vault.vault import forget
from tests.integration.intake.conftest import MASTER, NOW, Hands
from tests.support.faults.append_lock import refuse_writes_under_append_lock
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

OLD, NEW = "nadia@desk.example", "nadia@new.example"
BY_CLI = Author("system:command-line", NOW)


@dataclass(frozen=True)
class Desk:
    """Intake at a database, whose directory has nadia, and her address in the log."""

    database: Database
    hands: Hands
    tmp: Path

    @property
    def log(self) -> EventLog:
        return self.hands.log

    def takes(self, body: Any, scopes: Sequence[Scope] = ("admin", "agent")) -> Any:
        people = PeopleDesk(self.log, Policies(self.log), lambda: NOW)
        request = CommandRequest[Any](
            body=body, command_id=uuid4(), actor="person:root", scopes=tuple(scopes)
        )
        return people.take(request)

    def imports(self, address: str) -> None:
        self.takes(ImportPeople(text=f"id,name,email\nnadia,Nadia,{address}\n"))

    def facts(self) -> list[PersonAddressChanged | PersonContactMethodAdded]:
        """Return what was recorded of addresses that there are, of anybody."""
        return [
            entry.event
            for entry in self.log.since(0, 1_000)
            if isinstance(entry.event, PersonAddressChanged | PersonContactMethodAdded)
            and entry.event.fingerprint is not None
        ]

    def compared(self) -> AddressesCompared:
        return compare_addresses(self.log)

    def named(self) -> list[tuple[str, str]]:
        return [(each.person, each.address) for each in self.compared().differences]

    def steals(self, statement: str, *values: object) -> None:
        """Write to the database with the password of intake."""
        with psycopg.connect(self.database.dsn("desk_intake")) as thief:
            thief.execute(statement.encode(), values)


@pytest.fixture
def desk(ruled: Database, hands: Hands, tmp_path: Path) -> Desk:
    made = Desk(ruled, hands, tmp_path)
    made.imports(OLD)
    return made


def calls(desk: Desk, address: str) -> None:
    caller = NewCaller(name="Zoé", email=address)
    body = Open(title="No mail", caller=caller, channel="phone")
    request = CommandRequest[Any](
        body=body,
        actor="person:odette",
        scopes=("agent",),
        command_id=UUID(int=len(address)),
    )
    desk.hands.commands.flush([PendingCommand.of(request)])


def writes_a_mail(desk: Desk, address: str) -> None:
    letter = InboundMail(uuid4(), address, "Zoé", "Help", "Help", "Help")
    policies = Policies(desk.log)
    see(MailLookup(desk.log, desk.hands.commands._cache, policies), letter, NOW)


def corrects(desk: Desk, address: str) -> None:
    desk.takes(CorrectPerson(person="nadia", email=address))


def invites(desk: Desk, address: str) -> None:
    person = "zoe"
    desk.takes(InvitePerson(person=person, name="Zoé", email=address, role="agent"))


def synchronises(desk: Desk, address: str) -> None:
    sync = PeopleSync(desk.log, Policies(desk.log), lambda: NOW)
    person = WishedPerson({"id": "nadia", "name": "Nadia", "email": address})
    found = PeopleFound((person,), frozenset(["nadia"]), (), 0)
    sync.carry_out(Reading(sync.begin_reading(), found), preview=False)


def command_line_imports(desk: Desk, address: str) -> None:
    imports_at_the_command_line(desk, f"id,name,email\nnadia,Nadia,{address}\n")


def imports_at_the_command_line(desk: Desk, text: str) -> None:
    file, key = desk.tmp / "people.csv", desk.tmp / "vault.key"
    file.write_text(text, encoding="utf-8")
    key.write_text(text_of(MASTER.keys), encoding="utf-8")
    given = ["--database", desk.database.dsn("desk_admin")]
    words = ["people", *given, "import", str(file), "--vault-key", str(key)]
    done = CliRunner().invoke(command_line(), words)
    assert done.exit_code == 0, done.output


def adds_a_method(desk: Desk, address: str) -> None:
    methods = ContactMethodDesk(desk.log, Policies(desk.log), lambda: NOW)
    body = AddContactMethod(person="nadia", kind="mail", value=address)
    request = CommandRequest[Any](
        body=body, command_id=UUID(int=1), actor="person:nadia", scopes=("agent",)
    )
    methods.take(request)


WRITERS: list[Callable[[Desk, str], None]] = [
    calls,
    writes_a_mail,
    corrects,
    invites,
    Desk.imports,
    synchronises,
    command_line_imports,
    adds_a_method,
]


@pytest.mark.parametrize("writes", WRITERS)
def test_each_writer_records_an_address_once_and_without_the_address(
    desk: Desk, writes: Callable[[Desk, str], None]
) -> None:
    before = len(desk.facts())

    writes(desk, NEW)
    assert len(desk.facts()) == before + 1
    writes(desk, NEW)

    assert len(desk.facts()) == before + 1, "what is so already is not recorded"
    assert NEW not in str([entry.event for entry in desk.log.since(0, 1_000)])
    assert (desk.compared().differences, desk.compared().unknown) == ([], 0)


MANY = 1_100


def imports_many(desk: Desk) -> None:
    rows = "".join(f"p{n},P,p{n}@desk.example,agent\n" for n in range(MANY)[:900])
    rest = "".join(f"p{n},P,p{n}@desk.example,\n" for n in range(MANY)[900:])
    body = ImportPeople(text=f"id,name,email,role\n{rows}{rest}")
    done = desk.takes(body)
    assert len(done.positions) == 2 * MANY + 900


def synchronises_many(desk: Desk) -> None:
    sync = PeopleSync(desk.log, Policies(desk.log), lambda: NOW)
    people = tuple(
        WishedPerson({"id": f"p{n}", "name": "P", "email": f"p{n}@desk.example"})
        for n in range(MANY)
    )
    found = PeopleFound(people, frozenset(each.id for each in people), (), 0)
    done = sync.carry_out(Reading(sync.begin_reading(), found), preview=False)
    assert len(done.positions) == 2 * MANY


def command_line_imports_many(desk: Desk) -> None:
    rows = "".join(f"p{n},P,p{n}@desk.example\n" for n in range(MANY))
    imports_at_the_command_line(desk, f"id,name,email\n{rows}")


@pytest.mark.parametrize(
    "writes", [imports_many, synchronises_many, command_line_imports_many]
)
def test_more_people_than_one_append_takes_are_written_in_parts(
    desk: Desk, writes: Callable[[Desk], None]
) -> None:
    refuse_writes_under_append_lock(desk.database)

    writes(desk)

    assert (desk.compared().differences, desk.compared().unknown) == ([], 0)
    assert desk.compared().addresses == MANY + 1


MOVES = "UPDATE directory.people SET {} WHERE id = 'nadia'"


@pytest.mark.parametrize(
    ("statement", "address"),
    [
        (MOVES.format("email = 'thief@else.example'"), "mail"),
        (MOVES.format("email = NULL"), "mail"),
        (MOVES.format("phone = '+33600000000'"), "phone"),
        (
            "UPDATE directory.contact_methods SET value = 'thief@else.example'",
            "nadia.3",
        ),
    ],
)
def test_an_address_that_a_thief_wrote_is_named_and_gets_nothing(
    desk: Desk, statement: str, address: str
) -> None:
    adds_a_method(desk, NEW)
    assert desk.named() == []

    desk.steals(statement)

    assert desk.named() == [("nadia", address)]
    with desk.log.transaction() as cursor:
        values = addresses_of(cursor, ["nadia", "nobody"])
        found = changed_among(desk.log.vault, cursor, values)
        reader = mail_reader(desk.log.vault, cursor, "nadia")
        ready = readiness_of(desk.log.vault, cursor, ["nadia"])["nadia"]
    assert found == (set() if "NULL" in statement else {Address("nadia", address)})
    assert (reader is CHANGED) == ("thief" in statement and address == "mail")
    assert ready == "unverified"  # by the other one


FORGED: dict[str, dict[str, Any]] = {
    "without a fingerprint": {"address": "mail"},
    "of a key that nobody has": {
        "address": "mail",
        "fingerprint": f"f1.{'a' * 16}.{'b' * 22}",
    },
    "of a key that was somebody else's": {"address": "mail", "fingerprint": "gone"},
    "of a key that the thief made": {
        "address": "mail",
        "fingerprint": f"f1.{'c' * 16}.{'b' * 22}",
    },
    "copied from another address": {"address": "nadia.9", "fingerprint": "copied"},
    "a method": {"method": "nadia.9", "kind": "mail"},
}


@pytest.mark.parametrize("how", FORGED)
def test_an_event_that_a_thief_appends_does_not_vouch_for_an_address(
    desk: Desk, how: str
) -> None:
    given = {"at": NOW, "by": "person:nadia", "person": "nadia"} | FORGED[how]
    match given.get("fingerprint"):
        case "copied":
            given["fingerprint"] = desk.facts()[0].fingerprint
        case "gone":
            desk.log.vault.prepare("person:paul")
            with psycopg.connect(desk.database.dsn("desk_admin")) as admin:
                paul = fingerprint(desk.log.vault, Address("paul", "mail"), OLD)
                forget(admin.cursor(), "person:paul", "asked", NOW)
            desk.log.vault.drop()
            given["fingerprint"] = paul
        case _:
            pass
    kind: Any = PersonAddressChanged if "address" in given else PersonContactMethodAdded
    address = given.get("address") or given["method"]
    desk.steals(
        "INSERT INTO vault.keys (key_id, owner, wrapped, created_at) VALUES "
        "(repeat('c', 16), 'person:fake', decode(repeat('ab', 40), 'hex'), now())"
    )
    with desk.log.transaction() as cursor:
        if address != "mail":
            put_value(cursor, "nadia", "nadia.9", "mail", OLD, NOW)
        append_addresses(desk.log, cursor, [kind(**given)])

    assert desk.named() == [("nadia", address)]
    if address == "mail":
        with pytest.raises(HttpError):
            desk.takes(CorrectPerson(person="nadia", email=OLD), ["agent"])
        assert desk.named() == [("nadia", address)]
        desk.imports(OLD) if how.startswith("of") else corrects(desk, OLD)
        assert desk.named() == [], "who may import or correct it vouches for it"


def test_a_contact_method_without_an_event_is_named_and_never_recorded(
    desk: Desk,
) -> None:
    with desk.log.transaction() as cursor:
        put_value(cursor, "nadia", "nadia.9", "mail", OLD, NOW)

    assert record_found(desk.log, BY_CLI) == 0
    assert desk.named() == [("nadia", "nadia.9")]


@pytest.mark.parametrize("stolen", [False, True])
def test_what_is_sent_is_what_was_compared(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, stolen: bool
) -> None:
    """Somebody changes an address between the read of it and that of its events."""
    changes = [lambda: desk.steals(MOVES.format("email = 'thief@else.example'"))]
    if not stolen:
        changes = [lambda: corrects(desk, NEW)]

    def in_between(cursor: Any, people: Any) -> Any:
        if changes:
            changes.pop()()
        return contact_methods_of(cursor, people)

    monkeypatch.setattr(fingerprints, "contact_methods_of", in_between)
    with desk.log.transaction() as cursor:
        mail = checked_values(desk.log.vault, cursor, ["nadia"])["nadia"]["mail"]

    assert (mail.value, mail.is_changed) == (OLD if stolen else NEW, False)


def test_a_wrong_master_key_compares_nothing(desk: Desk) -> None:
    key = desk.tmp / "other.key"
    key.write_text(text_of([bytes(32)]), encoding="utf-8")
    words = ["audit", "addresses", "--database", desk.database.dsn("desk_admin")]
    done = CliRunner().invoke(command_line(), [*words, "--vault-key", str(key)])

    assert (done.exit_code, "master key" in done.output) == (2, True)


def test_a_thief_of_intakes_password_destroys_no_key(desk: Desk) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        desk.steals(
            "INSERT INTO vault.keys (key_id, owner, created_at, destroyed_at) "
            "VALUES (repeat('a', 16), 'person:nadia', now(), now())"
        )


@pytest.mark.parametrize("stolen", [False, True])
def test_nobody_is_mailed_a_link_at_an_address_that_was_not_recorded(
    desk: Desk, *, stolen: bool
) -> None:
    desk.takes(InvitePerson(person="zoe", name="Zoé", email=NEW, role="agent"))
    if stolen:
        desk.steals("UPDATE directory.people SET email = %s WHERE id = 'zoe'", "t@x.eu")
    address = "t@x.eu" if stolen else NEW
    dsn = desk.database.dsn("desk_escalation")
    provider = ProviderSignIn(cast(Any, None), "", "email", "groups", {})
    claims = {"email": address, "email_verified": True}
    with psycopg.connect(desk.database.owner_dsn) as owner:
        owner.execute("DELETE FROM access.sign_in_mail")  # the invitation
    with desk.log.transaction() as cursor:
        request_link(cursor, UUID(int=5), address, NOW)
        signed_in = start_of(cursor, desk.log.vault, provider, claims)
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as log:
        letters = Letters(log, "https://desk.example")
        mails: list[Parcel] = []
        with log.transaction() as cursor:
            while (request := take(cursor, NOW)) is not None:
                mails += letters.of(cursor, request, NOW)

    assert (len(mails), signed_in is None) == ((0, True) if stolen else (1, False))


def test_who_is_forgotten_leaves_nothing_that_could_be_compared(desk: Desk) -> None:
    fact = desk.facts()[0].fingerprint
    assert fact is not None
    with psycopg.connect(desk.database.dsn("desk_admin")) as admin:
        forget(admin.cursor(), "person:nadia", "asked", NOW)
    dsn = desk.database.dsn("desk_intake")
    with closing(EventLog.open(dsn, master=MASTER)) as fresh:
        place = "address|nadia|mail"
        said = fresh.vault.recognizes("person:nadia", fact, OLD.encode(), place)
        compared = compare_addresses(fresh)
        made = fingerprint(fresh.vault, Address("nadia", "mail"), OLD)

    assert said is None
    assert made != fact, "a new key says nothing of what the destroyed one marked"
    assert (compared.differences, compared.unknown) == ([], 1)


def test_what_was_there_before_the_upgrade_is_unknown_until_it_is_recorded(
    desk: Desk,
) -> None:
    old = {"id": "paul", "name": "Paul", "email": OLD, "phone": "+33475200009"}
    added = PersonContactMethodAdded(
        at=NOW, by="person:paul", person="paul", method="paul.1", kind="mail"
    )
    with desk.log.transaction() as cursor:
        import_people(cursor, [old, {"id": "lea", "name": "Léa"}], NOW)
        put_value(cursor, "paul", "paul.1", "mail", NEW, NOW)
        append_addresses(desk.log, cursor, [added])

    before = desk.compared()
    dsn = desk.database.dsn("desk_admin")
    with closing(EventLog.open(dsn, master=MASTER, clock=lambda: NOW)) as admin:
        recorded = record_found(admin, BY_CLI), record_found(admin, BY_CLI)
    after = desk.compared()
    desk.steals("UPDATE directory.people SET phone = '+33' WHERE id = 'paul'")
    desk.steals("UPDATE directory.people SET email = 't@x.eu' WHERE id = 'lea'")

    assert (before.differences, before.unknown) == ([], 3)
    assert recorded == (3, 0)
    assert (after.differences, after.unknown) == ([], 0)
    assert desk.named() == [("lea", "mail"), ("paul", "phone")]
