"""The database goes back under a process that runs: nothing stale reaches the log."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Literal

import psycopg
import pytest

from services.intake.records.store import RecordCache, Versioned
from shared.database.cursors import Cursors
from shared.eventlog.append import AppendUnit, Outcome
from shared.eventlog.continuity.check import BROKEN_MAX, EVIDENCE_MAX
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.evidence import FIRST, Evidence, Mark
from shared.eventlog.entry import Entry
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_events import StillPoison, apply_parked
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.recorder import PendingEvent, tips_of
from tests.support.builders.short_events import incident, member
from tests.support.continuity import NOW
from tests.support.faults.restore import go_back
from tests.support.key_ring import MASTER
from tests.support.patience import until
from tests.support.servers.servers import Database, PostgresServer


def append(log: EventLog, *members: AppendUnit) -> list[Outcome]:
    with log.transaction() as cursor:
        return log.append(cursor, members)


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=4)
    yield log
    log.close()


def test_a_log_that_went_back_takes_nothing_until_its_epoch_is_renewed(
    database: Database, log: EventLog
) -> None:
    append(log, member(incident(1), 1, 2, 3))
    go_back(database, 2)

    for _ in range(2):
        with pytest.raises(NotContinued, match="permanence restored"):
            append(log, member(incident(1), 3))
    assert log.head().position == 2


def test_a_log_that_went_back_and_grew_again_is_another_one(
    database: Database, log: EventLog
) -> None:
    append(log, member(incident(1), 1, 2, 3))
    go_back(database, 2)
    with closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as other:
        append(other, member(incident(2), 1, 2))

    with pytest.raises(NotContinued):
        append(log, member(incident(1), 3))
    assert log.head().position == 4


def test_what_others_saw_is_missed_in_a_log_that_has_grown_past_it(
    database: Database, log: EventLog
) -> None:
    """As where the services were started before NATS, beside an older copy."""
    append(log, member(incident(1), 1, 2, 3))
    seen = Evidence(log.continuity.last, FIRST, "NATS")
    go_back(database, 2)
    with closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as fresh:
        append(fresh, member(incident(2), 1, 2, 3))

        fresh.continuity.expect(seen)
        for _ in range(2):
            with pytest.raises(NotContinued, match=r"position 3 .* NATS has seen"):
                append(fresh, member(incident(2), 4))
        assert fresh.continuity.contradiction == seen

        _renew(database, "promotion")
        with pytest.raises(NotContinued):
            append(fresh, member(incident(2), 4))
        _renew(database, "restore")
        with pytest.raises(Unavailable, match="decide again"):
            append(fresh, member(incident(2), 4))
        append(fresh, member(incident(2), 4))
        assert fresh.continuity.contradiction is None


def test_however_much_contradicts_the_log_the_furthest_is_kept(
    log: EventLog,
) -> None:
    """As where the files of 64 workers do, and NATS has seen more than they."""
    append(log, member(incident(1), 1))

    def seen(position: int) -> Evidence:
        return Evidence(Mark(position, bytes([1]) * 32), FIRST, f"process {position}")

    for last in (EVIDENCE_MAX, EVIDENCE_MAX + BROKEN_MAX):
        told = [log.continuity.expect(seen(n)) for n in range(1, last + 1)]
        assert sum(told) == EVIDENCE_MAX
        with pytest.raises(NotContinued, match=f"process {EVIDENCE_MAX} has seen"):
            append(log, member(incident(1), 2))
    nats = seen(EVIDENCE_MAX + 1)
    assert log.continuity.expect(nats)
    with pytest.raises(NotContinued):
        append(log, member(incident(1), 2))
    assert log.continuity.contradiction == nats
    assert log.continuity.misses(nats)


def _renew(database: Database, cause: Literal["restore", "promotion"]) -> None:
    renewal = Renewal(cause, "a test", "person:root", NOW)
    with closing(EventLog.open(database.dsn("desk_admin"))) as admin:
        renew(admin, renewal, None)


def test_what_was_read_is_dropped_with_the_log_it_was_read_from(
    database: Database, log: EventLog
) -> None:
    dropped: list[bool] = []
    log.continuity.drop_with(lambda: dropped.append(True))
    append(log, member(incident(1), 1, 2))
    assert not dropped
    go_back(database, 1)

    with pytest.raises(NotContinued):
        append(log, member(incident(1), 2))
    assert dropped == [True]


def test_what_a_cache_was_filled_from_has_to_be_there_as_well(
    database: Database, log: EventLog
) -> None:
    dropped: list[bool] = []
    log.continuity.drop_with(lambda: dropped.append(True))
    append(log, member(incident(1), 1))
    with closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as other:
        append(other, member(incident(2), 1))
        with other.transaction() as cursor:
            tip = tips_of(cursor, [incident(2)])[incident(2)]
    log.continuity.pin("policies", Mark(2, tip.chain))
    go_back(database, 1)

    with pytest.raises(Unavailable) as refused:
        append(log, member(incident(1), 2))
    assert not isinstance(refused.value, NotContinued)
    assert dropped == [True]
    append(log, member(incident(1), 2))


def test_what_was_undone_is_not_missed(log: EventLog) -> None:
    append(log, member(incident(1), 1))
    with suppress(ZeroDivisionError), log.transaction() as cursor:
        _append_and_fail(log, cursor)
    with log.transaction() as cursor:
        with suppress(ZeroDivisionError), log.savepoint(cursor, "part"):
            _append_and_fail(log, cursor)
        cursor.execute("SELECT 1")
    append(log, member(incident(1), 2))
    assert log.head().position == 2


@pytest.mark.parametrize("commits", [True, False])
def test_a_transaction_that_appends_twice_is_known_once_it_is_committed(
    log: EventLog, *, commits: bool
) -> None:
    append(log, member(incident(1), 1))
    with suppress(ZeroDivisionError), log.transaction() as cursor:
        log.append(cursor, [member(incident(1), 2)])
        log.append(cursor, [member(incident(2), 1)])
        with log.transaction() as other:
            log.look(other)
        if not commits:
            raise ZeroDivisionError

    append(log, member(incident(1), 3 if commits else 2))
    assert log.head().position == (4 if commits else 2)


def test_what_was_never_committed_is_not_missed(
    database: Database, log: EventLog
) -> None:
    """The next cursor may have the address of the one whose commit failed."""
    append(log, member(incident(1), 1))
    log.continuity.committed(_append_without_commit(log, database))

    append(log, member(incident(1), 2))
    assert log.head().position == 2


def test_a_parked_event_that_fails_after_its_append_is_not_missed(
    log: EventLog,
) -> None:
    append(log, member(incident(1), 1))

    def apply(cursor: Cursors, _: Sequence[Entry]) -> None:
        _append_and_fail(log, cursor)

    with log.transaction() as cursor:
        closing_reader = Bookmark("intake", "closing")
        closing_reader.start(cursor)
        with pytest.raises(StillPoison):
            apply_parked(log, cursor, closing_reader, apply, [])
    append(log, member(incident(1), 2))
    assert log.head().position == 2


def _append_without_commit(log: EventLog, database: Database) -> Cursors:
    """Append, and lose the session before the commit."""
    with suppress(Unavailable), log.transaction() as cursor:
        log.append(cursor, [member(incident(1), 2)])
        pid = cursor.connection.info.backend_pid
        with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    return cursor


def _append_and_fail(log: EventLog, cursor: Cursors) -> None:
    log.append(cursor, [member(incident(1), 2)])
    raise ZeroDivisionError


def test_a_state_is_good_for_one_history_only(
    database: Database, log: EventLog
) -> None:
    cache = RecordCache(log)
    append(log, member(incident(1), 1, 2))
    ref = "INC-000001"
    cache.keep({ref: Versioned(2, None)})
    with log.transaction() as cursor:
        assert cache.read(cursor, [ref])[ref].version == 2

    go_back(database, 1)
    with closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as other:
        append(other, member(incident(1), 2))
    with log.transaction() as cursor:
        # It is read again, and these notes of the test cannot be decoded.
        assert cache.read(cursor, [ref])[ref].unreadable


def test_nothing_is_sealed_under_a_key_that_is_gone(
    postgres_server: PostgresServer, database: Database, log: EventLog
) -> None:
    append(log, member(incident(1), 1))
    lost = _sealed(log, 2)
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("DELETE FROM vault.keys WHERE owner = 'person:nadia'")
    _replace(postgres_server, database)  # the log itself ends where it did

    until(lambda: "seal them again" in _refusal(log, lost), "a lost key is noticed")
    until(lambda: _taken(log), "sealed again, it is taken")
    assert log.head().position == 2


def _refusal(log: EventLog, event: PendingEvent) -> str:
    try:
        append(log, AppendUnit((event,)))
    except Unavailable as error:  # at first perhaps for connections that were cut
        return str(error)
    raise AssertionError("it was taken")


def _taken(log: EventLog) -> bool:
    try:
        append(log, AppendUnit((_sealed(log, 2),)))
    except Unavailable:
        return False
    return True


def _sealed(log: EventLog, version: int) -> PendingEvent:
    sealed = log.vault.seal("person:nadia", b"words", "here")
    state = f'{{"words":{{"sealed":"{sealed}"}}}}'.encode()
    return PendingEvent(incident(1), version, "incident.scribbled", state)


def _replace(server: PostgresServer, database: Database) -> None:
    """Put a copy of the database in its place, as it is."""
    with psycopg.connect(server.cluster.dsn("postgres"), autocommit=True) as owner:
        name, copy = database.name, f"{database.name}_copy"
        owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        owner.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE datname = %s",
            (name,),
        )
        owner.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        owner.execute(f"ALTER DATABASE {copy} RENAME TO {name}")
