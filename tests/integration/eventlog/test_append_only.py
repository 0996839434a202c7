"""The database itself refuses to change, skip or backdate anything in the log."""

from datetime import UTC, datetime

import psycopg
import pytest

from shared.eventlog.log import EventLog
from shared.eventlog.recorder import EMPTY, insert
from tests.support.builders.short_events import incident, member, note, positions
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = """
INSERT INTO log.events (notification_id, originator_id, originator_version, topic,
                        state, recorded_at, chain)
VALUES ({position}, '{stream}', {version}, 'incident.scribbled', '{{}}', {at},
        decode(repeat('00', 32), 'hex'))
"""


@pytest.fixture
def held(log: EventLog) -> None:
    """Put three events into the log."""
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(1), 1, 2, 3)])


def event(position: int, *, version: int = 1, at: str = "clock_timestamp()") -> str:
    return EVENT.format(position=position, stream=incident(2), version=version, at=at)


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode())


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log.events SET topic = 'incident.closed' WHERE notification_id = 2",
        "UPDATE log.events SET topic = topic WHERE false",
        "DELETE FROM log.events WHERE notification_id = 3",
        "DELETE FROM log.events",
        "TRUNCATE log.events",
        "TRUNCATE log.events CASCADE",
        "MERGE INTO log.events USING (SELECT) v ON true WHEN MATCHED THEN DELETE",
        event(3) + "ON CONFLICT (notification_id) DO UPDATE SET topic = 'x'",
    ],
)
def test_even_the_owner_changes_nothing(database: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
        execute(database.owner_dsn, statement)

    assert positions(database.owner_dsn) == [1, 2, 3]


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(event(5), id="one left out"),
        pytest.param(event(0), id="before the first"),
        pytest.param(event(-1), id="far before the first"),
        pytest.param(
            f"{event(4)}, (6, '{incident(3)}', 1, 'incident.scribbled', '{{}}',"
            " clock_timestamp(), decode(repeat('00', 32), 'hex'))",
            id="one left out within",
        ),
    ],
)
def test_no_position_is_left_out(database: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match="leave a gap"):
        execute(database.dsn("desk_intake"), statement)


def test_an_empty_log_begins_at_one(database: Database) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match="leave a gap"):
        execute(database.dsn("desk_intake"), event(2))


@pytest.mark.usefixtures("held")
def test_no_position_is_used_twice(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation, match="notification_id"):
        execute(database.dsn("desk_intake"), event(3))


@pytest.mark.usefixtures("held")
def test_nothing_is_recorded_before_what_stands_before_it(database: Database) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match="go back in time"):
        execute(database.dsn("desk_intake"), event(4, at="'2020-01-01'"))


@pytest.mark.usefixtures("held")
def test_nothing_is_recorded_out_of_order_in_one_statement(database: Database) -> None:
    first = event(4, at="'2100-01-02'")
    later = (
        f"{first}, (5, '{incident(3)}', 1, 'incident.scribbled',"
        " '{}', '2100-01-01', decode(repeat('00', 32), 'hex'))"
    )

    with pytest.raises(psycopg.errors.IntegrityError, match="go back in time"):
        execute(database.dsn("desk_intake"), later)


def test_two_writers_without_the_append_lock_cannot_make_a_gap(
    database: Database,
) -> None:
    """The second numbers over the first, which then goes away."""
    with (
        psycopg.connect(database.dsn("desk_intake")) as first,
        psycopg.connect(database.dsn("desk_intake")) as second,
    ):
        insert(first.cursor(), EMPTY, NOON, [note(incident(2), 1)])
        with pytest.raises(psycopg.errors.IntegrityError, match="leave a gap"):
            second.execute(event(2, version=2).encode())
        second.rollback()
        first.rollback()

    assert positions(database.owner_dsn) == []


def test_an_event_that_is_too_large_is_refused_by_the_database_too(
    database: Database,
) -> None:
    large = event(1).replace("'{}'", "convert_to(repeat('x', 65537), 'UTF8')")

    with pytest.raises(psycopg.errors.CheckViolation, match="64_kb"):
        execute(database.dsn("desk_intake"), large)


@pytest.mark.usefixtures("held")
def test_the_log_is_readable_in_sql(database: Database) -> None:
    with psycopg.connect(database.dsn("desk_auditor")) as connection:
        rows = connection.execute(
            "SELECT position, stream, version, event ->> 'words', length(chain)"
            " FROM log.readable ORDER BY position"
        ).fetchall()

    assert rows == [(n, incident(1), n, "", 64) for n in (1, 2, 3)]
