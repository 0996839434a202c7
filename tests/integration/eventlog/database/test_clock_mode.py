"""The log goes by PostgreSQL's clock, whatever a host believes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from services.intake.partitions import turn_partitions
from shared.clock import Clock
from shared.database.clock_mode import ClockMode
from shared.database.migrate import MIGRATIONS, ROLES, Mismatch, migrate
from shared.eventlog.entry import Link, chained
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import insert, lock_head
from tests.support.builders.short_events import broken_at, incident, member, note
from tests.support.servers.servers import Database, PostgresServer

pytestmark = pytest.mark.servers

FIVE_HOURS_AHEAD = timedelta(hours=5)
SIXTY_DAYS_AHEAD = timedelta(days=60)
RECORDED = "SELECT max(recorded_at), clock_timestamp() FROM log.events"
CLOCK_FILE = "0042_clock.sql"


def off_by(difference: timedelta) -> Clock:
    return lambda: datetime.now(UTC) + difference


@contextmanager
def log_of(
    database: Database, clock: Clock, role: str = "desk_intake"
) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn(role), clock=clock, pool_size=1)
    try:
        yield log
    finally:
        log.close()


def append(log: EventLog, number: int, command: int | None = None) -> None:
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(number), 1, command=command)])


def asked(database: Database, query: str) -> tuple[object, ...]:
    with psycopg.connect(database.owner_dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row


def mode_of(database: Database) -> object:
    return asked(database, "SELECT mode FROM log.clock")[0]


@pytest.mark.parametrize("difference", [FIVE_HOURS_AHEAD, -FIVE_HOURS_AHEAD])
def test_a_wrong_clock_reaches_neither_instants_nor_days(
    server_time_database: Database, difference: timedelta
) -> None:
    with log_of(server_time_database, off_by(difference)) as log:
        append(log, 1, command=7)
        append(log, 2)

    recorded, present = asked(server_time_database, RECORDED)
    assert isinstance(recorded, datetime)
    assert isinstance(present, datetime)
    assert timedelta(0) <= present - recorded < timedelta(hours=1)
    day = asked(server_time_database, "SELECT day FROM log.commands")[0]
    assert day in {present.date(), (present - timedelta(hours=1)).date()}
    assert broken_at(server_time_database.owner_dsn) is None


def test_a_hosts_wrong_clock_pins_nothing_for_the_others(
    server_time_database: Database,
) -> None:
    with (
        log_of(server_time_database, off_by(FIVE_HOURS_AHEAD)) as wrong,
        log_of(server_time_database, off_by(timedelta(0))) as right,
    ):
        append(wrong, 1)
        before = right.head().recorded_at
        append(right, 2)

        assert right.head().recorded_at > before


def test_a_lever_log_goes_by_its_callers(database: Database) -> None:
    noon = datetime(2025, 6, 30, 12, tzinfo=UTC)
    with log_of(database, lambda: noon) as log:
        append(log, 1, command=7)

        assert log.head().recorded_at == noon
    assert asked(database, "SELECT day FROM log.commands")[0] == noon.date()


def forge(log: EventLog, instant: datetime) -> None:
    """Insert an event with an instant of one's own choice."""
    with log.transaction() as cursor:
        head = lock_head(cursor)._replace(server_now=instant, recorded_at=instant)
        insert(cursor, head, instant, [note(incident(2), 1)])


@pytest.mark.parametrize("difference", [timedelta(hours=-5), timedelta(hours=5)])
def test_the_database_refuses_an_instant_that_is_not_its_own(
    server_time_database: Database, difference: timedelta
) -> None:
    with log_of(server_time_database, off_by(timedelta(0))) as log:
        append(log, 1)
        forged = datetime.now(UTC) + difference
        with pytest.raises(
            psycopg.errors.IntegrityConstraintViolation,
            match=r"is not the server's time|go back in time",
        ):
            forge(log, forged)

        assert log.head().position == 1


def test_a_first_event_cannot_be_dated_back(server_time_database: Database) -> None:
    with log_of(server_time_database, off_by(timedelta(0))) as log:
        forged = datetime.now(UTC) - timedelta(hours=1)
        with pytest.raises(
            psycopg.errors.IntegrityConstraintViolation, match="server's time"
        ):
            forge(log, forged)


def test_a_log_whose_head_lies_ahead_goes_on_at_its_heads_instant(
    server_time_database: Database,
) -> None:
    """A wrong clock recorded it before this version: the log must still be usable."""
    with log_of(server_time_database, off_by(timedelta(0))) as log:
        append(log, 1)
    ahead = pin_head_ahead(server_time_database)
    with log_of(server_time_database, off_by(timedelta(0))) as log:
        append(log, 2)

        assert log.head().recorded_at == ahead
    assert broken_at(server_time_database.owner_dsn) is None


def pin_head_ahead(database: Database) -> datetime:
    """Date the first event five hours ahead, as an old version could."""
    link = (
        "SELECT notification_id, originator_id, originator_version, topic, "
        "recorded_at, command_id, state, chain FROM log.events"
    )
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        row = connection.execute(link.encode()).fetchone()
        assert row is not None
        ahead: datetime = row[4] + FIVE_HOURS_AHEAD
        before = bytes(32)
        chain = chained(before, Link._make(row[:7])._replace(recorded_at=ahead))
        connection.execute(
            "UPDATE log.events SET recorded_at = %s, chain = %s", (ahead, chain)
        )
    return ahead


@pytest.mark.parametrize("mode", ["server", "lever"])
def test_the_mode_is_chosen_once(
    postgres_server: PostgresServer, mode: ClockMode
) -> None:
    database = postgres_server.fresh_database(mode)
    other = "lever" if mode == "server" else "server"
    for statement in (
        f"UPDATE log.clock SET mode = '{other}'",
        "DELETE FROM log.clock",
        "TRUNCATE log.clock",
        f"INSERT INTO log.clock VALUES (true, '{other}')",
    ):
        with (
            psycopg.connect(database.owner_dsn) as connection,
            pytest.raises(psycopg.Error, match="chosen once"),
        ):
            connection.execute(statement.encode())
    for role in ROLES:
        with (
            psycopg.connect(database.dsn(role)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"UPDATE log.clock SET mode = '{other}'".encode())

    assert mode_of(database) == mode
    assert migrate(database.owner_dsn, {}, clock=mode) == []
    with pytest.raises(Mismatch, match=f"clock mode `{mode}`"):
        migrate(database.owner_dsn, {}, clock="lever" if mode == "server" else "server")
    postgres_server.drop(database)


@pytest.fixture
def older(
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    """Give a database that was migrated before logs had a clock mode."""
    folder = tmp_path_factory.mktemp("older")
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < CLOCK_FILE:
            (folder / path.name).write_bytes(path.read_bytes())
    database = Database(postgres_server.cluster, "older")
    owner = database.cluster.dsn("postgres")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE DATABASE older")
        with monkeypatch.context() as patch:
            patch.setattr("shared.database.migrate.MIGRATIONS", folder)
            migrate(database.owner_dsn, {})
    yield database
    postgres_server.drop(database)


def record_policy(database: Database, purpose: str) -> None:
    state = f'{{"type": "policy.applied", "purpose": "{purpose}"}}'.encode()
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(
            "INSERT INTO log.events VALUES "
            "(1, 'policy-desk', 1, 'policy.applied', %s, now(), %s, %s)",
            (state, UUID(int=1), bytes(32)),
        )


@pytest.mark.parametrize(
    ("purpose", "mode"),
    [("live", "server"), ("demo", "lever"), ("test", "lever")],
)
def test_a_log_that_exists_is_given_the_mode_of_its_purpose(
    older: Database, purpose: str, mode: str
) -> None:
    record_policy(older, purpose)

    migrate(older.owner_dsn, {})

    assert mode_of(older) == mode


def test_a_live_log_that_exists_cannot_be_given_a_lever(older: Database) -> None:
    record_policy(older, "live")

    with pytest.raises(Mismatch, match="clock mode `server`"):
        migrate(older.owner_dsn, {}, clock="lever")


def test_an_older_database_without_events_may_choose(older: Database) -> None:
    migrate(older.owner_dsn, {}, clock="lever")

    assert mode_of(older) == "lever"


def test_partitions_turn_by_the_servers_day_whatever_the_caller_says(
    server_time_database: Database,
) -> None:
    def partitions() -> set[str]:
        query = (
            "SELECT array_agg(inhrelid::regclass::text) FROM pg_inherits "
            "WHERE inhparent = 'log.commands'::regclass"
        )
        found = asked(server_time_database, query)[0]
        assert isinstance(found, list)
        return set(found)

    today = datetime.now(UTC).date()
    with log_of(server_time_database, off_by(timedelta(0))) as log:
        turn_partitions(log.transaction, today)
        append(log, 1, command=7)
        before = partitions()
        for wrong in (today + SIXTY_DAYS_AHEAD, today - SIXTY_DAYS_AHEAD, date.max):
            turned = turn_partitions(log.transaction, wrong)
            assert not [what for what in turned if what.startswith("dropped")]

    assert before <= partitions()
    assert asked(server_time_database, "SELECT count(*) FROM log.commands") == (1,)


def test_under_a_lever_nothing_is_dropped_ahead_of_the_logs_last_event(
    database: Database,
) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with log_of(database, lambda: noon) as log:
        turn_partitions(log.transaction, noon.date())
        append(log, 1, command=7)
        turned = turn_partitions(log.transaction, (noon + SIXTY_DAYS_AHEAD).date())

    assert not [what for what in turned if what.startswith("dropped")]
    assert asked(database, "SELECT count(*) FROM log.commands") == (1,)
