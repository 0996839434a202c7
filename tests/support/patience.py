"""How tests wait for what takes its time: until it is so, not for a number of seconds.

Nothing here says how fast the desk is. A test fails for lack of patience only where
what it waits for will not come, on a machine however busy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from inspect import isawaitable
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx

from shared.http.form_limits import WITHIN_SECONDS

SECONDS = 120
"""How long a machine that is busy with other work may take for anything."""
BUSY = (503,)
"""Of an answer: nothing is decided yet, send it again. A limit (429) is a decision."""
Seen = TypeVar("Seen")
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


def awaited(
    get: Callable[[], Seen], holds: Callable[[Seen], object], what: str
) -> Seen:
    """Return what `get` returns once that holds; fail with `what` and the last one."""
    seen: list[Seen] = []

    def is_so() -> bool:
        seen[:] = [get()]
        return bool(holds(seen[0]))

    until(is_so, lambda: f"{what}: {seen}")
    return seen[0]


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


def answered(
    send: Callable[[], httpx.Response], retry_on: Collection[int] = (429, 503)
) -> httpx.Response:
    """Send a request, again while the desk asks to try later; return its answer.

    A busy desk may say 503, or 429, before it answers. A 503 without `Retry-After` is
    an answer like any other. What acts has one key for all its attempts.
    """
    started = monotonic()
    while True:
        answer = send()
        busy = answer.status_code in retry_on and "retry-after" in answer.headers
        if not busy or monotonic() - started > SECONDS:
            return answer
        sleep(pause_after(started))


def posted(
    url: str,
    *,
    retry_on: Collection[int] = BUSY,
    **given: Any,  # as httpx takes it
) -> httpx.Response:
    """Post what has a key of its own; return what is decided, however busy the desk."""
    return answered(lambda: httpx.post(url, timeout=SECONDS, **given), retry_on)
