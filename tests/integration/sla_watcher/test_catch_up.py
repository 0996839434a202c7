"""A great many incidents at once, read and decided in bounded transactions."""

import pytest

from tests.support.builders.promises import local
from tests.support.desks.watching import SlaDesk, opened

pytestmark = pytest.mark.servers

MANY = 2_000


def test_two_thousand_incidents_and_a_day_that_nobody_watched(desk: SlaDesk) -> None:
    people = {"reporter": "roche", "by": "person:roche"}
    desk.happens(*(opened(n, desk.now, **people) for n in range(1, MANY + 1)))
    desk.now = local("18:00")

    desk.read()
    assert desk.wake() == MANY

    counted = desk.ask(
        "SELECT topic, count(*) FROM log.events"
        " WHERE originator_id LIKE 'sla-%' GROUP BY topic ORDER BY topic"
    )
    assert counted == [
        ("sla.armed", 3 * MANY),
        ("sla.breached", 3 * MANY),
        ("sla.warned", 2 * MANY),
    ]
    assert desk.types(1) == desk.types(MANY)
    assert desk.worker.next_at() is None
