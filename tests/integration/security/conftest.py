"""A database whose people sign in, for all tests of a file."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.eventlog.log import EventLog
from tests.support.desks.door import Door
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database


@pytest.fixture
def door(shared_database: Database) -> Iterator[Door]:
    """Give a door at the beginning of a morning, to people of this test's own."""
    with closing(EventLog.open(shared_database.owner_dsn, master=MASTER)) as log:
        yield Door(log)
