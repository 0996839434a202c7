"""A request over NATS that is sent again while nobody answers it.

A process that takes commands may be frozen or its machine gone, and the server still
hands it some until it notices. Sent once more, a command reaches another process of the
same queue group; its id makes the repeat harmless, and the first answer counts.
"""

import asyncio

import nats.errors
from nats.aio.msg import Msg

from services.projections.api.limits import (
    COMMAND_ATTEMPT_SECONDS,
    COMMAND_ATTEMPTS_MAX,
    COMMAND_SECONDS_MAX,
)
from shared.messaging.connection import Link


async def first_answer(link: Link, subject: str, data: bytes) -> Msg | None:
    """Return the first answer to a request, None where none came in time.

    Raises `NoRespondersError` where nobody can have taken it.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + COMMAND_SECONDS_MAX
    attempts = _Attempts(link, subject, data)
    try:
        for attempt in range(1, COMMAND_ATTEMPTS_MAX + 1):
            left = give_up_at - loop.time()
            attempts.send(left)
            last = attempt == COMMAND_ATTEMPTS_MAX
            wait = left if last else min(left, COMMAND_ATTEMPT_SECONDS)
            if (answer := await attempts.answer(wait)) is not None:
                return answer
    finally:
        attempts.cancel()
    return None


class _Attempts:
    """The attempts at one request that are under way."""

    def __init__(self, link: Link, subject: str, data: bytes) -> None:
        self._link = link
        self._subject = subject
        self._data = data
        self._sent = 0
        self._waiting: set[asyncio.Task[Msg]] = set()

    def send(self, seconds: float) -> None:
        """Send it once more, unless NATS is away: then it would be sent later."""
        client = self._link.client
        if client is not None and seconds > 0:
            request = client.request(self._subject, self._data, timeout=seconds)
            task = asyncio.create_task(request)
            task.add_done_callback(_noticed)
            self._waiting.add(task)
            self._sent += 1

    async def answer(self, seconds: float) -> Msg | None:
        """Return the first answer to any attempt, None after so many seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            if not self._waiting:
                await asyncio.sleep(left)
                continue
            done, self._waiting = await asyncio.wait(
                self._waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                if (error := task.exception()) is None:
                    return task.result()
                self._failed(error)
        return None

    def cancel(self) -> None:
        """Wait for no more answers."""
        for task in self._waiting:
            task.cancel()

    def _failed(self, error: BaseException) -> None:
        """Go on with the other attempts; raise where nobody can have taken any."""
        nobody = isinstance(error, nats.errors.NoRespondersError)
        if (nobody and self._sent == 1) or not isinstance(error, nats.errors.Error):
            raise error


def _noticed(task: asyncio.Task[Msg]) -> None:
    """Keep asyncio from complaining of errors that came after the first answer."""
    if not task.cancelled():
        task.exception()
