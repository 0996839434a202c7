"""A role gets another password while its service works: nothing it writes is lost."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg.conninfo import make_conninfo

from shared.database.migrate import migrate
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import member, positions
from tests.support.servers.servers import ROLE_PASSWORDS, Database

pytestmark = pytest.mark.servers

ROLE = "desk_escalation"
STREAM = "escalation-INC-000001"


@pytest.fixture
def rotated(database: Database) -> Iterator[Database]:
    yield database
    migrate(database.owner_dsn, ROLE_PASSWORDS)  # roles are those of all tests


def append(log: EventLog, version: int) -> None:
    with log.transaction() as cursor:
        log.append(cursor, [member(STREAM, version)])


def test_a_password_is_rotated_under_traffic(rotated: Database) -> None:
    former = rotated.dsn(ROLE)
    present = make_conninfo(former, password="another")
    with closing(EventLog.open(former, pool_size=1)) as running:
        append(running, 1)

        migrate(rotated.owner_dsn, {ROLE: "another"})

        append(running, 2)
        with closing(EventLog.open(present, pool_size=1)) as restarted:
            append(running, 3)
            append(restarted, 4)

    assert positions(rotated.owner_dsn) == [1, 2, 3, 4]
    with pytest.raises(Unavailable, match="password authentication failed"):
        EventLog.open(former, pool_size=1)
