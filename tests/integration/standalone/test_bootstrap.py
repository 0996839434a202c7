"""What a desk begins with is recorded by the clock that it goes by."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from shared.clock import set_lever
from shared.database.server_clock import server_now
from shared.eventlog.log import EventLog
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import use_up
from shared.vault.master_keys import text_of
from standalone.bootstrap import bootstrap, first_link
from standalone.credentials import Credentials
from standalone.postgres import demand_lever
from standalone.startup_error import Exit, StartupError
from tests.support.desks.door import Door
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers
MONDAY = datetime(2025, 6, 30, 7, tzinfo=UTC)
BARE = Credentials(owner="", roles={}, nats={})


def instants(database: Database) -> set[datetime]:
    """Return when the policy was recorded, and when tokens were made."""
    query = """SELECT recorded_at FROM log.readable
               UNION SELECT created_at FROM access.tokens"""
    with psycopg.connect(database.owner_dsn) as connection:
        return {row[0] for row in connection.execute(query)}


def test_with_a_lever_all_of_it_is_recorded_at_its_instant(
    database: Database, tmp_path: Path
) -> None:
    lever = tmp_path / "lever.json"
    set_lever(lever, MONDAY)

    filled = bootstrap(database.owner_dsn, lever, BARE)

    assert instants(database) == {MONDAY}
    assert filled.token
    assert filled.source_key


def test_without_one_it_goes_by_the_clock_of_postgresql(
    server_time_database: Database,
) -> None:
    before = server_now(server_time_database.owner_dsn)

    bootstrap(server_time_database.owner_dsn, None, BARE)

    latest = server_now(server_time_database.owner_dsn)
    assert all(before <= at <= latest for at in instants(server_time_database))


def test_the_link_of_the_first_start_signs_the_administrator_in(
    database: Database, tmp_path: Path
) -> None:
    lever, key = tmp_path / "lever.json", tmp_path / "vault.key"
    set_lever(lever, MONDAY)
    key.write_text(text_of(MASTER.keys), encoding="ascii")
    filled = bootstrap(database.owner_dsn, lever, BARE)

    link = first_link(database.owner_dsn, lever, filled.token, key)
    none = first_link(database.owner_dsn, lever, "pmn_revoked", key)

    assert none is None
    assert link is not None
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        door = Door(log, MONDAY)
        with log.transaction() as cursor:
            start = use_up(cursor, seal_keys_of(log), link, MONDAY)
        assert start is not None
        caller = door.caller(door.begins(start).secret)
    assert caller is not None
    assert (caller.actor, "admin" in caller.scopes) == ("person:admin", True)


@pytest.mark.parametrize("text", [None, "", "{}", "[]"])
def test_a_lever_that_shows_no_time_is_refused(
    database: Database, tmp_path: Path, text: str | None
) -> None:
    lever = tmp_path / "lever.json"
    if text is not None:
        lever.write_text(text)

    with pytest.raises(StartupError, match="shows no time") as told:
        demand_lever(database.owner_dsn, lever)

    assert told.value.code == Exit.USAGE
