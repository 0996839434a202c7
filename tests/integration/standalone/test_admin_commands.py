"""The command line needs the role of administrators, and never the owner's password.

`restored` and `vault` have tests of their own, as the same role.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared.vault.master_keys import text_of
from standalone.credentials import vault_key_file
from standalone.folder import Run, write_private, write_run
from tests.support.command_line import Ran, permanence
from tests.support.compose import ROOT
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

STARTER = ROOT / "deploy" / "permanence.yaml"
NO_SUCH = 2
"""Exit code of a command that has looked and found nothing of that name."""
Command = Callable[..., Ran]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Command:
    key = tmp_path / "key"
    key.write_bytes(base64.b64encode(bytes(32)))
    env = {
        "DATABASE_URL": database.dsn("desk_admin"),
        "PERMANENCE_PROJECTIONS_DATABASE_URL": database.dsn("desk_projections"),
        "PERMANENCE_VAULT_KEY_FILE": str(key),
        "PERMANENCE_HOME": "/nowhere",
    }

    def command(*words: object, code: int = 0) -> Ran:
        done = permanence(*words, "--json", env=env)
        assert done.code == code, (words, done)
        return done

    return command


def test_who_may_call_and_what_is_promised_is_an_administrators(
    run: Command, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("id,name\nnadia,Nadia\n")

    run("config", "apply", STARTER, "--reason", "first", "--by", "admin")
    run("config", "diff", STARTER)
    run("config", "show")
    made = run("token", "create", "--actor", "person:nadia", "--scope", "agent")
    assert run("token", "revoke", made.plain["token_id"]).plain["revoked"]
    assert [row["state"] for row in run("token", "list").items] == ["revoked"]
    run("people", "import", people)
    run("people", "list")
    assert run("people", "show", "nadia").plain["name"] == "Nadia"
    run("heartbeat", "list")


def test_an_administrator_looks_into_everything(run: Command) -> None:
    run("config", "apply", STARTER, "--reason", "first", "--by", "admin")

    assert run("audit", "verify").plain["ok"]
    assert run("rebuild", "queue").plain["flipped"]
    run("remap", "--source", "demo")
    for words in (("list",), ("skipped",), ("retry",)):
        assert run("parked", *words).items == []
    unknown = ("--reader", "queue", "--reason", "a test")
    run("parked", "skip", "incident-INC-000001", *unknown, code=NO_SUCH)
    run("replay", "INC-000001", code=NO_SUCH)
    run("sla", "explain", "INC-000001", code=NO_SUCH)


def test_the_commands_of_a_desk_on_this_machine_are_an_administrators_too(
    database: Database, tmp_path: Path
) -> None:
    nowhere = "postgresql://permanence_owner:x@127.0.0.1:1/permanence"
    admin, projections = database.dsn("desk_admin"), database.dsn("desk_projections")
    run = Run("", "", "", nowhere, "", "", {}, admin)
    write_run(tmp_path, replace(run, projections_database_url=projections))
    write_private(vault_key_file(tmp_path), text_of(MASTER.keys))
    env = {"DATABASE_URL": "", "PERMANENCE_HOME": str(tmp_path)}

    listed = permanence("token", "list", "--json", env=env)
    rebuilt = permanence("rebuild", "queue", "--json", env=env)

    assert (listed.code, listed.items) == (0, []), listed
    assert (rebuilt.code, rebuilt.plain["schema"]) == (0, "rm_queue_v1"), rebuilt


def test_only_the_owner_migrates(database: Database) -> None:
    given = {"DATABASE_URL": database.dsn("desk_admin")}

    refused = permanence("migrate", "--json", env=given)

    assert refused.code == 1
    assert "refused" in refused.plain["error"]
