"""Sessions: whose they are, what their holder may do, and when they end."""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from typing import Any

import psycopg
import pytest

from shared.domain.commands.incident import Acknowledge
from shared.domain.limits import Limits
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, Credential
from shared.security.access import REMEMBERED_SECONDS, revoke
from shared.security.rights import Grant
from shared.security.seals import NoVault, no_keys
from shared.security.sender import authentication, command_id
from shared.security.sessions import (
    KEPT,
    Lifetime,
    Start,
    begin_session,
    living_sessions,
    revoke_sessions,
)
from tests.support.desks.door import Door
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SHOP = Limits(teams=frozenset({"shop"}))


def test_a_session_has_the_rights_that_its_person_was_granted(door: Door) -> None:
    door.grants("ada", "agent", SHOP)
    made = door.begins(Start("person:ada", "link"))

    caller = door.caller(made.secret)

    assert caller is not None
    assert (caller.actor, caller.scopes) == ("person:ada", ("agent",))
    assert caller.limits_of("agent") == (SHOP,)
    assert caller.session_id == made.session_id


def test_a_right_withdrawn_or_past_its_end_ends_with_it(door: Door) -> None:
    door.grants("bo", "agent")
    door.grants("bo", "manager", until=door.now + timedelta(hours=1))
    made = door.begins(Start("person:bo", "mail"))
    before = door.caller(made.secret)
    door.passes(minutes=59)
    door.caller(made.secret)
    door.passes(minutes=1)
    meanwhile = door.caller(made.secret)
    door.withdraws("bo")

    assert before is not None
    assert meanwhile is not None
    assert (before.scopes, before.is_limited) == (("agent", "manager"), False)
    assert meanwhile.scopes == ("agent",)
    assert door.caller(made.secret) is None


def test_rights_of_a_session_alone_are_added_to_those_granted(door: Door) -> None:
    door.grants("cleo", "agent", SHOP)
    alone = [Grant("", "auditor", SHOP), Grant("", "source")]
    made = door.begins(Start("person:cleo", "provider", rights=alone))

    caller = door.caller(made.secret)

    assert caller is not None
    assert caller.scopes == ("agent", "auditor")
    assert caller.limits_of(*caller.scopes) == (SHOP,)


def test_a_session_of_a_token_has_its_scopes_and_ends_with_it(door: Door) -> None:
    token = door.token("person:dan", ["agent", "admin"])
    made = door.begins(Start("person:dan", "token", token.token_id))
    caller = door.caller(made.secret)

    with door.log.transaction() as cursor:
        revoke(cursor, token.token_id, door.now)

    assert caller is not None
    assert (set(caller.scopes), caller.is_limited) == ({"agent", "admin"}, False)
    assert door.caller(made.secret) is None


def test_a_session_lasts_a_shift_and_no_longer(door: Door) -> None:
    door.grants("eve")
    made = door.begins(Start("person:eve", "link"))

    for _ in range(11):
        door.passes(minutes=59)
        assert door.caller(made.secret)
    door.passes(minutes=71, seconds=-1)
    door.begins(Start("person:eve", "link"))

    assert made.expires_at - door.now == timedelta(seconds=1)


@pytest.mark.parametrize(("minutes", "lasts"), [(29, True), (30, False)])
def test_a_session_that_nobody_uses_ends(door: Door, minutes: int, lasts: bool) -> None:
    door.grants(f"fay{minutes}")
    lifetime = Lifetime(timedelta(hours=12), timedelta(minutes=30))
    made = door.begins(Start(f"person:fay{minutes}", "link", lifetime=lifetime))

    door.passes(minutes=minutes)

    assert (door.caller(made.secret) is not None) is lasts
    with door.log.transaction() as cursor:
        listed = living_sessions(cursor, door.now, f"person:fay{minutes}")
    assert bool(listed) is lasts


def test_a_revoked_session_is_refused_within_seconds(door: Door) -> None:
    door.grants("gil")
    made, other = (door.begins(Start("person:gil", "link")) for _ in range(2))
    assert door.caller(made.secret)

    with door.log.transaction() as cursor:
        ended = revoke_sessions(
            cursor, door.now, actor="person:gil", sparing=other.session_id
        )

    assert ended == 1
    assert door.caller(made.secret) is None
    assert door.caller(other.secret)
    assert door.access.remembered(made.secret)
    door.passes(seconds=REMEMBERED_SECONDS)
    assert door.access.remembered(made.secret) is None


def test_a_session_that_has_just_ended_elsewhere_commands_nothing(door: Door) -> None:
    door.grants("gus")
    made = door.begins(Start("person:gus", "link"))
    message = CommandMessage[Any](
        incident="INC-000001",
        credential=Credential(kind="token", secret=made.secret),
        body=Acknowledge(),
    )

    async def ended_in_between(threads: Executor) -> HttpError:
        known = authentication(door.log, lambda: door.now, threads)
        assert (await known.request(message)).actor == "person:gus"
        with door.log.transaction() as cursor:
            revoke_sessions(cursor, door.now, actor="person:gus")
        with pytest.raises(HttpError) as refused:
            await known.request(message)
        return refused.value

    with ThreadPoolExecutor(1) as threads:
        assert asyncio.run(ended_in_between(threads)).details.status == 401


def test_a_command_sent_again_after_signing_in_again_is_the_same(door: Door) -> None:
    door.grants("hal")
    door.grants("ivy")
    first, again, other = (
        door.caller(door.begins(Start(f"person:{who}", "link")).secret)
        for who in ("hal", "hal", "ivy")
    )

    assert first
    assert again
    assert other
    assert command_id(first, "key-1") == command_id(again, "key-1")
    assert command_id(first, "key-1") != command_id(other, "key-1")


@pytest.mark.parametrize(
    "service", ["intake", "projections", "sla_watcher", "escalation"]
)
def test_each_service_verifies_a_session_and_notes_its_use(
    door: Door, shared_database: Database, service: str
) -> None:
    person = f"jo-{service}"
    door.grants(person)
    made = door.begins(Start(f"person:{person}", "link"))
    door.passes(minutes=5)
    dsn = shared_database.dsn(f"desk_{service}")

    with closing(EventLog.open(dsn, master=MASTER)) as log:
        assert Door(log, door.now).caller(made.secret)

    with door.log.transaction() as cursor:
        (session,) = living_sessions(cursor, door.now, f"person:{person}")
    assert session.last_used == door.now


def test_the_secret_is_stored_nowhere(door: Door, shared_database: Database) -> None:
    made = door.begins(Start("person:kim", "link", device="Firefox on Linux"))

    with psycopg.connect(shared_database.owner_dsn) as connection:
        rows = connection.execute("SELECT s::text FROM access.sessions s").fetchall()

    assert not any(made.secret.split("_", 2)[2] in row for (row,) in rows)


def test_one_letter_off_is_nobody(door: Door) -> None:
    door.grants("lou")
    one, two = (door.begins(Start("person:lou", "link")).secret for _ in range(2))

    assert door.caller(one[:-1] + ("A" if one[-1] != "A" else "B")) is None
    assert door.caller(one[:17] + two[17:]) is None


def test_sessions_long_over_are_swept_away(door: Door) -> None:
    door.begins(Start("person:max", "link"))

    door.passes(days=KEPT.days + 1)
    door.begins(Start("person:max", "link"))

    with door.log.transaction() as cursor:
        row = cursor.execute(
            "SELECT count(*) FROM access.sessions WHERE actor = 'person:max'"
        ).fetchone()
    assert row == (1,)


def test_without_the_vault_nobody_signs_in(door: Door) -> None:
    with door.log.transaction() as cursor, pytest.raises(NoVault):
        begin_session(cursor, no_keys, door.now, Start("person:ned", "link"))


_FORGED = """
INSERT INTO access.sessions (session_id, hash, actor, method, device, created_at,
    expires_at, idle_seconds, last_used, seal)
SELECT 'abcdefabcdef', %s, 'person:root', method, '', created_at, expires_at,
       idle_seconds, last_used, seal
FROM access.sessions WHERE session_id = %s
"""


def test_a_thief_of_a_services_password_signs_nobody_in(
    door: Door, shared_database: Database
) -> None:
    door.grants("root", "admin")
    own = door.begins(Start("person:thief", "link"))
    secret = f"pms_abcdefabcdef_{'x' * 43}"

    with psycopg.connect(shared_database.dsn("desk_projections")) as thief:
        digest = sha256(secret.encode()).digest()
        thief.execute(_FORGED, (digest, own.session_id))

    assert door.caller(secret) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access.sessions SET revoked_at = NULL",
        "UPDATE access.sessions SET last_used = now() + interval '9 years'",
    ],
)
def test_what_was_revoked_is_never_valid_again(
    door: Door, shared_database: Database, statement: str
) -> None:
    door.grants("oda")
    made = door.begins(Start("person:oda", "link"))
    with door.log.transaction() as cursor:
        revoke_sessions(cursor, door.now, session_id=made.session_id)

    with psycopg.connect(shared_database.dsn("desk_projections")) as thief:
        thief.execute(statement)

    assert door.caller(made.secret) is None


def test_a_session_is_not_made_to_last_longer(
    door: Door, shared_database: Database
) -> None:
    with (
        psycopg.connect(shared_database.dsn("desk_projections")) as thief,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        thief.execute("UPDATE access.sessions SET expires_at = 'infinity'")

    door.grants("pam")
    made = door.begins(Start("person:pam", "link"))
    with psycopg.connect(shared_database.owner_dsn) as owner:
        owner.execute(
            "UPDATE access.sessions SET expires_at = expires_at + interval '1 day' "
            "WHERE actor = 'person:pam'"
        )
    assert door.caller(made.secret) is None
