"""The clock: real, or set by a lever that all processes share, in demos and tests.

Rules never read it: they receive the instant as an argument.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Setting:
    """How a clock was set: differs after each time that somebody sets it."""

    what: object
    runs: bool
    """Whether it moves by itself."""


@runtime_checkable
class SettableClock(Protocol):
    """A clock that somebody can set; those who wait for an instant look for that."""

    def __call__(self) -> datetime:
        """Return the instant that it shows."""

    def setting(self) -> Setting:
        """Return how it is set now."""


def setting_of(clock: Clock) -> Setting | None:
    """Return how a clock is set, None if nobody can set it."""
    return clock.setting() if isinstance(clock, SettableClock) else None


def real_clock() -> datetime:
    """Return the current instant, aware and in UTC."""
    return datetime.now(UTC)


def ticks() -> float:
    """Return the monotonic clock, if possible one that includes suspended time.

    For durations only: its values cannot be compared between machines.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class LeverClock:
    """A clock that follows `lever`, a file that every process of a desk reads.

    The file holds `{"real": epoch seconds, "shown": epoch seconds, "speed": factor}`:
    at the real instant `real` the clock shows `shown` and then runs at `speed` times
    the real speed (0 stops it). Writing the file changes the time of all processes.
    """

    lever: Path

    def __call__(self) -> datetime:
        """Return the instant that it shows."""
        held = json.loads(self.lever.read_bytes())
        passed = (time.time() - held["real"]) * held["speed"]
        return datetime.fromtimestamp(held["shown"], UTC) + timedelta(seconds=passed)

    def setting(self) -> Setting:
        """Return what the file holds; of one that nobody can read, that it changes."""
        try:
            held = self.lever.read_bytes()
            return Setting(held, bool(json.loads(held)["speed"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Setting(None, runs=True)


def set_lever(lever: Path, shown: datetime, speed: float = 0.0) -> None:
    """Make every clock on `lever` show `shown` now and run `speed` times as fast."""
    held = {"real": time.time(), "shown": shown.timestamp(), "speed": speed}
    fresh = lever.with_suffix(".new")
    fresh.write_text(json.dumps(held), encoding="utf-8")
    fresh.replace(lever)


def clock_from(lever: Path | None) -> Clock:
    """Return the clock of a process: the lever clock if a lever is set, else real."""
    return LeverClock(lever) if lever else real_clock
