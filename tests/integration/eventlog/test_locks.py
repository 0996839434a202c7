"""Own rows first, sorted; the append lock last; and nobody holds it for long."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from signal import SIGKILL, SIGSTOP
from threading import Barrier

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from shared.database import connections
from shared.database.connections import LOCK_TIMEOUT_SECONDS
from shared.eventlog import recorder
from shared.eventlog.append import Recorded
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import APPEND_LOCK, HOLD_SECONDS, lock_head
from tests.support.builders.short_events import incident, member, positions
from tests.support.patience import SECONDS
from tests.support.servers.proxy import proxy_before
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

OWN_ROWS = """
CREATE SCHEMA own;
CREATE TABLE own.rows (key int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO own.rows (key) SELECT generate_series(1, 20);
GRANT USAGE ON SCHEMA own TO desk_intake;
GRANT SELECT, INSERT, UPDATE ON own.rows TO desk_intake;
"""
LOCK_ROWS = "SELECT FROM own.rows WHERE key = ANY(%s) ORDER BY key FOR UPDATE"
UPSERT = """
INSERT INTO own.rows (key) VALUES (%s)
ON CONFLICT (key) DO UPDATE SET n = own.rows.n + 1
"""


@pytest.fixture(autouse=True)
def _own_rows(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(OWN_ROWS)


def test_who_locks_own_rows_first_and_sorted_never_meets_a_deadlock(
    log: EventLog, database: Database
) -> None:
    start = Barrier(8)

    def work(writer: int) -> None:
        start.wait()
        for n in range(1, 21):
            keys = sorted({(writer * n) % 20 + 1, (7 * n) % 20 + 1, writer + 1})
            with log.transaction() as cursor:
                cursor.execute(LOCK_ROWS, (keys,))
                log.append(cursor, [member(incident(writer), n)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert positions(database.owner_dsn) == list(range(1, 161))


def outcomes_of_two(log: EventLog, *steps: Sequence[str]) -> list[str]:
    """Run two transactions step by step side by side; say how each ended."""
    both_have_begun = Barrier(2)

    def run(mine: Sequence[str]) -> str:
        try:
            with log.transaction() as cursor:
                for n, step in enumerate(mine):
                    if n == 1:
                        both_have_begun.wait(timeout=SECONDS)
                    cursor.execute(step)
        except Unavailable as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(run, steps))


def test_the_append_lock_before_own_rows_deadlocks(log: EventLog) -> None:
    """Why the order is a rule: the reverse meets the right order and one must die."""
    row = "SELECT FROM own.rows WHERE key = 1 FOR UPDATE"

    assert outcomes_of_two(log, [APPEND_LOCK, row], [row, APPEND_LOCK]) == [
        "deadlock detected",
        "done",
    ]


def test_rows_in_different_orders_deadlock(log: EventLog) -> None:
    """Why rows are sorted: the same two, one way and the other."""
    one, two = UPSERT % 1, UPSERT % 2

    assert outcomes_of_two(log, [one, two], [two, one]) == ["deadlock detected", "done"]
    assert outcomes_of_two(log, [one, two, "SELECT"], ["SELECT", one, two]) == [
        "done",
        "done",
    ]


def test_every_connection_has_our_limits(log: EventLog) -> None:
    with log.transaction() as cursor:
        idle = cursor.execute(
            "SELECT setting::integer / 1000 FROM pg_settings "
            "WHERE name = 'idle_in_transaction_session_timeout'"
        ).fetchone()
        shown = {
            name: cursor.execute(f"SHOW {name}").fetchone()
            for name in (
                "lock_timeout",
                "transaction_isolation",
                "TimeZone",
                "transaction_timeout",
            )
        }
        lock_head(cursor)
        held = cursor.execute("SHOW transaction_timeout").fetchone()

    assert idle == (connections.IDLE_IN_TRANSACTION_SECONDS,)
    assert shown == {
        "lock_timeout": (f"{connections.LOCK_TIMEOUT_SECONDS}s",),
        "transaction_isolation": ("read committed",),
        "TimeZone": ("UTC",),
        "transaction_timeout": ("0",),
    }
    assert held == (f"{recorder.HOLD_SECONDS}s",)
    assert HOLD_SECONDS < LOCK_TIMEOUT_SECONDS


def test_who_waits_too_long_for_the_append_lock_is_told_to_come_again(
    log: EventLog,
) -> None:
    def try_in_vain() -> None:
        with log.transaction() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            log.append(cursor, [member(incident(1), 1)])

    with log.transaction() as holder:
        lock_head(holder)
        with pytest.raises(Unavailable, match="lock timeout"):
            try_in_vain()


HOLDER = """
import os, sys
from shared.eventlog import recorder
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import lock_head
from tests.support.limits import be_patient
be_patient()
recorder.HOLD_SECONDS = 5
log = EventLog.open(sys.argv[1], pool_size=1)
with log.transaction() as cursor:
    lock_head(cursor)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_stopped_process_that_holds_the_append_lock_is_thrown_out(
    log: EventLog, database: Database
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, database.dsn("desk_intake")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, SIGSTOP)

        try:
            with log.transaction() as cursor:
                outcomes = log.append(cursor, [member(incident(1), 1)])
        finally:
            os.kill(holder.pid, SIGKILL)
    assert outcomes == [Recorded(1, 1)]


def test_a_client_stuck_in_the_middle_of_a_statement_is_thrown_out(
    log: EventLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not idle, so the limit for the idle does not help; this froze a trial."""
    with proxy_before(database.cluster.port) as proxy:
        stuck = EventLog.open(
            make_conninfo(database.dsn("desk_intake"), port=proxy.port), pool_size=1
        )

        def get_stuck() -> None:
            with stuck.transaction() as cursor:
                with monkeypatch.context() as hasty:  # the other one has its time
                    hasty.setattr(recorder, "HOLD_SECONDS", 5)
                    lock_head(cursor)
                proxy.stall_after = 1_000_000
                cursor.execute("SELECT %s::bytea", (b"x" * 4_000_000,))

        with ThreadPoolExecutor(1) as pool:
            sticking = pool.submit(get_stuck)
            assert proxy.stalled.wait(SECONDS)
            with log.transaction() as cursor:
                outcomes = log.append(cursor, [member(incident(1), 1)])
            proxy.close()
            assert isinstance(sticking.exception(), Unavailable)
        stuck.close()

    assert outcomes == [Recorded(1, 1)]


CLOSED = "server closed the connection"
"""What a client says that could not read the last words of the server."""


def test_who_idles_too_long_in_a_transaction_hears_unavailable(log: EventLog) -> None:
    with pytest.raises(Unavailable, match=f"idle-in-transaction|{CLOSED}"):
        idle(log, "SET LOCAL idle_in_transaction_session_timeout = '20ms'")


def test_who_takes_too_long_in_a_transaction_hears_unavailable(log: EventLog) -> None:
    with pytest.raises(Unavailable, match=f"transaction timeout|{CLOSED}"):
        idle(log, "SET LOCAL transaction_timeout = '20ms'")


def idle(log: EventLog, limit: str) -> None:
    with log.transaction() as cursor:
        pid = cursor.connection.info.backend_pid
        cursor.execute(limit)
        with log.transaction() as watcher:
            while watcher.execute(
                "SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)
            ).rowcount:
                watcher.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT")
