"""What somebody with every right does behind our back shows in the chain."""

from collections.abc import Callable

import psycopg
import pytest

from shared.eventlog.entry import GENESIS, Link, chained
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import ROWS, broken_at, incident, member
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def tamper(log: EventLog, database: Database) -> Callable[[str], None]:
    """Put ten events into the log; give what runs SQL as superuser, triggers off."""
    for number in range(5):
        with log.transaction() as cursor:
            log.append(cursor, [member(incident(number), 1, 2, command=number)])
    assert broken_at(database.owner_dsn) is None

    def run(statements: str) -> None:
        with psycopg.connect(database.owner_dsn) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statements.encode())

    return run


@pytest.mark.parametrize(
    ("statements", "shows_at"),
    [
        pytest.param(
            'UPDATE log.events SET state = \'{"words":"lies"}\''
            " WHERE notification_id = 4",
            4,
            id="a word edited",
        ),
        pytest.param(
            "UPDATE log.events SET recorded_at = recorded_at - interval '1us'"
            " WHERE notification_id = 4",
            4,
            id="a microsecond earlier",
        ),
        pytest.param(
            "UPDATE log.events SET topic = 'incident.closed'"
            " WHERE notification_id = 10",
            10,
            id="another type, the last",
        ),
        pytest.param(
            "UPDATE log.events SET command_id = NULL WHERE notification_id = 1",
            1,
            id="no command, the first",
        ),
        pytest.param(
            "UPDATE log.events SET originator_id = 'incident-INC-999999'"
            " WHERE notification_id = 6",
            6,
            id="another stream",
        ),
        pytest.param(
            "DELETE FROM log.events WHERE notification_id = 5", 5, id="one deleted"
        ),
        pytest.param(
            "DELETE FROM log.events WHERE notification_id = 5;"
            "UPDATE log.events SET notification_id = notification_id - 1"
            " WHERE notification_id > 5",
            5,
            id="one deleted, the gap closed",
        ),
        pytest.param(
            "UPDATE log.events SET notification_id = notification_id + 100"
            " WHERE notification_id >= 5;"
            "UPDATE log.events SET notification_id = notification_id - 99"
            " WHERE notification_id > 100;"
            "INSERT INTO log.events SELECT 5, 'incident-INC-999999', 1, topic, state,"
            " recorded_at, command_id, chain FROM log.events WHERE notification_id = 4",
            5,
            id="one put in between",
        ),
        pytest.param(
            "UPDATE log.events SET notification_id = -notification_id"
            " WHERE notification_id IN (4, 5);"
            "UPDATE log.events SET notification_id = 9 + notification_id"
            " WHERE notification_id < 0",
            4,
            id="two exchanged",
        ),
        pytest.param(
            "UPDATE log.events SET chain = decode(repeat('00', 32), 'hex')"
            " WHERE notification_id = 7",
            7,
            id="a hash edited",
        ),
    ],
)
def test_it_shows_where(
    tamper: Callable[[str], None],
    database: Database,
    statements: str,
    shows_at: int,
) -> None:
    tamper(statements)

    assert broken_at(database.owner_dsn) == shows_at


def test_who_computes_the_whole_chain_anew_is_found_by_a_head_noted_elsewhere(
    tamper: Callable[[str], None], database: Database, log: EventLog
) -> None:
    noted = log.head()
    tamper("UPDATE log.events SET state = '{}' WHERE notification_id = 4")
    tamper(recomputed(database))

    assert broken_at(database.owner_dsn) is None
    assert log.head().position == noted.position
    assert log.head().chain != noted.chain


def test_a_tail_cut_off_is_found_by_a_head_noted_elsewhere(
    tamper: Callable[[str], None], database: Database, log: EventLog
) -> None:
    noted = log.head()
    tamper("DELETE FROM log.events WHERE notification_id > 8")

    assert broken_at(database.owner_dsn) is None
    assert log.head().position < noted.position


def recomputed(database: Database) -> str:
    """Return what a forger would run: the chain over what the rows say now."""
    before = GENESIS
    statements = []
    with psycopg.connect(database.owner_dsn) as connection:
        for row in connection.execute(ROWS).fetchall():
            before = chained(before, Link._make(row[:7]))
            statements.append(
                f"UPDATE log.events SET chain = decode('{before.hex()}', 'hex')"
                f" WHERE notification_id = {row[0]}"
            )
    return ";".join(statements)
