"""Rows about reads: when they are of, who may delete them and when."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from services.intake.partitions import expire_reads
from shared.eventlog.log import EventLog
from shared.reads import Read, Request, note, note_request
from tests.support.builders.short_events import incident, member
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

AT = datetime(2025, 6, 2, 9, 7, tzinfo=UTC)
DAY = date(2025, 6, 2)
YEAR = timedelta(days=365)


def _since(database: Database) -> list[datetime]:
    with psycopg.connect(database.owner_dsn) as owner:
        return [
            at for (at,) in owner.execute("SELECT since FROM reads.windows ORDER BY 1")
        ]


def _noted(database: Database, *instants: datetime) -> None:
    with psycopg.connect(database.dsn("desk_projections")) as projections:
        cursor = projections.cursor()
        note(cursor, [Read("person:x", "INC-000001", "record", at) for at in instants])


def test_nobody_reads_in_another_hour_than_the_servers(
    server_time_database: Database,
) -> None:
    """A stolen password of projections writes no row into last month, or the future."""
    now = datetime.now(UTC)
    _noted(server_time_database, AT, now + timedelta(days=40))

    found = _since(server_time_database)
    assert found
    assert all(abs(at - now) < timedelta(minutes=80) for at in found)


def test_a_quarter_of_an_hour_begins_at_its_beginning(database: Database) -> None:
    quarter = timedelta(minutes=15)
    start = AT.replace(minute=0)
    last = quarter - timedelta(microseconds=1)
    _noted(database, start, AT, start + last, start + quarter)

    assert _since(database) == [start, start + quarter]


def test_rows_are_deleted_after_their_retention_and_not_before(
    database: Database,
) -> None:
    now = AT
    log = EventLog.open(database.dsn("desk_intake"), clock=lambda: now, pool_size=1)
    with psycopg.connect(database.dsn("desk_projections")) as projections:
        cursor = projections.cursor()
        note(cursor, [Read("person:x", "INC-000001", "record", AT)])
        made = Request("person:x", "search", "/v1/search", ["INC-000002"], AT)
        note_request(cursor, made)

    def expired_on(day: date) -> int:
        return expire_reads(log.transaction, day)

    assert expired_on(DAY + 9 * YEAR) == 0  # the log has not come so far
    now = AT + YEAR
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(1), 1)])
    assert expired_on(DAY + 9 * YEAR) == 0
    now = AT + YEAR + timedelta(days=1)
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(2), 1)])
    assert expired_on(DAY + 9 * YEAR) == 3
    log.close()
    assert _since(database) == []


def test_no_caller_deletes_rows_before_their_time(
    server_time_database: Database,
) -> None:
    _noted(server_time_database, datetime.now(UTC))
    with psycopg.connect(server_time_database.dsn("desk_intake")) as intake:
        row = intake.execute("SELECT upkeep.expire_reads('infinity')").fetchone()

    assert row == (0,)
    assert _since(server_time_database)


def test_a_question_without_an_object_is_not_answered(database: Database) -> None:
    with (
        psycopg.connect(database.dsn("desk_projections")) as projections,
        pytest.raises(psycopg.errors.InvalidParameterValue),
    ):
        projections.execute(
            "SELECT reads.ask('person:x', 'why', NULL, NULL, now(), now(), NULL, NULL,"
            " 1, now())"
        )


@pytest.mark.parametrize("why", ["", "  ", "x" * 1_001])
def test_a_question_needs_a_reason_also_for_who_has_the_password(
    database: Database, why: str
) -> None:
    with (
        psycopg.connect(database.dsn("desk_projections")) as projections,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        projections.execute(
            "SELECT reads.ask('person:x', %s, 'INC-000001', NULL, now(), now(), NULL,"
            " NULL, 1, now())",
            (why,),
        )
