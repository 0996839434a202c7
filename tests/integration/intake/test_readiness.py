"""Ready means that a signal would be taken now."""

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.intake.endpoints import Doors
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SIGNAL = b'{"action": "trigger", "title": "Down", "dedup_key": "web"}'
JSON = {"Content-Type": "application/json"}
Trouble = Callable[[Database, Doors], None]


@pytest.fixture
def doors(doors: Doors) -> Doors:
    """Give the doors once their connections are there; a lack of one is soon told."""
    for pool in (doors.log._pool, doors.log._keys):
        pool.wait(SECONDS)
        pool.timeout = 1
    return doors


def tell(database: Database, *statements: str) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement)


def nothing(_: Database, __: Doors) -> None:
    pass


def no_more_connections(database: Database, _: Doors) -> None:
    tell(database, f"ALTER DATABASE {database.name} CONNECTION LIMIT 1")


def no_connection_for_keys(database: Database, doors: Doors) -> None:
    with doors.log._key_transaction() as cursor:
        pid = cursor.connection.info.backend_pid
    no_more_connections(database, doors)
    tell(database, f"SELECT pg_terminate_backend({pid}, {SECONDS * 1_000})")


def no_connection(database: Database, doors: Doors) -> None:
    no_more_connections(database, doors)
    _end_all(database)


def read_only(database: Database, _: Doors) -> None:
    role = f"ALTER ROLE desk_intake IN DATABASE {database.name}"
    tell(database, f"{role} SET default_transaction_read_only = on")
    _end_all(database)


def _end_all(database: Database) -> None:
    tell(
        database,
        f"SELECT pg_terminate_backend(pid, {SECONDS * 1_000}) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'desk_intake'",
    )


@pytest.mark.parametrize(
    ("trouble", "well"),
    [
        (nothing, True),
        (no_more_connections, True),
        (no_connection_for_keys, False),
        (no_connection, False),
        (read_only, False),
    ],
)
def test_it_is_ready_where_it_takes_a_signal(
    ruled: Database, doors: Doors, trouble: Trouble, well: bool
) -> None:
    trouble(ruled, doors)
    doors.log.vault.drop()  # what it remembers for some seconds

    assert doors.ready() is well
    assert doors.knock("POST", "/v1/events", SIGNAL, JSON).is_success is well

    tell(
        ruled,
        f"ALTER DATABASE {ruled.name} CONNECTION LIMIT -1",
        f"ALTER ROLE desk_intake IN DATABASE {ruled.name} RESET ALL",
    )
    if trouble is read_only:
        _end_all(ruled)
    until(doors.ready, "it is ready again, unasked")
