"""Commands about signing in: sentences, JSON and exit codes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.security.break_glass import EVERY_RIGHT
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start
from shared.security.sign_in_links import use_up
from shared.vault.master_keys import text_of
from tests.support.command_line import Ran, permanence
from tests.support.desks.door import Door
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

Run = Callable[..., Ran]


@pytest.fixture
def run(door: Door, shared_database: Database, tmp_path: Path) -> Run:
    """Run a command of an admin at the instant of the door."""
    key, lever = tmp_path / "vault.key", tmp_path / "lever"
    key.write_text(text_of(MASTER.keys), encoding="ascii")

    def run(*words: str, **more: str | None) -> Ran:
        door.pulls(lever)
        env = {
            "DATABASE_URL": shared_database.dsn("desk_admin"),
            "PERMANENCE_CLOCK_LEVER": str(lever),
            "PERMANENCE_VAULT_KEY_FILE": str(key),
            "PERMANENCE_HOME": str(tmp_path / "none"),
            "PERMANENCE_PUBLIC_URL": "https://desk.example.org/",
        }
        return permanence(*words, env={**env, **more})

    return run


def _used(door: Door, secret: str) -> Start | None:
    with door.log.transaction() as cursor:
        return use_up(cursor, seal_keys_of(door.log), secret, door.now)


def test_who_is_signed_in_is_listed_and_can_be_signed_out(door: Door, run: Run) -> None:
    door.grants("ada")
    made = door.begins(Start("person:ada", "link", device="Firefox on Linux"))

    (listed,) = run("session", "list", "--person", "ada", "--json").items
    assert (listed["session_id"], listed["method"]) == (made.session_id, "link")
    assert "Firefox on Linux" in run("session", "list").out
    said = run("session", "revoke", made.session_id)

    assert "nothing is read after 5 s" in said.out
    assert door.caller(made.secret) is None
    assert run("session", "revoke", made.session_id).code == 2


def test_all_sessions_of_somebody_end_with_one_command(door: Door, run: Run) -> None:
    door.grants("bo")
    made = [door.begins(Start("person:bo", "link")) for _ in range(3)]

    ended = run("session", "revoke", "--person", "person:bo", "--json").plain

    assert ended == {"revoked": 3}
    assert not any(door.caller(each.secret) for each in made)


def test_a_link_signs_in_with_what_its_person_was_granted(door: Door, run: Run) -> None:
    door.grants("cleo")

    made = run("sign-in-link", "cleo", "--json").plain

    address, _, secret = made["link"].rpartition("/")
    assert address == "https://desk.example.org/sign-in/link"
    assert _used(door, secret) == Start("person:cleo", "link")


def test_without_grants_a_link_has_the_rights_of_the_newest_token(
    door: Door, run: Run
) -> None:
    door.token("person:dan")
    door.passes(minutes=1)
    newest = door.token("person:dan", ["admin"])

    out = run("sign-in-link", "person:dan", "--minutes", "5").out

    secret = out.split()[0].rpartition("/")[2]
    assert "signs person:dan in once, within 5 minutes" in out
    assert _used(door, secret) == Start("person:dan", "link", newest.token_id)


def test_a_code_in_an_envelope_has_every_right_and_is_listed(
    door: Door, run: Run
) -> None:
    out = run("break-glass", "create", "--label", "safe, room 12").out
    code = out.split()[0]
    (sealed,) = [
        each
        for each in run("break-glass", "list", "--json").items
        if each["label"] == "safe, room 12"
    ]

    start = _used(door, code)

    assert sealed["state"] == "sealed"
    assert code not in run("break-glass", "list").out
    assert start is not None
    assert (start.actor, start.label) == ("person:break-glass", "safe, room 12")
    assert (start.method, start.rights) == ("break_glass", EVERY_RIGHT)
    assert "used 2026-03-02T07:00:00Z" in run("break-glass", "list").out


def test_a_revoked_code_is_not_taken(door: Door, run: Run) -> None:
    code = run("break-glass", "create", "--label", "lost", "--json").plain["code"]

    assert run("break-glass", "revoke", code[4:16]).code == 0

    assert _used(door, code) is None
    assert run("break-glass", "revoke", code[4:16]).code == 2


@pytest.mark.parametrize(
    ("words", "more", "sentence"),
    [
        (("session", "revoke"), {}, "write the id of a session, or --person"),
        (("session", "list", "--person", "é"), {}, "is not an actor"),
        (("sign-in-link", "stranger"), {}, "may not read anything here"),
        (("sign-in-link", "a b"), {}, "is not an actor"),
        (
            ("sign-in-link", "stranger"),
            {"PERMANENCE_PUBLIC_URL": None},
            "Write --url https://",
        ),
        (
            ("break-glass", "create", "--label", "x"),
            {"PERMANENCE_VAULT_KEY_FILE": None},
            "the vault's master key is needed",
        ),
        (("break-glass", "create", "--label", "a\nb"), {}, "write one line"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    run: Run, words: tuple[str, ...], more: dict[str, str | None], sentence: str
) -> None:
    said = run(*words, **more)

    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
