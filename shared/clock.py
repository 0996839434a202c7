"""The clock: real, or set by a lever that all processes share, in demos and tests.

Rules never read it: they receive the instant as an argument.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]


def real_clock() -> datetime:
    """Return the current instant, aware and in UTC."""
    return datetime.now(UTC)


def ticks() -> float:
    """Return the monotonic clock, if possible one that includes suspended time.

    For durations only: its values cannot be compared between machines.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def lever_clock(lever: Path) -> Clock:
    """Return a clock that follows `lever`, a file that every process of a desk reads.

    The file holds `{"real": epoch seconds, "shown": epoch seconds, "speed": factor}`:
    at the real instant `real` the clock shows `shown` and then runs at `speed` times
    the real speed (0 stops it). Writing the file changes the time of all processes.
    """

    def now() -> datetime:
        held = json.loads(lever.read_text(encoding="utf-8"))
        passed = (time.time() - held["real"]) * held["speed"]
        return datetime.fromtimestamp(held["shown"], UTC) + timedelta(seconds=passed)

    return now


def set_lever(lever: Path, shown: datetime, speed: float = 0.0) -> None:
    """Make every clock on `lever` show `shown` now and run `speed` times as fast."""
    held = {"real": time.time(), "shown": shown.timestamp(), "speed": speed}
    fresh = lever.with_suffix(".new")
    fresh.write_text(json.dumps(held), encoding="utf-8")
    fresh.replace(lever)


def clock_from(lever: Path | None) -> Clock:
    """Return the clock of a process: the lever clock if a lever is set, else real."""
    return lever_clock(lever) if lever else real_clock
