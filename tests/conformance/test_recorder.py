"""Our recorder keeps every promise that the library's own recorders keep."""

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    RecorderTestCase,
)

from shared.eventlog.log import EventLog
from shared.eventlog.recorder import DeskRecorder
from tests.support.builders.short_events import broken_at
from tests.support.servers.servers import Database, PostgresServer

pytestmark = pytest.mark.servers


class _OnPostgres(RecorderTestCase):
    """Gives each of the library's tests a recorder on a database of its own."""

    __test__ = False

    @pytest.fixture(autouse=True)
    def _fresh_log(self, postgres_server: PostgresServer) -> Iterator[None]:
        self.database: Database = postgres_server.fresh_database()
        with ExitStack() as self.opened:
            yield
        postgres_server.drop(self.database)

    def new_originator_id(self) -> str:
        return f"incident-{uuid4()}"

    def create_recorder(self) -> DeskRecorder:
        log = EventLog.open(self.database.owner_dsn, pool_size=10)
        self.opened.callback(log.close)
        return log.recorder


class TestApplicationRecorder(_OnPostgres, ApplicationRecorderTestCase[DeskRecorder]):
    """Selection, limits, topics, conflicts, concurrent writers."""

    __test__ = True


class TestNotificationsDoNotInterleave(
    _OnPostgres, NonInterleavingNotificationIDsBaseCase
):
    """Two large appends at once have contiguous positions each."""

    __test__ = True


def test_what_the_library_appends_is_chained_like_everything_else(
    database: Database,
) -> None:
    log = EventLog.open(database.owner_dsn)
    first, second = (StoredEvent("incident-1", n, "noted", b"{}") for n in (1, 2))

    log.recorder.insert_events([first])
    log.recorder.insert_events([second])

    assert log.recorder.select_events("incident-1") == [first, second]
    assert broken_at(database.owner_dsn) is None
    log.close()
