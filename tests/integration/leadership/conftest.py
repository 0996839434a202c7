"""The log of a fresh database, as escalation opens it."""

from collections.abc import Iterator

import pytest

from shared.eventlog.log import EventLog
from tests.support.servers.servers import Database


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn("desk_escalation"), pool_size=4)
    yield log
    log.close()
