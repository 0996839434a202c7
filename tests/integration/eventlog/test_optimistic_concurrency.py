"""Of many writers who all saw the same version, one wins and the others know."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.domain.events.incident import IncidentAcknowledged
from shared.eventlog.append import Recorded, Stale
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import broken_at, incident, member, positions
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

WRITERS = 32
ROUNDS = 5


def test_of_thirty_two_writers_exactly_one_wins_each_version(
    database: Database,
) -> None:
    log = EventLog.open(database.dsn("desk_intake"), pool_size=WRITERS)
    start = Barrier(WRITERS)

    def race(_: int) -> list[int]:
        won = []
        for version in range(1, ROUNDS + 1):
            start.wait(timeout=SECONDS)
            with log.transaction() as cursor:
                (outcome,) = log.append(cursor, [member(incident(1), version)])
            assert isinstance(outcome, Recorded | Stale)
            if isinstance(outcome, Recorded):
                won.append(version)
        return won

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(race, range(WRITERS)))

    assert sorted(version for each in won for version in each) == [1, 2, 3, 4, 5]
    assert positions(database.owner_dsn) == [1, 2, 3, 4, 5]
    assert broken_at(database.owner_dsn) is None
    log.close()


def test_everybody_gets_in_by_deciding_again(database: Database) -> None:
    log = EventLog.open(database.dsn("desk_intake"), pool_size=8)

    def insist(_: int) -> int:
        while True:
            version = log.head_version(incident(1)) + 1
            with log.transaction() as cursor:
                (outcome,) = log.append(cursor, [member(incident(1), version)])
            if isinstance(outcome, Recorded):
                return version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(insist, range(8)))

    assert sorted(versions) == list(range(1, 9))
    log.close()


@pytest.mark.parametrize("expected", [0, 2, 7])
def test_recording_at_another_version_than_the_streams_is_stale(
    log: EventLog, expected: int
) -> None:
    event = IncidentAcknowledged.model_validate(
        {
            "at": "2026-03-01T12:00:00Z",
            "by": "person:nadia",
            "incident": "INC-000001",
            "policy": 1,
        }
    )
    (entry,) = log.record(incident(1), 0, [event])

    with pytest.raises(StaleVersion, match=f"no longer at {expected}"):
        log.record(incident(1), expected, [event])

    assert log.history(incident(1)) == [entry]
    assert (entry.position, entry.version, entry.event) == (1, 1, event)
