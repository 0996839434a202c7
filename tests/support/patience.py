"""How tests wait for what takes its time: until it is so, not for a number of seconds.

Nothing here says how fast the desk is. A test fails for lack of patience only where
what it waits for will not come, on a machine however busy.
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from time import monotonic, sleep

import httpx
import pytest

SECONDS = 120
"""How long a machine that is busy with other work may take for anything."""
LOOK_EVERY = 0.02


def until(
    holds: Callable[[], bool],
    what: str | Callable[[], str],
    seconds: float = SECONDS,
) -> None:
    """Return once `holds()`; fail with `what` after `seconds`.

    A function in place of `what` is called at the failure: it can tell the last state.
    """
    deadline = monotonic() + seconds
    while not holds():
        if monotonic() >= deadline:
            said = what if isinstance(what, str) else what()
            pytest.fail(f"not in {seconds:g} s: {said}")
        sleep(LOOK_EVERY)


async def eventually(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Return once `holds()`, which may block or be a coroutine; fail after `SECONDS`.

    The event loop goes on meanwhile. Whatever `holds` raises ends the wait.
    """
    async with asyncio.timeout(SECONDS):
        while True:
            held = await asyncio.to_thread(holds)
            if await held if isawaitable(held) else held:
                return
            await asyncio.sleep(LOOK_EVERY)


def answered(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request, again while the desk asks to try later; return its answer.

    For requests that must succeed: a busy desk may say 503, or 429, before it does. A
    503 without `Retry-After` is an answer like any other.
    """
    deadline = monotonic() + SECONDS
    while True:
        answer = send()
        busy = answer.status_code in {429, 503} and "retry-after" in answer.headers
        if not busy or monotonic() > deadline:
            return answer
        sleep(LOOK_EVERY)
