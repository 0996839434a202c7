"""Fixtures every test may ask for: a fresh database, a fresh bus."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from standalone.nats import Bus
from tests.support.servers import (
    Database,
    NatsServer,
    PostgresServer,
    reachable_folder,
    running_nats,
    running_postgres,
)

# No test is timed: a busy machine is not a mistake of ours.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes minutes: begun last, it would keep one of two waiting."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests, without fsync: for what nobody will miss."""
    with running_postgres(servers_folder, durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def nats_server(servers_folder: Path) -> Iterator[NatsServer]:
    """One nats-server for all tests, flushing lazily."""
    with running_nats(servers_folder, durable=False) as server:
        yield server


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give a database of this test's own: migrated, empty, on the caller's clock."""
    database = postgres_server.fresh_database()
    yield database
    postgres_server.drop(database)


@pytest.fixture
def server_time_database(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give a database whose log goes by PostgreSQL's clock: migrated, empty."""
    database = postgres_server.fresh_database("server")
    yield database
    postgres_server.drop(database)


@pytest.fixture
def bus(nats_server: NatsServer) -> Bus:
    """Give the bus with no stream on it; `bus.url("intake")` connects."""
    nats_server.wipe()
    return nats_server.bus
