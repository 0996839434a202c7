"""Targets that can be kept, and that hardly anybody means."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from shared.mistake import Path, Wrong
from shared.policy.document import Policy
from shared.policy.durations import duration_text
from shared.policy.scales import Priority
from shared.policy.targets import NextUpdate, TargetSet, TimeToOwn, TimeToResolve

PRIORITIES: tuple[Priority, ...] = ("p1", "p2", "p3", "p4")


def implausible(policy: Policy) -> Iterator[Wrong]:
    """Give each target that is slower than one that should be slower still."""
    for name, targets in policy.targets.items():
        for kind in ("tto", "ttr", "update"):
            yield from _disordered(getattr(targets, kind), ("targets", name, kind))
        yield from _owned_after_resolved(targets, ("targets", name, "tto"))


def _disordered(
    times: TimeToOwn | TimeToResolve | NextUpdate, path: Path
) -> Iterator[Wrong]:
    given: list[tuple[Priority, timedelta]] = [
        (priority, time)
        for priority in PRIORITIES
        if (time := getattr(times, priority)) is not None
    ]
    for (urgent, long), (less, short) in pairwise(given):
        if long > short:
            sentence = (
                f"{urgent.upper()} has {duration_text(long)}, which is slower than "
                f"{less.upper()} with {duration_text(short)}: is that meant?"
            )
            yield (*path, urgent), sentence


def _owned_after_resolved(targets: TargetSet, path: Path) -> Iterator[Wrong]:
    for priority in PRIORITIES:
        own, resolve = getattr(targets.tto, priority), getattr(targets.ttr, priority)
        if own > resolve:
            sentence = (
                f"taking it on may take {duration_text(own)}, longer than all of TTR "
                f"({duration_text(resolve)}): is that meant?"
            )
            yield (*path, priority), sentence
