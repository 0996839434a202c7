"""`permanence restored`: refuses where nothing shows a restore, unless it is forced."""

import json
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from cli.app import command_line
from cli.restored import epoch_at_start
from services.intake.records.reference_numbers import new_refs
from shared.clock import real_clock
from shared.eventlog.continuity.epoch_renewal import MARGIN
from shared.eventlog.errors import NotContinued
from shared.eventlog.log import EventLog
from shared.security.access import create
from shared.security.mail_requests import request_link, take
from shared.security.rights import Grant
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start, begin_session, find_session
from shared.security.sign_in_links import NewLink, create_link, use_up
from standalone.nats import Bus
from tests.support.builders.short_events import incident, member
from tests.support.faults.restore import go_back
from tests.support.key_ring import MASTER
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers
NOWHERE = "nats://admin:secret@127.0.0.1:1"


def restored(database: Database, url: str, *options: str) -> Result:
    """Run the command as an admin."""
    given = ["restored", "--reason", "a test", "--by", "root", "--json"]
    given += ["--database", database.dsn("desk_admin"), "--nats", url, *options]
    return CliRunner().invoke(command_line(), given)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.restored.ANSWER_SECONDS", SECONDS)


@pytest.fixture
def _no_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens at `NOWHERE`: to wait for it longer shows nothing."""
    monkeypatch.setattr("shared.messaging.connection.GIVE_UP_SECONDS", 0.5)


def test_an_empty_bucket_knows_nothing(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("NATS_SESSION_CONNECT_SECONDS", "GIVE_UP_SECONDS"):
        monkeypatch.setattr(f"shared.messaging.connection.{limit}", SECONDS)
    done = restored(database, bus.url("admin"))

    assert done.exit_code == 2, done.output
    assert "--force" in json.loads(done.stderr)["error"]


@pytest.mark.usefixtures("_no_nats")
def test_without_nats_it_says_to_start_it(database: Database) -> None:
    done = restored(database, NOWHERE)

    assert done.exit_code == 3, done.output
    assert "start it first" in json.loads(done.stderr)["error"]


@pytest.mark.usefixtures("_no_nats")
def test_what_a_service_asks_for_is_done_without_nats(database: Database) -> None:
    """Its own file, or it alone, has seen what the log lacks."""
    with closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as log:
        with log.transaction() as cursor:
            log.append(cursor, [member(incident(1), 1, 2, 3)])
        with log.transaction() as cursor:
            log.look(cursor)
        log.continuity.issued({"incident": 50})
        held = log.continuity.remembered().written
        go_back(database, 2)
        with pytest.raises(NotContinued) as refused, log.transaction() as cursor:
            log.look(cursor)
        asked_for = str(refused.value).rstrip("`").split()[-2:]
        assert asked_for == ["--seen", held]

    done = restored(database, NOWHERE, *asked_for)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["last_seen"] == 3
    with (
        closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as log,
        log.transaction() as cursor,
    ):
        (ref,) = new_refs(cursor, "incident", 1)
    number = int(ref.removeprefix("INC-"))
    assert number > 50 + MARGIN, "above what was issued and lost"
    again = restored(database, NOWHERE, *asked_for)
    assert again.exit_code == 3, again.output


@pytest.mark.usefixtures("_no_nats")
def test_forced_it_renews_all_the_same(database: Database, bus: Bus) -> None:
    for number, url in (2, bus.url("admin")), (3, NOWHERE):
        done = restored(database, url, "--force")
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["epoch"] == number


def test_nobody_is_signed_in_by_what_a_backup_holds(
    database: Database, bus: Bus
) -> None:
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        now, keys = real_clock(), seal_keys_of(log)
        rights = [Grant("", "agent")]
        with log.transaction() as cursor:
            create(cursor, now, "person:ada", ["agent"])
            start = Start("person:ada", "mail", rights=rights)
            session = begin_session(cursor, keys, now, start).secret
            codes = [
                create_link(
                    cursor, keys, now, NewLink("person:ada", method, label="the safe")
                )
                for method in ("link", "mail", "break_glass")
            ]
            request_link(cursor, uuid4(), "ada@desk.example", now)

        said = json.loads(restored(database, bus.url("admin"), "--force").output)

        now = real_clock()
        with log.transaction() as cursor:
            assert find_session(cursor, keys, session, now) is None
            assert [use_up(cursor, keys, code, now) for code in codes] == [None] * 3
            assert take(cursor, now) is None
    assert said["ended"] == {
        "sessions": 1,
        "links": 3,
        "tokens_left": 1,
        "codes": ["the safe"],
    }
    assert said["rights"] == {"people": 0, "differences": []}


def test_it_says_why_unless_it_is_only_about_rights(database: Database) -> None:
    given = ["restored", "--database", database.dsn("desk_admin")]

    done = CliRunner().invoke(command_line(), given)

    assert done.exit_code == 2
    assert "--reason" in done.output


def test_a_desk_can_be_started_in_a_new_epoch(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    with (
        closing(EventLog.open(database.owner_dsn, master=MASTER)) as log,
        log.transaction() as cursor,
    ):
        code = NewLink("person:ada", "break_glass", label="safe, room 12")
        create_link(cursor, seal_keys_of(log), real_clock(), code)
    begin = epoch_at_start("backup of 07:45")

    said = begin(database.owner_dsn, bus.url("admin"), None, tmp_path)

    assert said.startswith("Epoch 2-")
    assert "not known" in said
    assert "permanence break-glass create --label 'safe, room 12'" in said


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
