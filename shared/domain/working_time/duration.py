"""Counts working time: between two instants, until it is used up, and by window.

Pauses are spans in which no working time passes.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from shared.domain.working_time.hours import LENGTH, Hours, stretch

Span = tuple[datetime, datetime]
"""From, to: aware instants, half-open."""
Seconds = tuple[int, int]
"""A span in whole seconds since 1970."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def second_of(at: datetime) -> int:
    """Return the second since 1970 that contains `at`. TypeError without a zone."""
    return (at - _EPOCH) // _SECOND


def apart(pauses: Sequence[Span], start: int) -> list[Seconds]:
    """Return the parts of pauses after `start`, in order and without overlaps."""
    found: list[Seconds] = []
    for begins, ends in sorted((second_of(p), second_of(q)) for p, q in pauses):
        begins = max(begins, found[-1][1] if found else start)  # noqa: PLW2901 # only its new part
        if begins < ends:
            found.append((begins, ends))
    return found


HORIZON = 100 * 366 * 24 * 60 * 60
"""In seconds, about a century: no target is due later."""


def elapsed(
    hours: Hours, start: datetime, end: datetime, pauses: Sequence[Span] = ()
) -> int:
    """Return the working seconds in [start, end), 0 if that is empty.

    Pauses may lie outside the hours, overlap and contain each other: each second of
    them counts once.
    """
    first, last = second_of(start), second_of(end)
    if last <= first:
        return 0
    paused = sum(
        _worked(hours, begins, min(ends, last))
        for begins, ends in apart(pauses, first)
        if begins < last
    )
    return _worked(hours, first, last) - paused


def due(
    hours: Hours, start: datetime, seconds: int, pauses: Sequence[Span] = ()
) -> datetime:
    """Return the instant at which `seconds` of working time since `start` are used up.

    If the hours close or a pause begins then, it is that instant and not the next
    opening; zero seconds are used up at the next open instant. ValueError if the hours,
    minus the pauses, do not contain enough time within a century.
    """
    return _moment(_due(hours, second_of(start), seconds, pauses))


def last_instant(
    hours: Hours, start: datetime, seconds: int, pauses: Sequence[Span] = ()
) -> datetime:
    """Return the latest instant at which no more than `seconds` have elapsed.

    A breach is true from this instant on: it is `due`, or, if closed or paused right
    after that, when work continues. ValueError as in `due`.
    """
    used_up = _due(hours, second_of(start), seconds, pauses)
    return _moment(_going_on(hours, used_up, apart(pauses, used_up)))


def is_open(hours: Hours, at: datetime) -> bool:
    """Return whether working time passes at `at`; not at the instant of closing."""
    second = second_of(at)
    return stretch(hours, second // LENGTH).open_from(second) == second


def next_opening(hours: Hours, at: datetime) -> datetime:
    """Return `at` if it is open, else the next opening. ValueError as in `due`."""
    second = second_of(at)
    opening = _open_from(hours, second)
    return at if opening == second else _moment(opening)


def _due(hours: Hours, start: int, seconds: int, pauses: Sequence[Span]) -> int:
    if seconds < 0:
        raise ValueError("working time is counted forwards: give 0 seconds or more")
    ahead = apart(pauses, start)
    if not seconds:
        return _going_on(hours, start, ahead)
    at = _used_up(hours, start, seconds)
    for begins, ends in ahead:
        if at <= begins:
            break
        refuse_beyond(start, ends)
        seconds += _worked(hours, begins, ends)
        at = _used_up(hours, start, seconds)
    return at


def _worked(hours: Hours, start: int, end: int) -> int:
    first, last = start // LENGTH, end // LENGTH
    before = sum(stretch(hours, number).total for number in range(first, last))
    until_end = stretch(hours, last).worked_until(end)
    return before + until_end - stretch(hours, first).worked_until(start)


def _used_up(hours: Hours, start: int, seconds: int) -> int:
    number = start // LENGTH
    here = stretch(hours, number)
    left = seconds + here.worked_until(start)
    while left > here.total:
        left -= here.total
        number += 1
        refuse_beyond(start, number * LENGTH)
        here = stretch(hours, number)
    return here.when_worked(left)


def _going_on(hours: Hours, at: int, pauses: Sequence[Seconds]) -> int:
    """Return the first instant from `at` on that is open and not in `pauses`."""
    start = at
    at = _open_from(hours, at)
    for begins, ends in pauses:
        if at < begins:
            break
        refuse_beyond(start, ends)
        at = _open_from(hours, ends)
    return at


def _open_from(hours: Hours, start: int) -> int:
    number = start // LENGTH
    while (at := stretch(hours, number).open_from(start)) is None:
        number += 1
        refuse_beyond(start, number * LENGTH)
    return at


def refuse_beyond(start: int, at: int) -> None:
    """Raise ValueError if `at` is more than the horizon after `start`."""
    if at - start > HORIZON:
        raise ValueError(
            "the open hours do not hold this much working time within a century: "
            "correct the calendar, its closed days or the pause that never ends"
        )


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


class Window(NamedTuple):
    """An open period, or a part of one in which a pause prevents counting."""

    begins: datetime
    ends: datetime
    pause: int | None
    """The index of the pause that prevents counting: the first that contains it."""
    seconds: int
    """Working seconds that count: 0 in a pause."""
    together: int
    """Working seconds since the start, including this window."""


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
    """Yield the open spans of [start, end), joined across stretches."""
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
    """Yield a span in parts, each within one pause or outside all of them."""
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
