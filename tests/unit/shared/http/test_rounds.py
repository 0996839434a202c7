"""Work in rounds is called again at once when somebody sets its clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from shared.clock import LeverClock, set_lever
from shared.http.rounds import each_in_turn, in_rounds

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOG = structlog.get_logger(__name__)


@pytest.mark.parametrize("speed", [0.0, 1.0], ids=["stopped", "running"])
@pytest.mark.parametrize("during", [True, False], ids=["during the work", "at rest"])
def test_a_clock_that_is_set_ends_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float, *, during: bool
) -> None:
    monkeypatch.setattr("shared.http.rounds.SETTABLE_REST_SECONDS", 3_600)
    clock = LeverClock(tmp_path / "lever")
    set_lever(clock.lever, NOON, speed)
    stop = asyncio.Event()
    worked: list[datetime] = []

    async def work() -> None:
        worked.append(clock())
        if worked[-1] >= NOON + HOUR:
            stop.set()
        elif during:
            set_lever(clock.lever, NOON + HOUR, speed)
        elif len(worked) == 1:
            loop = asyncio.get_running_loop()
            loop.call_soon(set_lever, clock.lever, NOON + HOUR, speed)

    async def scenario() -> None:
        async with asyncio.timeout(60):
            await in_rounds(work, stop, 3_600, LOG, "failed", clock)

    asyncio.run(scenario())

    assert worked[0] < NOON + HOUR <= worked[-1]


def test_a_lever_that_is_not_there_or_half_written_ends_no_worker(
    tmp_path: Path,
) -> None:
    clock = LeverClock(tmp_path / "lever")
    stop = asyncio.Event()
    worked: list[int] = []

    async def work() -> None:
        worked.append(len(worked))
        if len(worked) == 2:
            clock.lever.write_text('{"real": 1')
        if len(worked) == 3:
            stop.set()

    async def scenario() -> None:
        async with asyncio.timeout(60):
            await in_rounds(work, stop, 3_600, LOG, "failed", clock)

    asyncio.run(scenario())

    assert worked == [0, 1, 2]


def test_what_fails_holds_up_nothing_after_it() -> None:
    worked: list[str] = []

    def work(name: str) -> int:
        worked.append(name)
        if name == "b":
            raise ValueError(name)
        return 1

    with pytest.raises(ValueError, match="b"):
        each_in_turn(["a", "b", "c"], work)

    assert worked == ["a", "b", "c"]
    assert each_in_turn(["a", "c"], work) == 2
