"""Who tries the same quarantined element at once: it is let out by one of them."""

import pytest

from services.intake.policy.store import Policies
from services.intake.quarantine.retry import reread
from services.intake.quarantine.store import kept
from services.intake.records.store import RecordCache
from services.intake.signals.schemas import Delivery
from services.intake.signals.store import Receiver
from tests.integration.intake.conftest import NOW
from tests.integration.intake.signals.mapped_desk import BAD, MENDED, MappedDesk

pytestmark = pytest.mark.servers


def test_two_tries_in_one_batch_are_one(desk: MappedDesk) -> None:
    desk.post(BAD)
    (one,) = desk.listed()
    desk.map(MENDED)
    parts = desk.parts()
    parts.in_force.look()
    with desk.log.transaction() as cursor:
        waiting = kept(cursor, desk.log.vault, one["id"])
    assert waiting is not None
    tried = reread(waiting, parts.in_force.source("demo"), "person:nadia")
    assert isinstance(tried, Delivery)

    flush = Receiver(desk.log, RecordCache(desk.log), Policies(desk.log), lambda: NOW)
    first, second = flush.flush([tried, tried])

    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [first[0].status, second[0].status] == ["opened", "ignored"]
    history = desk.ask("GET", f"/v1/quarantine/{one['id']}").json()["journal"]
    assert [each["what"] for each in history] == ["released"]
