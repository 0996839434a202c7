"""A desk to follow, and leases and answers that a busy machine has time for."""

from collections.abc import Iterator

import pytest

from services.intake.relay import relay
from shared.database import leadership
from shared.messaging import live_feed
from tests.support.desks.follower import Desk
from tests.support.servers.servers import Database


@pytest.fixture(autouse=True)
def _patient_leaders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a relay that stands still for some seconds go on leading."""
    monkeypatch.setattr(leadership, "LEASE_SECONDS", 60.0)
    monkeypatch.setattr(relay, "PUBLISH_SECONDS", 20.0)
    monkeypatch.setattr(live_feed, "SETUP_SECONDS", 20)


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """Give a desk with an empty log."""
    desk = Desk(database)
    yield desk
    desk.close()
