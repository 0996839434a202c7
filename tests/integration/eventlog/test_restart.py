"""PostgreSQL goes away and comes back; the log says so soon and works at once again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from time import monotonic

import psycopg
import pytest
from psycopg.types.composite import CompositeInfo

from shared.database.connections import CONNECT_SECONDS
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import incident, member, positions
from tests.support.folders import reachable_folder
from tests.support.key_ring import MASTER
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import Database, PostgresServer, running_postgres

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Give a PostgreSQL that only these tests stop and kill."""
    with reachable_folder() as folder, running_postgres(folder) as server:
        yield server


@pytest.fixture
def own(own_server: PostgresServer) -> Iterator[Database]:
    database = own_server.fresh_database()
    yield database
    if not own_server.alive():
        own_server.start().wait()
    own_server.drop(database)


@pytest.fixture
def log(own: Database) -> Iterator[EventLog]:
    log = EventLog.open(own.dsn("desk_intake"), master=MASTER, pool_size=4)
    with ThreadPoolExecutor(4) as pool:  # so that the pool is full
        list(pool.map(lambda n: append(log, n), range(4)))
    yield log
    log.close()


@contextmanager
def as_hasty_as_a_service(log: EventLog) -> Iterator[None]:
    """Let it wait for a connection no longer than services do: a test has more time."""
    patient = log._pool.timeout
    log._pool.timeout = CONNECT_SECONDS
    try:
        yield
    finally:
        log._pool.timeout = patient


def append(log: EventLog, number: int) -> None:
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(number), 1)])


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_after_a_restart_the_first_use_works(
    log: EventLog, own_server: PostgresServer, own: Database, how: str
) -> None:
    getattr(own_server, how)()
    own_server.start().wait()

    assert log.head().position == 4
    log._pool.wait(SECONDS)
    getattr(own_server, how)()
    own_server.start().wait()
    append(log, 10)

    assert positions(own.owner_dsn) == [1, 2, 3, 4, 5]


def test_after_a_restart_all_who_come_at_once_are_served(
    log: EventLog, own_server: PostgresServer, own: Database
) -> None:
    own_server.kill()
    own_server.start().wait()
    start = Barrier(12)

    def come(number: int) -> None:
        start.wait()
        append(log, number)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(come, range(10, 22)))

    assert len(positions(own.owner_dsn)) == 16


def test_the_vault_finds_its_keys_after_a_restart(
    log: EventLog, own_server: PostgresServer
) -> None:
    log.vault.prepare("person:ada")
    own_server.kill()
    own_server.start().wait()

    log.vault.prepare("person:bob")


def test_while_it_is_away_everybody_hears_so_soon_and_works_once_it_is_back(
    log: EventLog, own_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_server.kill()

    with as_hasty_as_a_service(log):
        for number in (10, 11):
            began = monotonic()
            with pytest.raises(Unavailable, match="no connection within"):
                append(log, number)
            assert monotonic() - began < SECONDS
    own_server.start().wait()
    append(log, 12)

    assert log.head().position == 5
    assert caplog.records == []


def test_an_absent_server_is_not_courted_with_ever_longer_pauses(
    log: EventLog, own_server: PostgresServer
) -> None:
    """The pool has given up, so that the next caller rebuilds it try, at once."""
    own_server.kill()
    with as_hasty_as_a_service(log), pytest.raises(Unavailable):
        append(log, 10)

    until(lambda: log._pool.get_stats()["pool_size"] == 0, "the pool has given up")
    own_server.start().wait()
    append(log, 11)


def test_who_is_in_a_transaction_when_it_dies_hears_so(
    log: EventLog, own_server: PostgresServer
) -> None:
    def die_within() -> None:
        with log.transaction() as cursor:
            own_server.kill()
            log.append(cursor, [member(incident(10), 1)])

    with pytest.raises(Unavailable):
        die_within()


def test_opening_it_while_it_is_away_says_why(
    own: Database, own_server: PostgresServer
) -> None:
    own_server.kill()

    with pytest.raises(Unavailable, match="Connection refused"):
        EventLog.open(own.dsn("desk_intake"))


def test_opening_it_looks_for_no_types_of_the_library(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> None:
        pytest.fail("every service and command would read the catalog of PostgreSQL")

    monkeypatch.setattr(CompositeInfo, "fetch", look)
    EventLog.open(database.owner_dsn).close()


def test_a_wrong_password_is_called_so(own: Database) -> None:
    dsn = own.cluster.dsn(own.name, "desk_intake", "guess")

    with pytest.raises(Unavailable, match="password authentication failed"):
        EventLog.open(dsn)


def test_what_is_no_address_is_called_so() -> None:
    with pytest.raises(psycopg.ProgrammingError, match="missing"):
        EventLog.open("the database on the left")
