"""What waits in quarantine is counted, with the age of the oldest."""

import asyncio
from datetime import datetime, timedelta

import pytest

from services.intake.quarantine.worker import quarantine_probe
from services.intake.signals.schemas import Delivery, Rejected
from shared.eventlog.log import EventLog
from shared.observability.health import Check
from tests.integration.intake.conftest import NOW, Hands
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


def kept(hands: Hands, received_at: datetime) -> None:
    """Have one more element quarantined, received then."""
    unmapped = (Rejected(0, "no labels"),)
    body = received_at.isoformat().encode()
    delivery = Delivery("demo", "alertmanager", body, 0, unmapped, received_at)
    (results,) = hands.receiver.flush([delivery])
    assert isinstance(results, list)
    assert [result.status for result in results] == ["quarantined"]


NOTHING_WAITS = {
    "kept": 0.0,
    "oldest_seconds": 0.0,
    "postponed": 0.0,
    "unreadable_records": 0.0,
}


def looked(log: EventLog, at: datetime = NOW) -> Check:
    async def look() -> Check:
        return await quarantine_probe(log, lambda: at)()

    return asyncio.run(look())


def test_an_empty_quarantine_is_told_as_such(hands: Hands) -> None:
    check = looked(hands.log)

    assert check.ready
    assert check.numbers == NOTHING_WAITS


def test_it_tells_how_many_wait_and_since_when(hands: Hands) -> None:
    kept(hands, NOW)
    kept(hands, NOW + timedelta(minutes=5))

    check = looked(hands.log, NOW + timedelta(minutes=7))

    assert check.ready, "all else goes on"
    kept_for_seven_minutes = {"kept": 2.0, "oldest_seconds": 420.0}
    assert check.numbers == NOTHING_WAITS | kept_for_seven_minutes


def test_a_crowd_is_counted_up_to_its_limit(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.quarantine.worker.COUNTED_MAX", 2)
    for minute in range(3):
        kept(hands, NOW + timedelta(minutes=minute))

    assert looked(hands.log).numbers["kept"] == 2.0


def test_while_postgresql_is_away_it_tells_no_number(ruled: Database) -> None:
    log = EventLog.open(ruled.dsn("desk_intake"))
    log.close()

    check = looked(log)

    assert check.numbers == {}
