"""Work in rounds: one that fails does not end the work, since the next may succeed."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.stdlib import BoundLogger

from shared.eventlog.errors import Unavailable


@contextmanager
def failing_alone(log: BoundLogger, event: str) -> Iterator[None]:
    """Let a round fail; `log` tells of it as `event`.

    It does not tell that PostgreSQL is away: that is for intake's own probe to say.
    """
    try:
        yield
    except Unavailable:
        pass
    except Exception:  # the next round is tried; the log tells what it was
        log.exception(event)
