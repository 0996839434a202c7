"""Computes who is on call: a rotation as shifts, on the wall clock of its zone.

Turns begin at `start` and then every `shift_length` hours, days, weeks or months on the
wall clock; before `start` the same turns continue backwards. A turn that would begin at
a time that does not exist begins when the clocks have gone forward; at a time that
occurs twice, the first time; in a month without the day of `start`, on its last day. So
each instant is in exactly one shift; shifts are longer or shorter when the clocks
change.

Absences, swaps and overrides are not considered here.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from shared.domain.policy.teams import Rotation, Schedule

_ABOUT = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=365.2425) / 12,
}
"""The average length of a turn: an estimate that is then corrected."""


def on_call(schedule: Schedule, at: datetime) -> str:
    """Return the id of the person who is on call at an aware instant."""
    return _person(schedule, _turn_at(schedule, at))


def next_on_call(schedule: Schedule, at: datetime) -> str:
    """Return the next person in turn who is not the one on call.

    If there is only one person in the rotation, it is that person.
    """
    _, end = shift(schedule, at)
    following = _turn_at(schedule, end)
    now = on_call(schedule, at)
    others = (
        person
        for turn in range(following, following + len(schedule.rotation.participants))
        if (person := _person(schedule, turn)) != now
    )
    return next(others, now)


def shift(schedule: Schedule, at: datetime) -> tuple[datetime, datetime]:
    """Return the shift around an aware instant: [from, to), in UTC."""
    turn = _turn_at(schedule, at)
    return _begins(schedule, turn), _begins(schedule, turn + 1)


def _person(schedule: Schedule, turn: int) -> str:
    participants = schedule.rotation.participants
    return participants[turn % len(participants)]


def _turn_at(schedule: Schedule, at: datetime) -> int:
    """Return the number of the turn around `at`; the turn from `start` on is 0."""
    rotation = schedule.rotation
    local = at.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    turn = (local - rotation.start) // (_ABOUT[rotation.type] * rotation.shift_length)
    while _begins(schedule, turn) > at:
        turn -= 1
    # A turn in an hour that does not exist has no length: use the next one.
    while _begins(schedule, turn + 1) <= at:
        turn += 1
    return turn


def _begins(schedule: Schedule, turn: int) -> datetime:
    rotation = schedule.rotation
    local = rotation.start + _after_start(rotation, turn * rotation.shift_length)
    return instant_of(local, ZoneInfo(schedule.timezone))


def _after_start(rotation: Rotation, count: int) -> relativedelta:
    match rotation.type:
        case "hourly":
            return relativedelta(hours=count)
        case "daily":
            return relativedelta(days=count)
        case "weekly":
            return relativedelta(weeks=count)
        case "monthly":
            return relativedelta(months=count)
        case _:
            assert_never(rotation.type)


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when clocks in a zone show a local time: the first of two times.

    A time that does not exist is moved forward to where the clocks continue.
    """
    first, second = (
        local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if first <= second:
        return first
    # The time does not exist: the clocks go forward after `second`, until `first`.
    seconds = range(int((first - second).total_seconds()) + 1)
    change = bisect_left(
        seconds, True, key=lambda passed: _shows(second, passed, zone) > local
    )
    return second + timedelta(seconds=change)


def _shows(at: datetime, passed: int, zone: ZoneInfo) -> datetime:
    """Return the local time some seconds after `at`."""
    return (at + timedelta(seconds=passed)).astimezone(zone).replace(tzinfo=None)
