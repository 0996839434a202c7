"""The log of a fresh database, as intake opens it."""

from collections.abc import Iterator

import pytest

from shared.eventlog.log import EventLog
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=8)
    yield log
    log.close()
