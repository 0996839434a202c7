"""A watcher on Monday 30 June 2025 at nine, Paris time, under Valmont's policy."""

from collections.abc import Iterator

import pytest

from tests.support.servers import Database
from tests.support.sla_desk import SlaDesk, sla_desk


@pytest.fixture
def desk(database: Database) -> Iterator[SlaDesk]:
    with sla_desk(database, "09:00") as desk:
        yield desk
