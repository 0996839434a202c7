"""The turns of one rotation: whose turn it is, from when until when.

Time on the wall clock is divided into slots, numbered from `start` on and backwards
before it. A turn is one slot; with `by_day` it has as many slots as the rotation says,
and slots of other days are nobody's. A turn that would begin at a time that does not
exist begins when the clocks have gone forward; at a time that occurs twice, the first
time; in a month without the day of `start`, on its last day.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from math import lcm
from typing import assert_never
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from shared.domain.on_call.local_times import first_instant, last_instant
from shared.domain.policy.clause import derived
from shared.domain.policy.schedules import WEEKDAYS, Rotation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = timedelta(days=365.2425) / 12
"""An average: an estimate that is then corrected."""
WEEK_HOURS = 7 * 24
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """[begins, ends) in UTC, of the participant whose number this is, modulo all."""

    number: int
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class _Slots:
    """Slots of equal length on the wall clock."""

    start: datetime
    step: timedelta
    """Zero for months."""
    months: int
    turn: Callable[[int], int | None]
    """The number of the turn that a slot belongs to; None if it is nobody's."""
    lasts: timedelta | None

    def local(self, slot: int) -> datetime:
        if self.months:
            return self.start + relativedelta(months=slot * self.months)
        return self.start + slot * self.step

    def begins(self, slot: int, zone: ZoneInfo) -> datetime:
        return first_instant(self.local(slot), zone)

    def ends(self, slot: int, zone: ZoneInfo) -> datetime:
        if self.lasts is None:
            return self.begins(slot + 1, zone)
        return last_instant(self.local(slot) + self.lasts, zone)

    def first_after(self, at: datetime, zone: ZoneInfo) -> int:
        """Return the first slot that ends after `at`."""
        local = at.astimezone(zone).replace(tzinfo=None)
        slot = (local - self.start) // (self.step or self.months * MONTH)
        while self.ends(slot, zone) <= at:
            slot += 1
        while self.ends(slot - 1, zone) > at:
            slot -= 1
        return slot


def turns(
    rotation: Rotation, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[Turn]:
    """Yield the turns that overlap [start, end), each from its beginning to its end."""
    since, until = _limits(rotation, zone)
    first, last = max(start, since), min(end, until)
    for turn in _joined(rotation, zone, first, last) if first < last else ():
        yield Turn(turn.number, max(turn.begins, since), min(turn.ends, until))


def _joined(
    rotation: Rotation, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[Turn]:
    """Yield the turns in order; slots of one turn that touch are joined."""
    slots = _slots(rotation)
    slot = _first_of_its_turn(slots, slots.first_after(start, zone), zone)
    held: Turn | None = None
    while True:
        begins, number = slots.begins(slot, zone), slots.turn(slot)
        goes_on = held and number == held.number and begins <= held.ends
        if begins >= end and not goes_on:
            break
        ends = slots.ends(slot, zone)
        if number is not None and begins < ends:
            if held and not goes_on:
                yield held
            first = held.begins if held and goes_on else begins
            held = Turn(number, first, ends)
        slot += 1
    if held:
        yield held


def _first_of_its_turn(slots: _Slots, slot: int, zone: ZoneInfo) -> int:
    """Return the first slot of the same turn from which on they touch."""
    number = slots.turn(slot)
    while (
        number is not None
        and slots.turn(slot - 1) == number
        and slots.ends(slot - 1, zone) >= slots.begins(slot, zone)
    ):
        slot -= 1
    return slot


def _limits(rotation: Rotation, zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins, until = rotation.rotation_start, rotation.until
    return (
        _EARLIEST if begins is None else first_instant(begins, zone),
        _LATEST if until is None else first_instant(until, zone),
    )


@derived
def _slots(rotation: Rotation) -> _Slots:
    """Return the slots of a rotation; computed once, since it is needed often."""
    hours = rotation.shift_duration_hours
    lasts = None if hours is None else timedelta(seconds=round(hours * 3600))
    length = rotation.shift_length
    step, months = DAY, 0
    match rotation.type:
        case "hourly":
            step = length * HOUR
        case "daily" | "weekly" | "monthly" if rotation.by_day:
            pass
        case "daily":
            step = length * DAY
        case "weekly":
            step = 7 * length * DAY
        case "monthly":
            step, months = timedelta(), length
        case _:
            assert_never(rotation.type)
    turn = _by_day(rotation) if rotation.by_day else _every
    return _Slots(rotation.start, step, months, turn, lasts)


def _by_day(rotation: Rotation) -> Callable[[int], int | None]:
    start, length = rotation.start, rotation.shift_length
    days = frozenset(WEEKDAYS.index(day) for day in rotation.by_day)
    match rotation.type:
        case "hourly":
            return _counted(start, length * HOUR, days, 1)
        case "daily":
            return _counted(start, DAY, days, length)
        case "weekly":
            return _of_weeks(start, days, length, WEEKDAYS.index(rotation.week_start))
        case "monthly":
            return _of_months(start, days, length)
        case _:
            assert_never(rotation.type)


def _every(slot: int) -> int:
    return slot


def _counted(
    start: datetime, step: timedelta, days: frozenset[int], length: int
) -> Callable[[int], int | None]:
    """Return how slots of these days count: `length` of them are a turn."""
    hours = step // HOUR
    period = lcm(WEEK_HOURS, hours) // hours
    counts = [(start + slot * step).weekday() in days for slot in range(period)]
    before = [0, *accumulate(counts)]

    def turn(slot: int) -> int | None:
        rounds, place = divmod(slot, period)
        if not counts[place]:
            return None
        return (rounds * before[-1] + before[place]) // length

    return turn


def _of_weeks(
    start: datetime, days: frozenset[int], length: int, week_start: int
) -> Callable[[int], int | None]:
    """Return the turn of a day: the first of every `length` weeks has shifts."""
    into_week = (start.weekday() - week_start) % 7

    def turn(slot: int) -> int | None:
        if (start.weekday() + slot) % 7 not in days:
            return None
        number, week = divmod((slot + into_week) // 7, length)
        return None if week else number

    return turn


def _of_months(
    start: datetime, days: frozenset[int], length: int
) -> Callable[[int], int | None]:
    """Return the turn of a day: the first of every `length` months has shifts."""

    def turn(slot: int) -> int | None:
        day = start + slot * DAY
        if day.weekday() not in days:
            return None
        passed = (day.year - start.year) * 12 + day.month - start.month
        number, month = divmod(passed, length)
        return None if month else number

    return turn
