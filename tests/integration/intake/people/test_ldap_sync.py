"""People and roles follow LDAP: safely when nobody looks, and only those from there."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from uuid import UUID

import pytest

from services.intake.ldap.reader import LdapReader
from services.intake.ldap.synchroniser import Synchroniser
from services.intake.ldap.worker import LdapWorker, people_sync_candidate
from services.intake.people import sync_store
from services.intake.people.store import PeopleDesk
from services.intake.people.sync_plan import PeopleFound
from services.intake.people.sync_store import PeopleSync, Reading, Superseded
from services.intake.policy.store import Policies
from shared.database.leadership import LeaseLost
from shared.domain.commands.person import (
    GrantRole,
    ImportPeople,
    PeopleSynchronised,
    RemovePerson,
    SyncPeople,
)
from shared.domain.refusal import Refused
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.security.rights import grants_of
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.desks.leadership import Unfenced
from tests.support.ldap.server import (
    ADMIN,
    BASE,
    MISSING,
    PASSWORD,
    SLAPD,
    LdapServer,
    group,
    group_dn,
    running_ldap,
    staff,
    staff_dn,
)
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(SLAPD is None, reason=MISSING),
]

PEOPLE = 20
CSV = "id,name,role\nroot,Root,admin\nvisitor,A Visitor,agent\n"


@dataclass(frozen=True)
class Desk:
    """A desk beside an LDAP server."""

    log: EventLog
    owner: EventLog
    ldap: LdapServer
    people: PeopleDesk
    sync: PeopleSync
    reader: LdapReader

    def reads(self) -> Reading:
        return Reading(self.sync.begin_reading(), self.reader.found())

    def run(self, *, preview: bool = False) -> PeopleSynchronised:
        return self.sync.carry_out(self.reads(), preview=preview)

    def takes(self, body: Any, number: int = 1, **more: Any) -> Any:
        given = {"actor": "person:root", "scopes": ("admin",), **more}
        command_id = UUID(int=number)
        return self.people.take(
            CommandRequest[Any](body=body, command_id=command_id, **given)
        )

    def roles(self, person: str) -> list[str]:
        with self.owner.transaction() as cursor:
            return [each.role for each in grants_of(cursor, person, NOW)]

    def asks(self, query: str) -> list[tuple[Any, ...]]:
        with self.owner.transaction() as cursor:
            return cursor.execute(query).fetchall()


@pytest.fixture
def desk(ruled: Database, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with two people of its own, and twenty in LDAP."""
    members = [staff_dn(f"p{number}") for number in range(PEOPLE)]
    entries = "".join(staff(f"p{number}") for number in range(PEOPLE))
    entries += group("desk", *members[:10]) + group("support", *members[10:])
    file = tmp_path / "ldap.yaml"
    with (
        running_ldap(tmp_path, entries) as ldap,
        closing(EventLog.open(ruled.owner_dsn, master=MASTER)) as owner,
        closing(
            EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
        ) as log,
    ):
        file.write_text(
            f"url: ldap://127.0.0.1:{ldap.port}\n"
            f"bind_dn: {ADMIN}\n"
            "password: env:LDAP_PASSWORD\n"
            f"base: ou=staff,{BASE}\n"
            "every: 1h\n"
            "groups:\n"
            f"  {group_dn('desk')}: [{{role: agent, teams: [desk]}}]\n"
            f"  {group_dn('support')}: [{{role: agent, teams: [support]}}]\n",
            encoding="utf-8",
        )
        policies = Policies(log)
        people = PeopleDesk(log, policies, lambda: NOW)
        sync = PeopleSync(log, policies, lambda: NOW)
        reader = LdapReader(file, {"LDAP_PASSWORD": PASSWORD})
        made = Desk(log, owner, ldap, people, sync, reader)
        made.takes(ImportPeople(text=CSV), actor="person:first")
        yield made


def counts(done: PeopleSynchronised) -> tuple[int, int, int, int]:
    return (done.added, done.changed, done.unchanged, done.removed)


def test_people_and_their_roles_follow_ldap(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_store, "EVENTS_A_PART", 7)
    seen = desk.run(preview=True)
    before = desk.owner.head().position
    done, again = desk.run(), desk.run()

    assert counts(seen) == counts(done) == (PEOPLE, 0, 0, 0)
    assert done.positions == [*range(before + 1, before + 1 + 3 * PEOPLE)]
    assert counts(again) == (0, 0, PEOPLE, 0)
    assert again.positions == []

    desk.ldap.drops(group_dn("desk"), staff_dn("p1"), staff_dn("p2"))
    desk.ldap.adds(group_dn("support"), staff_dn("p1"))
    desk.ldap.sets(staff_dn("p3"), "mail", "new@valmont.example")
    desk.ldap.deletes(staff_dn("p4"))
    changed = desk.run()

    assert counts(changed) == (0, 3, PEOPLE - 4, 1)
    (moved,) = (each for each in changed.items if each.person == "p1")
    assert [each.teams for each in moved.given] == [("support",)]
    assert [each.teams for each in moved.withdrawn] == [("desk",)]
    assert [desk.roles(who) for who in ("p1", "p2", "p4")] == [["agent"], [], []]
    assert desk.roles("visitor") == ["agent"], "an import gave it, not LDAP"
    assert desk.asks("SELECT DISTINCT given_by FROM access.grants ORDER BY 1") == [
        ("person:first",),
        ("system:ldap",),
    ]


def test_too_many_that_are_gone_remove_nobody(desk: Desk) -> None:
    desk.run()
    head = desk.owner.head().position
    desk.ldap.deletes(*(staff_dn(f"p{number}") for number in range(3)))

    with pytest.raises(Refused, match="3 of 20 people are not in the LDAP directory"):
        desk.run()
    desk.ldap.deletes(*(staff_dn(f"p{number}") for number in range(3, PEOPLE)))
    with pytest.raises(Refused, match="nobody was found"):
        desk.run()

    assert desk.owner.head().position == head


def test_a_group_that_was_emptied_takes_nobodys_rights(desk: Desk) -> None:
    desk.run()
    desk.ldap.adds(group_dn("desk"), staff_dn("nobody"))
    desk.ldap.drops(group_dn("desk"), *(staff_dn(f"p{number}") for number in range(10)))

    with pytest.raises(Refused, match="10 of 20 people would lose every role"):
        desk.run()
    desk.ldap.deletes(group_dn("desk"))
    with pytest.raises(Exception, match="not there"):
        desk.run()

    assert desk.roles("p0") == ["agent"]


def test_who_left_comes_back_with_ldap_unless_a_person_removed_them(
    desk: Desk,
) -> None:
    desk.run()
    desk.takes(RemovePerson(person="p0"), 2)
    desk.ldap.deletes(staff_dn("p1"))
    desk.run()
    assert [desk.roles(who) for who in ("p0", "p1")] == [[], []]

    desk.ldap.hires("p1")
    assert [each.who for each in desk.run().left_out] == ["p0"]
    assert [desk.roles(who) for who in ("p0", "p1")] == [[], ["agent"]]

    desk.takes(GrantRole(person="p0", role="auditor"), 3)
    desk.run()
    assert sorted(desk.roles("p0")) == ["agent", "auditor"]


def test_the_name_of_somebody_forgotten_is_not_written_again(desk: Desk) -> None:
    desk.run()
    forgotten = "id,name,email,phone,language,zone,client\np0,[forgotten],,,,,\n"
    desk.takes(ImportPeople(text=forgotten), 2)

    done = desk.run()
    assert counts(done) == (0, 0, PEOPLE - 1, 0)
    assert [each.who for each in done.left_out] == ["p0"]
    assert desk.asks("SELECT name FROM directory.people WHERE id = 'p0'") == [
        ("[forgotten]",)
    ]


def worker_of(desk: Desk, executor: ThreadPoolExecutor) -> LdapWorker:
    synchroniser = Synchroniser(desk.reader, desk.sync, executor)
    return LdapWorker(people_sync_candidate(""), synchroniser)


class Fenced(Unfenced):
    """Has lost the lease without noticing until it writes."""

    def demand(self, cursor: object) -> None:  # noqa: ARG002 # as it is called
        """Find out."""
        raise LeaseLost("another process has taken the lease")


def test_an_outage_changes_nobody_and_is_told_until_it_is_over(desk: Desk) -> None:
    async def work(
        executor: ThreadPoolExecutor,
    ) -> list[tuple[float, float, str | None]]:
        worker = worker_of(desk, executor)
        told = []
        for change in (desk.ldap.end, desk.ldap.begin):
            change()
            wait = await worker.round(Unfenced())
            check = await worker.probe()
            told.append((wait, check.numbers["failed"], check.alarm or None))
        return told

    with ThreadPoolExecutor(2) as executor:
        away, back = asyncio.run(work(executor))

    assert away[:2] == (300.0, 1.0)
    assert "Connection refused" in (away[2] or "")
    assert back == (3_600.0, 0.0, None)
    assert desk.roles("p0") == ["agent"]


def test_a_process_that_lost_its_lease_writes_nothing(desk: Desk) -> None:
    async def work(executor: ThreadPoolExecutor) -> None:
        await worker_of(desk, executor).round(Fenced())

    with ThreadPoolExecutor(2) as executor, pytest.raises(LeaseLost):
        asyncio.run(work(executor))

    assert desk.roles("p0") == []


def test_what_was_read_earlier_is_not_carried_out_after_what_was_read_later(
    desk: Desk,
) -> None:
    desk.run()
    old = desk.reads()
    desk.ldap.deletes(staff_dn("p1"))
    desk.run()
    desk.ldap.hires("p30")

    for preview in (False, True):
        with pytest.raises(Superseded):
            desk.sync.carry_out(old, preview=preview)

    assert desk.roles("p1") == []
    assert desk.run().added == 1


@dataclass(frozen=True)
class HeldUp(LdapReader):
    """Hands on what it has read only when it may, one reading each time."""

    has_read: Event = field(default_factory=Event)
    may_go_on: Semaphore = field(default_factory=lambda: Semaphore(0))

    def found(self, stops: Callable[[], bool] = lambda: False) -> PeopleFound:
        """Read everybody, and wait."""
        everybody = super().found(stops)
        self.has_read.set()
        assert self.may_go_on.acquire(timeout=SECONDS)
        return everybody


def request(number: int, *scopes: str, preview: bool = False) -> Any:
    return CommandRequest[SyncPeople].model_validate(
        {
            "actor": "person:root",
            "scopes": scopes,
            "command_id": UUID(int=number),
            "body": {"preview": preview},
        }
    )


def test_what_changed_before_a_command_is_carried_out_by_it(desk: Desk) -> None:
    desk.run()
    reader = HeldUp(desk.reader.file, desk.reader.environment)

    async def work(executor: ThreadPoolExecutor) -> None:
        synchronise = Synchroniser(reader, desk.sync, executor).synchronise
        first = asyncio.create_task(synchronise(Unfenced().demand))
        await asyncio.to_thread(reader.has_read.wait, SECONDS)
        desk.ldap.deletes(staff_dn("p1"))
        later = [asyncio.create_task(synchronise(Unfenced().demand)) for _ in range(2)]
        await asyncio.sleep(0)  # both ask before the first has an answer
        reader.may_go_on.release()
        await first  # carried out before the next reading can be
        reader.may_go_on.release()
        await asyncio.gather(*later)

    with ThreadPoolExecutor(4) as executor:
        asyncio.run(work(executor))

    assert desk.roles("p1") == []
    (readings,) = desk.asks("SELECT begun FROM intake.people_readings")
    assert readings == (3,), "two that wait share the next reading"


def test_an_administrator_synchronises_at_once_and_nobody_else(desk: Desk) -> None:
    async def work(executor: ThreadPoolExecutor) -> list[Any]:
        take = Synchroniser(desk.reader, desk.sync, executor).take
        told: list[Any] = [
            await asyncio.gather(take(request(9, "manager")), return_exceptions=True),
            await take(request(2, "admin", preview=True)),
            await asyncio.gather(*(take(request(3, "admin")) for _ in range(3))),
        ]
        desk.ldap.end()
        last = await asyncio.gather(take(request(4, "admin")), return_exceptions=True)
        return [*told, last]

    with ThreadPoolExecutor(2) as executor:
        (refused,), seen, done, (away,) = asyncio.run(work(executor))

    assert isinstance(refused, HttpError)
    assert refused.details.status == 403
    assert counts(seen) == (PEOPLE, 0, 0, 0)
    assert [counts(each) for each in done] == [(PEOPLE, 0, 0, 0)] * 3, "one command"
    assert isinstance(away, HttpError)
    assert (away.details.status, away.details.code) == (503, "ldap_away")
    assert desk.asks("SELECT actor, verb FROM intake.refusals") == [
        ("person:root", "person.sync")
    ]
