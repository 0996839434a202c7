"""What a retry of parked events appended and undid is not expected of the log."""

from contextlib import closing

import pytest

from shared.database.cursors import Cursors
from shared.domain.events.incident import IncidentAcknowledged
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_commands import ParkedRequests
from tests.support.builders.short_events import incident
from tests.support.desks.follower import AT, BOOKMARK, Desk, Entries

pytestmark = pytest.mark.servers


def test_an_append_that_a_retry_undoes_is_not_missed_afterwards(desk: Desk) -> None:
    desk.happen(1)
    (row,) = desk.rows(1)
    desk.tell(
        "INSERT INTO sla.tracking (reader, position, chain, recorded_at,"
        " parked_streams) SELECT 'sla_watcher', 1, chain, recorded_at, 1"
        " FROM log.events"
    )
    desk.tell(
        "INSERT INTO sla.parked (reader, position, stream, error)"
        f" VALUES ('sla_watcher', 1, '{row.stream}', 'poison')"
    )
    desk.tell(
        "INSERT INTO sla.parked_requests (reader, stream, action, requested_by)"
        f" VALUES ('sla_watcher', '{row.stream}', 'retry', 'root')"
    )
    event = IncidentAcknowledged(
        at=AT, by="person:ann", incident="INC-000002", policy=1
    )
    with closing(EventLog.open(desk.database.owner_dsn, pool_size=2)) as log:

        def fail_late(cursor: Cursors, _: Entries) -> None:
            log.append(cursor, [AppendUnit((log.stored(incident(2), 1, event),))])
            raise ValueError("a mistake of ours, after the append")

        requests = ParkedRequests(log, BOOKMARK, fail_late, lambda *_: None)
        assert requests.answer_all() == 1
        assert log.head().position == 1

        with log.transaction() as cursor:
            assert log.look(cursor).head.position == 1
    (outcome,) = desk.ask("SELECT outcome FROM sla.parked_requests")
    assert outcome == ("still parked",)
