"""The alarm looks once for many changes, and in time for what is due."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from shared.clock import real_clock
from shared.process_manager import alarm as module
from shared.process_manager.alarm import (
    GATHER_SECONDS,
    HELD_SECONDS,
    LOOK_SECONDS,
    Alarm,
)
from shared.process_manager.worker import WakeResult, Worker
from tests.support.patience import SECONDS

SOON = 0.01
"""Seconds from a look to what is due next."""


class Cases:
    """Cases of which the next is due in so many seconds; counts looks and claims."""

    schema = "cases"

    def __init__(self, due_in: float | None) -> None:
        self._due_in = due_in
        self.looks = self.wakes = 0
        self.claimed = 0
        """How many cases that are due nobody else has locked."""
        self.changed: Callable[[], object] = lambda: None

    def wake(self) -> WakeResult:
        self.wakes += 1
        return WakeResult(self.claimed, 0)

    def next_at(self) -> datetime | None:
        self.looks += 1
        self.changed()  # as if an event was read during each look
        if self._due_in is None:
            return None
        return real_clock() + timedelta(seconds=self._due_in)


@pytest.mark.parametrize(("due_in", "longest"), [(None, GATHER_SECONDS), (SOON, SOON)])
def test_changes_are_gathered_but_not_longer_than_until_the_next_is_due(
    monkeypatch: pytest.MonkeyPatch, due_in: float | None, longest: float
) -> None:
    async def scenario() -> None:
        cases = Cases(due_in)
        gathered: list[float] = []
        gathers, looks_again, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def gather(_stop: asyncio.Event, seconds: float) -> None:
            gathered.append(seconds)
            gathers.set()
            await looks_again.wait()

        monkeypatch.setattr(module, "pause", gather)
        alarm = Alarm(cast("Worker[Any, Any]", cases), real_clock)
        cases.changed = alarm.listen()
        task = asyncio.create_task(alarm.run(stop))
        async with asyncio.timeout(SECONDS):
            await gathers.wait()
            for _ in range(100):
                cases.changed()
            await asyncio.sleep(0)  # they have been heard of
            looks = cases.looks
            stop.set()
            looks_again.set()
            await task

        assert (looks, cases.wakes) == (1, 0)
        assert 0 <= gathered[0] <= longest < LOOK_SECONDS

    asyncio.run(scenario())


@pytest.mark.parametrize(("claimed", "rest"), [(1, 0.0), (0, HELD_SECONDS)])
def test_a_case_that_is_due_is_claimed_at_once(claimed: int, rest: float) -> None:
    cases = Cases(due_in=-1)
    cases.claimed = claimed

    wait = Alarm(cast("Worker[Any, Any]", cases), real_clock)._round()

    assert (cases.wakes, wait) == (1, rest)
