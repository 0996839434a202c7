"""One total order without a gap, whoever writes and whatever their clocks say."""

import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from shared.eventlog.log import EventLog
from tests.support.builders.short_events import broken_at, incident, member, positions
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_many_threads_leave_no_gap_and_an_unbroken_chain(
    log: EventLog, database: Database
) -> None:
    start = Barrier(8)

    def write(writer: int) -> None:
        start.wait()
        for n in range(25):
            size = 1 + (writer + n) % 3
            with log.transaction() as cursor:
                log.append(
                    cursor,
                    [member(incident(1000 * writer + n), *range(1, size + 1))],
                )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    held = positions(database.owner_dsn)
    assert held == list(range(1, len(held) + 1))
    assert len(held) >= 8 * 25
    assert broken_at(database.owner_dsn) is None


WRITER = """
import sys
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import incident, member
from tests.support.limits import be_patient
be_patient()
log = EventLog.open(sys.argv[1], pool_size=1)
for n in range(50):
    with log.transaction() as cursor:
        stream = incident(1000 * int(sys.argv[2]) + n)
        outcome, = log.append(cursor, [member(stream, 1, 2)])
    print(outcome.first, outcome.last)
log.close()
"""


def test_many_processes_leave_no_gap_and_each_knows_its_positions(
    database: Database,
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, database.dsn("desk_intake"), str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    told = [
        line
        for each in writers
        for line in each.communicate(timeout=SECONDS)[0].split()
    ]

    assert sorted(map(int, told)) == list(range(1, 301))
    assert positions(database.owner_dsn) == list(range(1, 301))
    assert broken_at(database.owner_dsn) is None


def test_a_transaction_that_is_undone_burns_no_position(
    log: EventLog, database: Database
) -> None:
    def doomed() -> None:
        with log.transaction() as cursor:
            log.append(cursor, [member(incident(1), 1)])
            raise KeyError

    with pytest.raises(KeyError):
        doomed()
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(2), 1)])

    assert positions(database.owner_dsn) == [1]


def test_two_appends_in_one_transaction_go_on_where_the_first_ended(
    log: EventLog, database: Database
) -> None:
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(1), 1)])
        log.append(cursor, [member(incident(1), 2)])

    assert positions(database.owner_dsn) == [1, 2]
    assert broken_at(database.owner_dsn) is None


def test_recorded_at_never_goes_back_when_the_clock_does(database: Database) -> None:
    shown = iter([NOON, NOON - timedelta(hours=1), NOON + timedelta(microseconds=1)])
    log = EventLog.open(database.dsn("desk_intake"), clock=lambda: next(shown))

    for version in (1, 2, 3):
        with log.transaction() as cursor:
            log.append(cursor, [member(incident(1), version)])

    rows = log.rows_since(0, 10)
    assert [row.recorded_at for row in rows] == [
        NOON,
        NOON,
        NOON + timedelta(microseconds=1),
    ]
    log.close()


def test_every_instant_is_a_prefix_of_the_log(database: Database) -> None:
    shown = iter([NOON + timedelta(seconds=s) for s in (0, 5, 3, 5, 9, 1, 9, 12)])
    log = EventLog.open(database.dsn("desk_intake"), clock=lambda: next(shown))
    for number in range(8):
        with log.transaction() as cursor:
            log.append(cursor, [member(incident(number), 1, 2)])

    with psycopg.connect(database.owner_dsn) as connection:
        for second in range(13):
            known = connection.execute(
                "SELECT notification_id FROM log.events WHERE recorded_at <= %s"
                " ORDER BY 1",
                (NOON + timedelta(seconds=second),),
            ).fetchall()
            assert [n for (n,) in known] == list(range(1, len(known) + 1))
    log.close()


WORDS = b'{"words":"' + b"x" * 300 + b'"}'


def test_twenty_thousand_events_in_one_go_do_not_freeze(
    log: EventLog, database: Database
) -> None:
    events = [
        StoredEvent(incident(1), version, "incident.scribbled", WORDS)
        for version in range(1, 20_001)
    ]

    inserted = log.recorder.insert_events(events)

    assert inserted == list(range(1, 20_001))
    with log.transaction() as cursor:  # and the append lock is free again
        log.append(cursor, [member(incident(2), 1)])
    assert broken_at(database.owner_dsn) is None


def test_who_reads_on_never_misses_what_is_committed_meanwhile(log: EventLog) -> None:
    seen: list[int] = []

    def write(writer: int) -> None:
        for version in range(1, 31):
            with log.transaction() as cursor:
                log.append(cursor, [member(incident(writer), version)])

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, writer) for writer in range(4)]
        while len(seen) < 120:
            seen += [row.position for row in log.rows_since(len(seen), 7)]
            for each in filter(Future.done, writing):
                each.result()  # who failed writes no more

    assert seen == list(range(1, 121))
