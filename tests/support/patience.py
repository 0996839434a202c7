"""How tests wait for what takes its time: until it is so, not for a number of seconds.

Nothing here says how fast the desk is. A test fails for lack of patience only where
what it waits for will not come, on a machine however busy.
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from time import monotonic, sleep

import httpx

from shared.http.form_limits import WITHIN_SECONDS

SECONDS = 120
"""How long a machine that is busy with other work may take for anything."""
_PAUSE_MIN, _PAUSE_MAX = 0.02, 0.1
_PAUSE_SHARE = 1 / 5


class OutOfPatience(AssertionError):
    """What was waited for did not come, on a machine however busy."""


def pause_after(started: float) -> float:
    """Return the seconds until one looks again, having waited since `started`.

    A share of the time already waited, so that looking often does not slow down what
    is awaited, and looking rarely does not add much to it.
    """
    waited = monotonic() - started
    return min(max(waited * _PAUSE_SHARE, _PAUSE_MIN), _PAUSE_MAX)


def until(
    holds: Callable[[], bool],
    what: str | Callable[[], str],
    seconds: float = SECONDS,
) -> None:
    """Return once `holds()`; fail with `what` after `seconds`.

    A function in place of `what` is called at the failure: it can tell the last state.
    """
    started = monotonic()
    while not holds():
        if monotonic() - started >= seconds:
            said = what if isinstance(what, str) else what()
            raise OutOfPatience(f"not in {seconds:g} s: {said}")
        sleep(pause_after(started))


async def eventually(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Return once `holds()`, which may block or be a coroutine; fail after `SECONDS`.

    The event loop goes on meanwhile. Whatever `holds` raises ends the wait.
    """
    started = monotonic()
    try:
        async with asyncio.timeout(SECONDS) as limit:
            while True:
                held = await asyncio.to_thread(holds)
                if await held if isawaitable(held) else held:
                    return
                await asyncio.sleep(pause_after(started))
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise OutOfPatience(f"not in {SECONDS} s: {holds!r} does not hold") from error


def until_too_many(
    send: Callable[[], httpx.Response], most: int
) -> list[httpx.Response]:
    """Send until the answer is 429; return all answers, that one last.

    A limit of `most` lets more in as time passes, so who is slow may send some more.
    """
    started, answers = monotonic(), [send()]
    while answers[-1].status_code != 429:
        passed = (monotonic() - started) / WITHIN_SECONDS
        assert len(answers) <= most * (1 + passed), f"{len(answers)} were let in"
        answers.append(send())
    return answers


def answered(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request, again while the desk asks to try later; return its answer.

    For requests that must succeed: a busy desk may say 503, or 429, before it does. A
    503 without `Retry-After` is an answer like any other.
    """
    started = monotonic()
    while True:
        answer = send()
        busy = answer.status_code in {429, 503} and "retry-after" in answer.headers
        if not busy or monotonic() - started > SECONDS:
            return answer
        sleep(pause_after(started))
