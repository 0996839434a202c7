"""The log of a fresh database, as escalation opens it, and leases that last."""

from collections.abc import Iterator

import pytest

from shared.database import leadership
from shared.eventlog.log import EventLog
from tests.support.servers.servers import Database


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn("desk_escalation"), pool_size=4)
    yield log
    log.close()


@pytest.fixture
def long_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no lease expire while a busy machine stands still."""
    monkeypatch.setattr(leadership, "LEASE_SECONDS", 60.0)
