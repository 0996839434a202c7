"""An account of working time: window by window, what counts and what stands."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from shared.working_time.counting import refuse_beyond
from shared.working_time.hours import Hours
from shared.working_time.pauses import Span, second_of
from shared.working_time.stretches import LENGTH, stretch


class Window(NamedTuple):
    """An open stretch of time, or a part of one in which a pause lets nothing count."""

    begins: datetime
    ends: datetime
    pause: int | None
    """Which of the pauses lets it not count: the first of those that hold it."""
    seconds: int
    """What it counts: 0 in a pause."""
    together: int
    """What has been counted since the start, this window included."""


def account(
    hours: Hours, start: datetime, end: datetime, pauses: Sequence[Span] = ()
) -> Iterator[Window]:
    """Yield the windows of [start, end) in order; the last `together` is `elapsed`."""
    together = 0
    held = [(second_of(begins), second_of(ends)) for begins, ends in pauses]
    for opens, closes in _open(hours, second_of(start), second_of(end)):
        for begins, ends, pause in _cut(opens, closes, held):
            seconds = ends - begins if pause is None else 0
            together += seconds
            yield Window(_moment(begins), _moment(ends), pause, seconds, together)


def _open(hours: Hours, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the open spans of [start, end), each joined across the cuts of time."""
    held: tuple[int, int] | None = None
    for number in range(start // LENGTH, -(-end // LENGTH)):
        refuse_beyond(start, number * LENGTH)
        here = stretch(hours, number)
        for opens, closes in zip(here.opens, here.closes, strict=True):
            span = max(opens, start), min(closes, end)
            if span[0] >= span[1]:
                continue
            if held and held[1] == span[0]:
                held = held[0], span[1]
                continue
            if held:
                yield held
            held = span
    if held:
        yield held


def _cut(
    opens: int, closes: int, pauses: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, int | None]]:
    """Yield a span in parts, each within the same pause or none."""
    cuts = {cut for span in pauses for cut in span if opens < cut < closes}
    bounds = sorted({opens, closes, *cuts})
    held: tuple[int, int, int | None] | None = None
    for begins, ends in pairwise(bounds):
        pause = next((n for n, (p, q) in enumerate(pauses) if p <= begins < q), None)
        if held and held[2] == pause:
            held = held[0], ends, pause
            continue
        if held:
            yield held
        held = begins, ends, pause
    if held:
        yield held


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
