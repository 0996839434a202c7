"""`permanence restored`: refuses where nothing shows a restore, unless it is forced."""

import json

import pytest
from typer.testing import CliRunner, Result

from cli.app import command_line
from cli.restored import epoch_at_start
from standalone.nats import Bus
from tests.support.servers import Database

pytestmark = pytest.mark.servers


def restored(database: Database, url: str, *options: str) -> Result:
    """Run the command as an admin."""
    given = ["restored", "--reason", "a test", "--by", "root", "--json"]
    given += ["--database", database.dsn("desk_admin"), "--nats", url, *options]
    return CliRunner().invoke(command_line(), given)


def test_an_empty_bucket_knows_nothing(database: Database, bus: Bus) -> None:
    done = restored(database, bus.url("admin"))

    assert done.exit_code == 2, done.output
    assert "--force" in json.loads(done.output)["error"]


def test_without_nats_it_says_to_start_it(database: Database) -> None:
    done = restored(database, "nats://admin:secret@127.0.0.1:1")

    assert done.exit_code == 3, done.output
    assert "start it first" in json.loads(done.output)["error"]


def test_forced_it_renews_all_the_same(database: Database) -> None:
    for number in (2, 3):
        done = restored(database, "nats://admin:secret@127.0.0.1:1", "--force")
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["epoch"] == number


def test_a_desk_can_be_started_in_a_new_epoch(database: Database, bus: Bus) -> None:
    begin = epoch_at_start("backup of 07:45")

    said = begin(database.owner_dsn, bus.url("admin"), None)

    assert said.startswith("Epoch 2-")
    assert "not known" in said


def test_a_start_for_a_reason_with_an_address_is_refused() -> None:
    done = CliRunner().invoke(
        command_line(), ["up", "--restored", "ask nadia@example.org"]
    )

    assert done.exit_code == 2
    assert "nothing was done" in done.output


def test_a_reason_is_kept_for_ever_and_holds_no_address(database: Database) -> None:
    given = ["restored", "--reason", "ask nadia@example.org", "--by", "root"]
    given += ["--database", database.dsn("desk_admin")]

    done = CliRunner().invoke(command_line(), given)

    assert done.exit_code == 2
