"""A desk that takes files, for all tests of a module: each has its own incident."""

from collections.abc import Iterator

import pytest

from standalone.nats import Bus
from tests.support.desks.attachments import FileDesk, taking_files
from tests.support.servers.servers import Database


@pytest.fixture(scope="module")
def desk(
    shared_database: Database,
    shared_bus: Bus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FileDesk]:
    folder = tmp_path_factory.mktemp("files")
    with taking_files(shared_database, shared_bus, folder) as running:
        yield running


@pytest.fixture
def ref(desk: FileDesk) -> str:
    """Give an incident that M. Costa reported."""
    return desk.incident()
