"""Background work in rounds: a round that fails does not end it, the next one follows.

Workers that wait for an instant, or look something up again and again, run like this.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

from structlog.stdlib import BoundLogger

from shared.clock import Clock, Setting, real_clock, setting_of
from shared.eventlog.errors import Unavailable
from shared.http.serve import pause

AT_ONCE = 0.0
"""What `work` returns to be called again without a rest."""
SET_SECONDS = 0.05
"""How often to check whether somebody set the clock, or look again while it runs."""
SETTABLE_REST_SECONDS = 0.2
"""The longest rest on a clock that can be set, where a day may take a minute."""


async def in_rounds(
    work: Callable[[], Awaitable[float | None]],
    stop: asyncio.Event,
    rest: float,
    log: BoundLogger,
    failed: str,
    clock: Clock = real_clock,
) -> None:
    """Call `work` until `stop` is set. Never raises.

    `work` may return for how many seconds to rest, if that is not `rest`. A failure is
    logged as `failed`. Work that depends on a `clock` is called when somebody sets it.
    """
    while not stop.is_set():
        seconds: float | None = None
        before = setting_of(clock)
        with failing_alone(log, failed):
            seconds = await work()
        await rest_on(clock, before, stop, rest if seconds is None else seconds)


async def rest_on(
    clock: Clock, before: Setting | None, stop: asyncio.Event, seconds: float
) -> None:
    """Rest for `seconds`, until `stop` is set, or until somebody sets the clock.

    `before` is how it was set before the work, which may have read it then.
    """
    if before is None or seconds <= SET_SECONDS:
        await pause(stop, seconds)
    elif before.runs:
        await pause(stop, SET_SECONDS)
    else:
        end = monotonic() + min(seconds, SETTABLE_REST_SECONDS)
        while (  # noqa: ASYNC110 # nobody announces that a file was written
            not stop.is_set() and monotonic() < end and setting_of(clock) == before
        ):
            await asyncio.sleep(SET_SECONDS)


def each_in_turn(names: Iterable[str], work: Callable[[str], int]) -> int:
    """Call `work` for each name, and return the sum.

    One that fails does not hold up those after it: its error is raised at the end.
    """
    total, failed = 0, None
    for name in names:
        try:
            total += work(name)
        except Exception as error:  # noqa: BLE001 # raised once the others had theirs
            failed = failed or error
    if failed is not None:
        raise failed
    return total


@contextmanager
def failing_alone(log: BoundLogger, event: str) -> Iterator[None]:
    """Let a round fail, logging it as `event`.

    An unavailable PostgreSQL is not logged here: each service's own probe reports it.
    """
    try:
        yield
    except Unavailable:
        pass
    except Exception:  # the next round follows
        log.exception(event)
