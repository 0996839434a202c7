"""A running API, for one test or for all of a file that change nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.machine.nats import Bus
from tests.support.api import Api, serving
from tests.support.servers import Database, NatsServer, PostgresServer


@pytest.fixture
def api(database: Database, bus: Bus, tmp_path: Path) -> Iterator[Api]:
    """Give an API with an empty log."""
    with serving(database, bus, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared_api(
    postgres_server: PostgresServer,
    nats_server: NatsServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """Give an API to tests that change nothing another test sees."""
    database = postgres_server.fresh_database()
    folder = tmp_path_factory.mktemp("api")
    with serving(database, nats_server.bus, folder) as running:
        yield running
    postgres_server.drop(database)
