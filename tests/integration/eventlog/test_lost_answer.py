"""The connection dies between COMMIT and its answer: recorded, and nobody knows."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from shared.domain.events.incident import IncidentAcknowledged
from shared.eventlog.append import Recorded, Repeated
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import incident, member, positions
from tests.support.patience import SECONDS
from tests.support.servers.proxy import Proxy, proxy_before
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    with proxy_before(database.cluster.port) as proxy:
        yield proxy


@pytest.fixture
def far_log(database: Database, proxy: Proxy) -> Iterator[EventLog]:
    dsn = make_conninfo(database.dsn("desk_intake"), port=proxy.port)
    log = EventLog.open(dsn, pool_size=2)
    yield log
    log.close()


def test_the_same_command_again_is_repeated_not_a_conflict(
    far_log: EventLog, proxy: Proxy, database: Database
) -> None:
    def acknowledge() -> object:
        with far_log.transaction() as cursor:
            (outcome,) = far_log.append(cursor, [member(incident(1), 1, command=7)])
        return outcome

    proxy.lose_answer_to = b"COMMIT"
    with pytest.raises(Unavailable):
        acknowledge()

    assert proxy.lost.wait(SECONDS)
    assert positions(database.owner_dsn) == [1]
    assert acknowledge() == Repeated(1, 1)
    assert positions(database.owner_dsn) == [1]


def test_recording_again_returns_what_was_recorded(
    far_log: EventLog, proxy: Proxy, database: Database
) -> None:
    event = IncidentAcknowledged.model_validate(
        {
            "at": "2026-03-01T12:00:00Z",
            "by": "person:nadia",
            "incident": "INC-000001",
            "policy": 1,
        }
    )
    command = member("", command=7).command_id

    proxy.lose_answer_to = b"COMMIT"
    with pytest.raises(Unavailable):
        far_log.record(incident(1), 0, [event], command, b"body")
    (entry,) = far_log.record(incident(1), 0, [event], command, b"body")

    assert (entry.position, entry.event, entry.command_id) == (1, event, command)
    assert positions(database.owner_dsn) == [1]


def test_an_answer_lost_before_the_commit_leaves_nothing(
    far_log: EventLog, proxy: Proxy, database: Database
) -> None:
    proxy.lose_answer_to = b"INSERT INTO log.events"

    with pytest.raises(Unavailable), far_log.transaction() as cursor:
        far_log.append(cursor, [member(incident(1), 1, command=7)])

    assert proxy.lost.wait(SECONDS)
    assert positions(database.owner_dsn) == []
    with far_log.transaction() as cursor:
        outcomes = far_log.append(cursor, [member(incident(1), 1, command=7)])
    assert outcomes == [Recorded(1, 1)]


def test_without_a_command_id_the_loss_shows_as_a_stale_version(
    far_log: EventLog, proxy: Proxy
) -> None:
    """What command ids are for: this is how it looks without one."""
    proxy.lose_answer_to = b"COMMIT"
    with pytest.raises(Unavailable), far_log.transaction() as cursor:
        far_log.append(cursor, [member(incident(1), 1)])

    with far_log.transaction() as cursor:
        (outcome,) = far_log.append(cursor, [member(incident(1), 1)])

    assert not isinstance(outcome, Recorded | Repeated)


def test_what_is_not_the_servers_absence_is_not_called_so(log: EventLog) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), log.transaction() as cursor:
        cursor.execute("SELECT * FROM log.nonsense")
