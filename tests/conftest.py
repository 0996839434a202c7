"""Fixtures every test may ask for: a fresh database, a fresh bus."""

import gc
from collections.abc import Iterator
from pathlib import Path
from platform import python_version

import certifi
import pytest
from hypothesis import HealthCheck, settings

from standalone.nats import Bus
from tests.gate import halves
from tests.support.folders import reachable_folder, sweep
from tests.support.limits import PATIENT
from tests.support.servers.servers import (
    Database,
    NatsServer,
    PostgresServer,
    running_nats,
    running_postgres,
)

# No test is timed: a busy machine is not a mistake of ours. `make test` tries the same
# in every run and on every machine, whatever its variables; `make explore` draws anew.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "gate", _UNTIMED, derandomize=True, database=None, max_examples=40
)
settings.register_profile(
    "explore", _UNTIMED, derandomize=False, max_examples=1_000, print_blob=True
)
settings.load_profile("gate")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(halves)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say with what the run can be repeated (`-q` hides the header); sweep first."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:  # workers have none
        sweep()
        seed = session.config.getoption("randomly_seed")
        profile = settings.get_current_profile_name()
        said = f"Python {python_version()}, seed {seed}, Hypothesis profile {profile}"
        reporter.write_line(said)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect no garbage among what is imported and collected, now and later.

    It stays to the end: each full collection would look at 300 MB of it again.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one certificate authority by default, not all of them.

    httpx reads the whole list for each client, also one that speaks plain HTTP: 6 ms of
    CPU for each request of a test.
    """
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(certifi.contents().partition(end)[0] + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient_transactions() -> Iterator[None]:
    """Let transactions of a test, and of what it runs in threads, take longer."""
    with pytest.MonkeyPatch.context() as limits:
        for limit in PATIENT:
            limits.setattr(*limit)
        yield


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


@pytest.fixture(scope="module")
def shared_database(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give one database to tests of a module that do not see each other's records."""
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


@pytest.fixture(scope="module")
def shared_bus(nats_server: NatsServer) -> Bus:
    """Give the bus to the tests of a module, without the streams of those before."""
    nats_server.wipe()
    return nats_server.bus
