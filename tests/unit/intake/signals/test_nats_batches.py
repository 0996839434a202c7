"""Batches of signals from NATS: the first message is awaited long, others shortly."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingCame
from nats.js.errors import ServiceUnavailableError

from services.intake.source_api.subscriber import IDLE_SECONDS, gathering


class Queue:
    """A subscription whose fetches return `answers`, one after another, then nothing.

    An answer of None is a fetch that ends without a message; -1 one that fails.
    """

    def __init__(self, *answers: int | None) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[int, float]] = []

    async def fetch(self, batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109 # as the library
        """Return as many messages as the next answer says."""
        self.asked.append((batch, timeout))
        count = self._answers.pop(0) if self._answers else None
        if count is None:
            raise TimeoutError
        if count < 0:
            raise ServiceUnavailableError
        return [Msg(Client()) for _ in range(count)]


def gathered(queue: Queue, batch: int, seconds: float) -> Sequence[Msg]:
    return asyncio.run(_gathered(queue, batch, seconds))


async def _gathered(queue: Queue, batch: int, seconds: float) -> Sequence[Msg]:
    return await gathering(queue.fetch)(batch, seconds)


def test_an_idle_queue_is_asked_once_and_for_long() -> None:
    queue = Queue()

    with pytest.raises(NothingCame):
        gathered(queue, 500, 0.05)

    assert queue.asked == [(1, IDLE_SECONDS)]


def test_a_message_that_was_awaited_for_long_is_taken_at_once() -> None:
    queue = Queue(1, 7)

    assert len(gathered(queue, 500, 0.0)) == 1
    assert len(queue.asked) == 1


def test_messages_that_follow_closely_share_a_batch() -> None:
    queue = Queue(1, 3, None, 6)

    assert len(gathered(queue, 10, 30.0)) == 10
    assert [batch for batch, _ in queue.asked] == [1, 9, 6, 6]


def test_an_error_of_a_later_fetch_loses_no_message() -> None:
    queue = Queue(1, -1)

    assert len(gathered(queue, 10, 30.0)) == 1


def test_an_incomplete_batch_is_returned_only_after_its_time() -> None:
    """FastStream would fetch again, and keep these messages waiting for the next."""
    queue = Queue(1, 3)
    began = time.monotonic()

    assert len(gathered(queue, 10, 0.02)) == 4
    assert time.monotonic() >= began + 0.02
