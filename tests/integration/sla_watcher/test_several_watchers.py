"""Any number of watchers at once: each promise is broken once, and nobody waits."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from shared.domain.events.incident import IncidentInformed
from shared.process_manager import Alarm
from tests.support.builders.promises import local
from tests.support.desks.watching import MINUTE, SlaDesk, happened, opened
from tests.support.patience import SECONDS, eventually

pytestmark = pytest.mark.servers

MANY = 100
WATCHERS = 3
ALL = ["tto armed", "ttr armed", "tto warned", "tto breached"]


def said_by_type(desk: SlaDesk) -> dict[str, int]:
    rows = desk.ask(
        "SELECT topic, count(*) FROM log.events"
        " WHERE originator_id LIKE 'sla-%' GROUP BY topic"
    )
    return dict(rows)


def twice(desk: SlaDesk, type_: str) -> bool:
    return said_by_type(desk).get(type_) == 2


def test_watchers_that_wake_together_say_everything_once(desk: SlaDesk) -> None:
    desk.happens(*(opened(n, desk.now) for n in range(1, MANY + 1)))
    desk.read()
    together = Barrier(WATCHERS + 1)

    def watch() -> int:
        worker, due = desk.another(), 0
        together.wait()
        while woken := worker.wake().due:
            due += woken
        return due

    def read() -> int:
        together.wait()
        return len(desk.read_some(1_000))

    for when in ("09:22:30", "09:30:01", "13:30", "15:00:01"):
        desk.now = local(when)
        told = (
            happened(IncidentInformed, n, desk.now, message="…") for n in range(1, 9)
        )
        desk.happens(*told)
        with ThreadPoolExecutor(WATCHERS + 1) as pool:
            others = [pool.submit(watch) for _ in range(WATCHERS)]
            assert pool.submit(read).result(SECONDS) >= 8
            due = sum(other.result(SECONDS) for other in others)
        desk.read()
        assert due + desk.wake() >= MANY - 8

    assert said_by_type(desk) == {
        "sla.armed": 2 * MANY,
        "sla.warned": 2 * MANY,
        "sla.breached": 2 * MANY,
    }
    for number in range(1, MANY + 1):
        assert set(Counter(desk.types(number)).values()) == {1}


def test_two_alarms_wake_for_what_another_process_has_set(desk: SlaDesk) -> None:
    async def scenario() -> None:
        stop = asyncio.Event()
        alarms = [Alarm(desk.another(), desk.clock) for _ in range(2)]
        running = [asyncio.create_task(alarm.run(stop)) for alarm in alarms]
        await asyncio.to_thread(desk.happens, *(opened(n, desk.now) for n in (1, 2)))
        await asyncio.to_thread(desk.read)
        for when, what in (("09:22:30", "sla.warned"), ("09:30:01", "sla.breached")):
            desk.now = local(when)
            await eventually(partial(twice, desk, what))
        desk.now += MINUTE
        stop.set()
        await asyncio.gather(*running)

    asyncio.run(scenario())

    assert desk.types(1) == desk.types(2) == ALL
