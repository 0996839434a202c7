"""Batches concurrent submissions into one blocking call, and returns each its answer.

Without a timer: while a call runs, the next batch accumulates. A single item is
processed at once; under load, batches grow up to their limit.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

from shared.threads import in_thread

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Overloaded(Exception):
    """More than the named limit is waiting: the sender should try again later."""


class Batcher(Generic[Item, Answer]):
    """Turns single submissions into batches for `flush`.

    `flush` takes items and returns one answer for each, in order; an answer that is an
    exception is raised for its item only. `weight` returns how much of `weight_max` an
    item takes.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Sequence[Answer | Exception]],
        executor: Executor,
        *,
        weight: Callable[[Item], int] = lambda _: 1,
        weight_max: int,
        waiting_max: int,
    ) -> None:
        self._flush = flush
        self._executor = executor
        self._weight = weight
        self._weight_max = weight_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[Item, int, asyncio.Future[Answer]]] = deque()
        self._waiting_weight = 0
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """The total weight of items that wait for a batch."""
        return self._waiting_weight

    async def submit(self, item: Item) -> Answer:
        """Return the answer to `item`; raise `Overloaded` at once if too much waits."""
        weight = self._weight(item)
        self._admit(weight)
        return await self._enqueued(item, weight)

    async def submit_all(self, items: Sequence[Item]) -> list[Answer]:
        """Return the answers to `items`; raise `Overloaded` at once if not all fit.

        If the answer to one item is an exception, it is raised; the other items are
        processed nevertheless.
        """
        weights = [self._weight(item) for item in items]
        self._admit(sum(weights))
        return await asyncio.gather(*map(self._enqueued, items, weights))

    def _admit(self, weight: int) -> None:
        if self._waiting_weight + weight > self._waiting_max and self._waiting:
            raise Overloaded(
                f"{self._waiting_weight} wait, at most {self._waiting_max}"
            )

    def _enqueued(self, item: Item, weight: int) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, weight, future))
        self._waiting_weight += weight
        self._wake.set()
        return future

    async def run(self, lanes: int = 1) -> None:
        """Flush batches forever, `lanes` at a time; cancel to stop.

        Items that still wait get `Overloaded`; so do items in a running batch, whose
        outcome is unknown.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane())
        finally:
            for _, _, future in self._waiting:
                _settle(future, _stopping())
            self._waiting.clear()
            self._waiting_weight = 0

    async def _lane(self) -> None:
        while True:
            await self._wake.wait()
            batch = self._take()
            if not batch:
                self._wake.clear()
                continue
            try:
                answers = await self._answers([item for item, _ in batch])
            except asyncio.CancelledError:
                for _, future in batch:
                    _settle(future, _stopping())
                raise
            for (_, future), answer in zip(batch, answers, strict=True):
                _settle(future, answer)

    async def _answers(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        try:
            answers = await in_thread(self._executor, self._flush, items)
        except Exception as error:  # noqa: BLE001 # each waiting caller hears of it
            return [error] * len(items)
        if len(answers) != len(items):
            wrong = RuntimeError(f"{len(answers)} answers to {len(items)} items")
            return [wrong] * len(items)
        return answers

    def _take(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        taken: list[tuple[Item, asyncio.Future[Answer]]] = []
        weight = 0
        while self._waiting:
            item, own, future = self._waiting[0]
            if taken and weight + own > self._weight_max:
                break
            self._waiting.popleft()
            self._waiting_weight -= own
            if future.cancelled():  # its caller is gone: nothing was promised
                continue
            weight += own
            taken.append((item, future))
        return taken


def _stopping() -> Overloaded:
    return Overloaded("this service is stopping: try again with the same key")


def _settle(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
