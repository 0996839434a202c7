"""What arrives together goes together, and each caller hears its own answer."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.eventlog.batcher import Batcher, Overloaded
from tests.support.patience import SECONDS, eventually


class Desk:
    """A flush that waits until it is let go, and notes its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def flush(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        assert self.go.wait(SECONDS)
        return [ValueError(str(n)) if n < 0 else n * 10 for n in items]


def drive(desk: Desk, scenario: Coroutine[Any, Any, None], batcher: Any) -> None:
    async def main() -> None:
        running = asyncio.create_task(batcher.run())
        try:
            await scenario
        finally:
            desk.go.set()
            running.cancel()

    asyncio.run(main())


def batcher(desk: Desk, pool: ThreadPoolExecutor, **limits: Any) -> Batcher[int, int]:
    given = {"weight_max": 100, "waiting_max": 1000, **limits}
    return Batcher(desk.flush, pool, **given)


async def until_first_batch(desk: Desk) -> None:
    await eventually(lambda: bool(desk.batches))


def test_what_arrives_while_a_batch_is_out_goes_together() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool)

        async def scenario() -> None:
            first = asyncio.create_task(gatherer.submit(1))
            await until_first_batch(desk)
            rest = [asyncio.create_task(gatherer.submit(n)) for n in (2, 3, 4)]
            await asyncio.sleep(0)
            desk.go.set()
            assert await asyncio.gather(first, *rest) == [10, 20, 30, 40]

        drive(desk, scenario(), gatherer)

    assert desk.batches == [[1], [2, 3, 4]]


def test_an_answer_that_is_an_error_reaches_only_its_own_caller() -> None:
    desk = Desk()
    desk.go.set()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool)

        async def scenario() -> None:
            answers = await asyncio.gather(
                gatherer.submit(1), gatherer.submit(-2), return_exceptions=True
            )
            assert answers[0] == 10
            assert str(answers[1]) == "-2"

        drive(desk, scenario(), gatherer)


def test_a_flush_that_fails_fails_for_all_its_items_and_the_next_goes_on() -> None:
    failures = [OSError("away")]

    def flush(items: Sequence[int]) -> Sequence[int]:
        if failures:
            raise failures.pop()
        return items

    with ThreadPoolExecutor(1) as pool:
        gatherer = Batcher(flush, pool, weight_max=10, waiting_max=10)

        async def scenario() -> None:
            with pytest.raises(OSError, match="away"):
                await gatherer.submit(1)
            assert await gatherer.submit(2) == 2

        drive(Desk(), scenario(), gatherer)


def test_more_than_may_wait_is_refused_at_once() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool, waiting_max=2)

        async def scenario() -> None:
            out = asyncio.create_task(gatherer.submit(1))
            await until_first_batch(desk)
            waiting = [asyncio.create_task(gatherer.submit(n)) for n in (2, 3)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await gatherer.submit(4)
            desk.go.set()
            assert await asyncio.gather(out, *waiting) == [10, 20, 30]

        drive(desk, scenario(), gatherer)


def test_of_a_crowd_that_may_not_wait_none_is_taken() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool, waiting_max=3)

        async def scenario() -> None:
            out = asyncio.create_task(gatherer.submit(1))
            await until_first_batch(desk)
            waiting = asyncio.create_task(gatherer.submit_all([2, 3]))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await gatherer.submit_all([4, 5])
            desk.go.set()
            assert await out == 10
            assert await waiting == [20, 30]

        drive(desk, scenario(), gatherer)

    assert desk.batches == [[1], [2, 3]]


def test_a_batch_is_no_heavier_than_its_limit_but_one_heavy_item_passes() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool, weight=lambda n: n, weight_max=5)

        async def scenario() -> None:
            tasks = [asyncio.create_task(gatherer.submit(n)) for n in (9, 3, 2, 1)]
            await until_first_batch(desk)
            desk.go.set()
            await asyncio.gather(*tasks)

        drive(desk, scenario(), gatherer)

    assert desk.batches == [[9], [3, 2], [1]]


def test_an_item_whose_caller_left_is_not_flushed() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool)

        async def scenario() -> None:
            first = asyncio.create_task(gatherer.submit(1))
            await until_first_batch(desk)
            gone = asyncio.create_task(gatherer.submit(2))
            await asyncio.sleep(0)
            gone.cancel()
            stays = asyncio.create_task(gatherer.submit(3))
            await asyncio.sleep(0)
            desk.go.set()
            await asyncio.gather(first, stays)

        drive(desk, scenario(), gatherer)

    assert desk.batches == [[1], [3]]


def test_a_flush_with_too_few_answers_fails_for_its_items_and_the_next_goes_on() -> (
    None
):
    short = [[7]]

    def flush(items: Sequence[int]) -> Sequence[int]:
        return short.pop() if short else items

    with ThreadPoolExecutor(1) as pool:
        gatherer = Batcher(flush, pool, weight_max=10, waiting_max=10)

        async def scenario() -> None:
            both = await asyncio.gather(
                gatherer.submit(1), gatherer.submit(2), return_exceptions=True
            )
            assert [str(answer) for answer in both] == ["1 answers to 2 items"] * 2
            assert await gatherer.submit(3) == 3

        drive(Desk(), scenario(), gatherer)


def test_who_waits_when_it_stops_is_asked_to_come_again() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool:
        gatherer = batcher(desk, pool)

        async def main() -> None:
            running = asyncio.create_task(gatherer.run())
            out = asyncio.create_task(gatherer.submit(1))
            await until_first_batch(desk)
            waits = asyncio.create_task(gatherer.submit(2))
            await asyncio.sleep(0)
            running.cancel()
            answers = await asyncio.gather(out, waits, return_exceptions=True)
            assert [type(answer) for answer in answers] == [Overloaded, Overloaded]
            desk.go.set()

        asyncio.run(main())

    assert desk.batches == [[1]]


def test_two_lanes_flush_at_once() -> None:
    desk = Desk()
    with ThreadPoolExecutor(2) as pool:
        gatherer = batcher(desk, pool)

        async def main() -> None:
            running = asyncio.create_task(gatherer.run(lanes=2))
            first = asyncio.create_task(gatherer.submit(1))
            await until_first_batch(desk)
            second = asyncio.create_task(gatherer.submit(2))
            await eventually(lambda: len(desk.batches) == 2)
            desk.go.set()
            assert [await first, await second] == [10, 20]
            running.cancel()

        asyncio.run(main())
