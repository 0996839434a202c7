"""What each connection of a service demands of PostgreSQL."""

from typing import Any

import psycopg
import pytest

from shared.database import server_clock
from shared.database.connections import connect
from shared.database.server_clock import TimeSource
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    ("default", "used"),
    [
        ("off", "local"),
        ("local", "local"),
        ("remote_write", "remote_write"),
        ("remote_apply", "remote_apply"),
    ],
)
def test_a_commit_is_on_the_disk_whatever_the_default(
    database: Database, default: str, used: str
) -> None:
    role = f"ALTER ROLE desk_intake IN DATABASE {database.name}"
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        owner.execute(f"{role} SET synchronous_commit = {default}")

    log = EventLog.open(database.dsn("desk_intake"), pool_size=1)
    with log.transaction() as cursor:
        shown = cursor.execute("SHOW synchronous_commit").fetchone()
    log.close()

    assert shown == (used,)


def test_a_source_of_time_closed_while_it_connects_leaves_no_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed_meanwhile(dsn: str) -> psycopg.Connection[Any]:
        source.close()
        made.append(connect(dsn))
        return made[0]

    made: list[psycopg.Connection[Any]] = []
    source = TimeSource(database.dsn("desk_intake"))
    monkeypatch.setattr(server_clock, "connect", closed_meanwhile)

    with pytest.raises(Unavailable):
        source.ask()
    assert made[0].closed
