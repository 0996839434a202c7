"""`permanence token` and `permanence vault`: sentences, JSON and exit codes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from shared.clock import set_lever
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.security.access import REMEMBERED_SECONDS, Access
from tests.support.command_line import Ran, permanence
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORGET_ADA = ("vault", "forget", "person:ada", "--reason", "asked by letter")


class Desk:
    """The command line of an admin, and what intake then thinks of a token."""

    def __init__(self, database: Database, log: EventLog, lever: Path) -> None:
        self.database = database
        self.log = log
        self.elapsed = 0.0
        self._lever = lever
        self.at(NOON)
        self.access = Access(log, lambda: self.now, lambda: self.elapsed)

    def at(self, now: datetime) -> None:
        self.now = now
        set_lever(self._lever, now)

    def run(self, *words: str) -> Ran:
        env = {
            "DATABASE_URL": self.database.dsn("desk_admin"),
            "PERMANENCE_CLOCK_LEVER": str(self._lever),
        }
        return permanence(*words, env=env)

    def make(self, *more: str) -> Any:
        words = ("token", "create", "--json", "--actor", "person:nadia")
        return self.run(*words, "--scope", "agent", *more).plain


@pytest.fixture
def desk(database: Database, log: EventLog, tmp_path: Path) -> Desk:
    return Desk(database, log, tmp_path / "lever")


def test_the_list_says_when_a_person_last_used_a_token(desk: Desk) -> None:
    made, other = desk.make(), desk.make()
    assert desk.access.verify(made["token"])
    soon, later = NOON + timedelta(seconds=30), NOON + timedelta(minutes=5)

    seen = []
    for instant in (NOON, soon, later):
        desk.at(instant)
        desk.access.verify(made["token"])
        seen.append(_used(desk))

    first, last = NOON.isoformat(), later.isoformat()
    assert [used[made["token_id"]] for used in seen] == [
        text.replace("+00:00", "Z") for text in (first, first, last)
    ]
    assert seen[-1][other["token_id"]] is None


def test_what_only_looks_like_a_token_leaves_no_trace(desk: Desk) -> None:
    made = desk.make()
    desk.access.verify(made["token"][:-1] + "?")
    desk.access.verify(f"pmn_{made['token_id']}_{'x' * 43}")

    assert _used(desk)[made["token_id"]] is None


@pytest.mark.parametrize("service", ["projections", "sla_watcher", "escalation"])
def test_each_service_that_checks_who_calls_may_note_it(
    desk: Desk, service: str
) -> None:
    made = desk.make()
    log = EventLog.open(desk.database.dsn(f"desk_{service}"))
    try:
        assert Access(log, lambda: NOON).verify(made["token"])
    finally:
        log.close()

    assert _used(desk)[made["token_id"]] is not None


@pytest.mark.parametrize(
    ("who", "does"),
    [
        ("desk_sla_watcher", "UPDATE access.token_use SET last_used = last_used"),
        (None, "REVOKE UPDATE ON access.token_use FROM desk_projections"),
    ],
    ids=["another role holds a lock on it", "it cannot be written"],
)
def test_who_calls_is_let_in_although_their_use_cannot_be_noted(
    desk: Desk, who: str | None, does: str
) -> None:
    made = desk.make()
    assert desk.access.verify(made["token"])
    dsn = desk.database.dsn(who) if who else desk.database.owner_dsn
    log = EventLog.open(desk.database.dsn("desk_projections"))
    with psycopg.connect(dsn, autocommit=who is None) as holder:
        holder.execute(does)
        try:
            assert Access(log, lambda: NOON).verify(made["token"])
        finally:
            log.close()


def _used(desk: Desk) -> dict[str, str | None]:
    rows = desk.run("token", "list", "--json").items
    return {row["token_id"]: row["last_used"] for row in rows}


def test_a_token_made_by_hand_lets_its_actor_in(desk: Desk) -> None:
    made = desk.make("--scope", "manager")

    caller = desk.access.verify(made["token"])

    assert caller
    assert (caller.actor, caller.scopes) == ("person:nadia", ("agent", "manager"))
    assert caller.token_id == made["token_id"]
    assert desk.access.remembered(made["token"]) == caller


def test_who_was_removed_gets_no_token_until_they_are_back(desk: Desk) -> None:
    create = ("token", "create", "--actor", "person:eva", "--scope", "agent")
    with psycopg.connect(desk.database.owner_dsn) as connection:
        connection.execute(
            "INSERT INTO access.removed_people VALUES ('eva', %s, 'person:root')",
            (NOON,),
        )

    said = desk.run(*create)

    assert said.code == 2
    assert "permanence people grant" in said.err
    assert desk.run("token", "list", "--json").out.strip() == ""


def test_a_token_is_shown_once_and_kept_nowhere(desk: Desk) -> None:
    said = desk.run(
        "token", "create", "--actor", "source:prometheus", "--scope", "source"
    )

    assert said.code == 0
    made, sentence = said.out.splitlines()
    assert "not shown again" in sentence
    secret = made.split("_", 2)[2]
    assert secret not in desk.run("token", "list", "--json").out
    with psycopg.connect(desk.database.owner_dsn) as connection:
        rows = connection.execute("SELECT t::text FROM access.tokens t").fetchall()
    assert len(rows) == 1
    assert secret not in rows[0][0]


def test_a_key_that_was_just_made_lives_and_makes_its_source_known(desk: Desk) -> None:
    assert not desk.access.has_source("source:press", now=True)
    assert not desk.access.lives("0123456789ab")

    words = ("--actor", "source:press", "--scope", "source", "--json")
    made = desk.run("token", "create", *words).plain

    assert not desk.access.has_source("source:press")  # as of a moment ago
    assert desk.access.has_source("source:press", now=True)
    assert desk.access.remembers_source("source:press")
    assert desk.access.lives(made["token_id"])


def test_while_the_database_is_away_no_key_is_taken_for_a_revoked_one() -> None:
    class Away:
        def read(self, _query: object) -> None:
            raise Unavailable

    access = Access(cast("EventLog", Away()), lambda: NOON)

    for _ in range(2):
        with pytest.raises(Unavailable):
            access.lives("0123456789ab")


def test_one_letter_off_is_nobody(desk: Desk) -> None:
    made = desk.make()["token"]
    other = made[:-1] + ("A" if made[-1] != "A" else "B")

    assert desk.access.verify(other) is None


def test_the_secret_of_one_does_not_open_the_other(desk: Desk) -> None:
    one, two = desk.make()["token"], desk.make()["token"]

    assert desk.access.verify(one[:17] + two[17:]) is None


def test_an_expired_token_is_nobody(desk: Desk) -> None:
    made = desk.make("--expires-in", "30d")

    assert made["expires_at"] == "2026-03-31T12:00:00Z"
    desk.at(NOON + timedelta(days=30, microseconds=-1))
    assert desk.access.verify(made["token"])
    desk.at(NOON + timedelta(days=30))
    assert desk.access.verify(made["token"]) is None
    assert [row["state"] for row in desk.run("token", "list", "--json").items] == [
        "expired"
    ]


def test_a_revoked_token_is_forgotten_within_seconds(desk: Desk) -> None:
    made = desk.make()
    assert desk.access.verify(made["token"])

    said = desk.run("token", "revoke", made["token_id"])

    assert "refuse it within 5 s" in said.out
    assert desk.access.verify(made["token"]) is None
    assert desk.access.remembered(made["token"])
    desk.elapsed += REMEMBERED_SECONDS
    assert desk.access.remembered(made["token"]) is None


def test_the_list_says_when_a_source_last_used_its_key(desk: Desk) -> None:
    made = desk.run(
        "token", "create", "--actor", "source:demo", "--scope", "source", "--json"
    ).plain
    (before,) = desk.run("token", "list", "--json").items
    with psycopg.connect(desk.database.owner_dsn) as connection:
        connection.execute(
            "INSERT INTO intake.source_keys VALUES ('demo', %s, %s)",
            (made["token_id"], NOON),
        )
    (after,) = desk.run("token", "list", "--json").items

    assert before["last_used"] is None
    assert after["last_used"] == "2026-03-01T12:00:00Z"
    assert "2026-03-01T12:00:00Z" in desk.run("token", "list").out


def test_revoking_twice_is_said_and_harmless(desk: Desk) -> None:
    token_id = desk.make()["token_id"]
    desk.run("token", "revoke", token_id)

    again = desk.run("token", "revoke", token_id)

    assert (again.code, "revoked before" in again.out) == (0, True)
    assert "revoked" in desk.run("token", "list").out


def test_revoking_what_does_not_exist_is_told(desk: Desk) -> None:
    said = desk.run("token", "revoke", "0123456789ab")

    assert (said.code, said.out) == (2, "")
    assert "see `permanence token list`" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--actor", "nadia", "--scope", "agent"), "write person:<id>"),
        (("--actor", "system:intake", "--scope", "agent"), "services need no token"),
        (
            ("--actor", "person:nadia", "--scope", "king"),
            "no scope king: choose one of",
        ),
        (("--actor", "person:nadia", "--scope", "source"), "the scope source and no"),
        (("--actor", "source:prom", "--scope", "agent"), "the scope source and no"),
        (
            ("--actor", "person:n", "--scope", "agent", "--scope", "source"),
            "the scope source and no",
        ),
        (
            ("--actor", "person:n", "--scope", "agent", "--expires-in", "soon"),
            "90m, 12h, 30d",
        ),
        (
            ("--actor", "person:n", "--scope", "agent", "--expires-in", "99999d"),
            "90m, 12h, 30d",
        ),
        (
            ("--actor", "person:n", "--scope", "agent", "--label", "\udcff"),
            "--label: write one line",
        ),
        (
            ("--actor", "person:n", "--scope", "agent", "--label", "a\nb"),
            "--label: write one line",
        ),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(
    desk: Desk, words: tuple[str, ...], sentence: str
) -> None:
    said = desk.run("token", "create", *words)

    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert desk.run("token", "list", "--json").items == []


def test_forgetting_by_hand_destroys_the_key(desk: Desk) -> None:
    sealed = desk.log.vault.seal("person:ada", b"yes", "here")
    reader = EventLog.open(desk.database.dsn("desk_projections"), master=MASTER)

    said = desk.run(*FORGET_ADA, "--yes", "--json")

    done = {"owner": "person:ada", "forgotten": True, "left": []}
    assert (said.code, said.plain) == (0, done)
    assert reader.vault.open(sealed, "here") is None
    reader.close()


def test_forgetting_needs_a_yes(desk: Desk) -> None:
    desk.log.vault.prepare("person:ada")

    said = desk.run(*FORGET_ADA)

    assert (said.code, said.out) == (2, "")
    assert "for ever" in said.err
    assert "say --yes" in said.err
    assert desk.run(*FORGET_ADA, "--yes", "--json").plain["forgotten"]


def test_forgetting_somebody_unknown_is_said_and_harmless(desk: Desk) -> None:
    said = desk.run(*FORGET_ADA, "--yes")

    assert (said.code, "has no key" in said.out) == (0, True)


@pytest.mark.parametrize(
    ("owner", "reason"), [("system:vault", "why"), ("ada", "why"), ("person:ada", " ")]
)
def test_what_cannot_be_forgotten_is_told(desk: Desk, owner: str, reason: str) -> None:
    said = desk.run("vault", "forget", owner, "--reason", reason, "--yes")

    assert (said.code, said.out) == (2, "")


def test_a_role_that_may_not_make_tokens_hears_so(desk: Desk) -> None:
    env = {"DATABASE_URL": desk.database.dsn("desk_intake")}
    words = ["token", "create", "--actor", "person:n", "--scope", "agent"]

    result = permanence(*words, env=env)

    assert result.code == 3
    assert "permission denied" in result.err
