"""Links and codes that sign one person in, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from threading import Barrier

import psycopg
import pytest

from shared.eventlog.log import EventLog
from shared.security.access import create
from shared.security.rights import Grant
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start, begin_session
from shared.security.sign_in_links import (
    LINK_MINUTES,
    NewLink,
    create_link,
    link_id_of,
    links,
    links_since,
    newest_token_of,
    revoke_links,
    use_up,
)
from tests.support.desks.door import Door
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

ALL = [Grant("", "admin")]


@pytest.fixture
def made(door: Door) -> Callable[[NewLink], str]:
    def made(link: NewLink) -> str:
        with door.log.transaction() as cursor:
            return create_link(cursor, seal_keys_of(door.log), door.now, link)

    return made


def _used(door: Door, secret: str, log: EventLog | None = None) -> Start | None:
    opened = log or door.log
    with opened.transaction() as cursor:
        return use_up(cursor, seal_keys_of(opened), secret, door.now)


Made = Callable[[NewLink], str]


def test_a_link_signs_in_its_person_with_its_rights_once(
    door: Door, made: Made
) -> None:
    secret = made(NewLink("person:ada", "break_glass", rights=ALL, label="safe"))

    first, second = _used(door, secret), _used(door, secret)

    assert first == Start("person:ada", "break_glass", rights=tuple(ALL), label="safe")
    assert second is None


def test_of_many_who_use_a_link_at_once_one_is_signed_in(
    door: Door, made: Made, shared_database: Database
) -> None:
    secret, together = made(NewLink("person:bo", "link")), Barrier(8)
    dsn = shared_database.dsn("desk_projections")

    with (
        closing(EventLog.open(dsn, master=MASTER, pool_size=8)) as log,
        ThreadPoolExecutor(8) as threads,
    ):

        def use() -> bool:
            together.wait()
            return _used(door, secret, log) is not None

        let_in = [each.result() for each in [threads.submit(use) for _ in range(8)]]

    assert sum(let_in) == 1


def test_a_link_expires(door: Door, made: Made) -> None:
    early, late = (made(NewLink("person:cleo", "link")) for _ in range(2))

    door.passes(minutes=LINK_MINUTES, seconds=-1)
    assert _used(door, early)
    door.passes(seconds=1)
    assert _used(door, late) is None


def test_a_revoked_link_signs_nobody_in(door: Door, made: Made) -> None:
    secret = made(NewLink("person:dan", "mail"))
    id_ = link_id_of(secret)

    with door.log.transaction() as cursor:
        assert not revoke_links(cursor, door.now, ("invitation",), link_id=id_)
        assert revoke_links(cursor, door.now, ("mail",), link_id=id_) == 1

    assert _used(door, secret) is None


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=2)])
def test_what_somebody_had_before_they_were_removed_signs_them_in_no_more(
    door: Door, made: Made, ahead: timedelta
) -> None:
    """Even if a host whose clock is ahead made it "after" the removal."""
    eva = f"person:eva{ahead.seconds}"
    code = made(NewLink(eva, "break_glass", rights=ALL))
    by_code = Start(eva, "break_glass", rights=ALL)
    keys = seal_keys_of(door.log)
    with door.log.transaction() as cursor:
        token = create(cursor, door.now + ahead, eva, ["agent"])
        begun = begin_session(cursor, keys, door.now + ahead, by_code)
        cursor.execute(
            "INSERT INTO access.removed_people VALUES (%s, %s, 'person:root', %s)",
            (
                eva.removeprefix("person:"),
                door.now + timedelta(hours=1),
                door.now + timedelta(hours=3),
            ),
        )

    door.passes(minutes=5)

    assert _used(door, code) is None
    assert door.caller(begun.secret) is None
    assert door.caller(token.token) is None
    with door.log.transaction() as cursor:
        assert newest_token_of(cursor, eva, door.now) is None


def test_who_is_back_signs_in_at_once_at_a_host_whose_clock_is_behind(
    door: Door, made: Made
) -> None:
    with door.log.transaction() as cursor:
        cursor.execute(
            "INSERT INTO access.removed_people VALUES ('flo', %s, 'person:root', %s)",
            (door.now + timedelta(minutes=1), door.now + timedelta(minutes=2)),
        )

    code = made(NewLink("person:flo", "break_glass", rights=ALL))
    begun = door.begins(Start("person:flo", "break_glass", rights=ALL))

    assert door.caller(begun.secret)
    assert _used(door, code)


def test_one_letter_off_is_nobody(door: Door, made: Made) -> None:
    one, two = (made(NewLink("person:eve", "link")) for _ in range(2))

    for wrong in (one[:-1] + "?", one[:17] + two[17:], one[4:], "", "\udcff" * 9):
        assert _used(door, wrong) is None
    assert _used(door, one)


def test_the_same_key_makes_the_same_link(door: Door, made: Made) -> None:
    mail = NewLink("person:fay", "mail", key=b"request 7")
    before = door.now - timedelta(seconds=1)

    assert made(mail) == made(mail)
    with door.log.transaction() as cursor:
        assert links_since(cursor, "person:fay", "mail", before) == 1


def test_a_link_is_listed_without_its_secret(door: Door, made: Made) -> None:
    secret = made(NewLink("person:gil", "break_glass", label="in the safe"))

    with door.log.transaction() as cursor:
        (listed,) = [
            each for each in links(cursor, "break_glass") if each.actor == "person:gil"
        ]

    assert (listed.label, listed.used_at) == ("in the safe", None)
    assert secret.split("_", 2)[2] not in str(listed)


_FORGED = """
INSERT INTO access.sign_in_links (link_id, hash, actor, method, rights, created_at,
                                  expires_at, seal)
SELECT 'abcdefabcdef', %s, 'person:root', method, rights, created_at, expires_at, seal
FROM access.sign_in_links WHERE link_id = %s
"""


def test_a_thief_of_a_services_password_makes_no_link(
    door: Door, made: Made, shared_database: Database
) -> None:
    own, secret = made(NewLink("person:thief", "mail")), f"pml_abcdefabcdef_{'x' * 43}"

    with psycopg.connect(shared_database.dsn("desk_escalation")) as thief:
        digest = sha256(secret.encode()).digest()
        thief.execute(_FORGED, (digest, own[4:16]))

    assert _used(door, secret) is None


@pytest.mark.parametrize("role", ["desk_projections", "desk_admin", "desk_intake"])
def test_a_used_link_is_never_unused_again(
    door: Door, made: Made, shared_database: Database, role: str
) -> None:
    secret = made(NewLink("person:hal", "link"))
    assert _used(door, secret)

    with psycopg.connect(shared_database.dsn(role)) as thief:
        column = "used_at" if role == "desk_projections" else "revoked_at"
        changed = thief.execute(
            f"UPDATE access.sign_in_links SET {column} = NULL"
        )  # ours

    assert changed.rowcount >= 0
    assert _used(door, secret) is None
