"""A desk to follow."""

from collections.abc import Iterator

import pytest

from tests.support.desks.follower import Desk
from tests.support.servers.servers import Database


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """Give a desk with an empty log."""
    desk = Desk(database)
    yield desk
    desk.close()
