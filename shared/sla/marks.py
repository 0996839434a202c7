"""The points of a target at which the desk is warned, and those it still is to be."""

from collections.abc import Iterator
from typing import NamedTuple

from shared.sla.clock import Clock

WHOLE = 100
"""Percent."""


class Mark(NamedTuple):
    """A share of the target, or an offset in working seconds from where it is due."""

    percent: int | None = None
    offset: int | None = None
    """Negative: before it is due."""

    @property
    def is_late(self) -> bool:
        """Whether it comes after the target is used up."""
        return (self.percent or 0) > WHOLE or (self.offset or 0) > 0


def unsaid(clock: Clock) -> Iterator[tuple[Mark, int]]:
    """Yield the marks of this target that nobody was warned at, and their seconds.

    What would come before the clock began is no warning, and left out.
    """
    for percent in clock.warn:
        if percent not in clock.warned:
            yield Mark(percent), clock.seconds * percent // WHOLE
    for offset in clock.warn_offsets:
        if offset not in clock.warned_offsets and clock.seconds + offset > 0:
            yield Mark(offset=offset), clock.seconds + offset
