"""A watcher on Monday 30 June 2025 at nine, Paris time, under Valmont's policy."""

from collections.abc import Iterator

import pytest

from tests.support.desks.watching import SlaDesk, sla_desk
from tests.support.servers.servers import Database


@pytest.fixture
def desk(database: Database) -> Iterator[SlaDesk]:
    with sla_desk(database, "09:00") as desk:
        yield desk
