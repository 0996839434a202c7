"""Counting working time: between two instants, and from one until it is used up."""

from collections.abc import Sequence
from datetime import UTC, datetime

from shared.working_time.hours import Hours
from shared.working_time.pauses import Seconds, Span, apart, second_of
from shared.working_time.stretches import LENGTH, stretch

HORIZON = 100 * 366 * 24 * 60 * 60
"""In seconds, about a century: nothing that anybody promised is due later."""


def elapsed(
    hours: Hours, start: datetime, end: datetime, pauses: Sequence[Span] = ()
) -> int:
    """Return the working seconds in [start, end), 0 where it is empty.

    Pauses may lie outside the hours, overlap and hold each other: each second of them
    counts once.
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
    """Return the instant at which so many working seconds since `start` are used up.

    Where that is when the hours close, or a pause begins, it is that instant and not
    the next opening; none at all are used up as soon as it is open. ValueError where
    the hours, less the pauses, do not hold them within a century.
    """
    return _moment(_due(hours, second_of(start), seconds, pauses))


def last_instant(
    hours: Hours, start: datetime, seconds: int, pauses: Sequence[Span] = ()
) -> datetime:
    """Return the latest instant at which no more than `seconds` have elapsed.

    A breach is true from it on: it is `due`, or where it is closed or paused right
    after that, when work goes on. ValueError as in `due`.
    """
    used_up = _due(hours, second_of(start), seconds, pauses)
    return _moment(_going_on(hours, used_up, apart(pauses, used_up)))


def is_open(hours: Hours, at: datetime) -> bool:
    """Tell whether working time passes at `at`; not at the instant of closing."""
    second = second_of(at)
    return stretch(hours, second // LENGTH).open_from(second) == second


def next_opening(hours: Hours, at: datetime) -> datetime:
    """Return `at` where it is open, else the next opening. ValueError as in `due`."""
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
    """Return the first instant from `at` on that is open and in none of `pauses`."""
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
    """Raise ValueError where `at` lies further from `start` than anybody promises."""
    if at - start > HORIZON:
        raise ValueError(
            "the open hours do not hold this much working time within a century: "
            "correct the calendar, its closed days or the pause that never ends"
        )


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
