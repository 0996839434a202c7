"""Every instant is covered exactly as configured, whatever the clocks do.

Ten zones, ten years of changing clocks. What the engine says is compared with what a
watch on the wall shows: a period that begins at nine has begun when the watch has shown
nine, and has ended when it will not show an earlier time again.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.on_call import Roster, gaps, on_call, shifts
from shared.domain.policy.calendars import DAYS, WeekOfWindows
from shared.domain.policy.schedules import WEEKDAYS, Layer, Rotation
from tests.support.strategies.rosters import (
    DAY,
    MINUTE,
    absences,
    instants,
    overrides,
    rosters,
    starts,
    windows,
)

MOMENT = timedelta(microseconds=1)
A_FOLD = 180
"""Minutes: longer than any clock in these years goes back."""
HOUR = timedelta(hours=1)


def shown_until(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the latest time that the watch has shown."""
    return max(_shown(at - minutes * MINUTE, zone) for minutes in range(A_FOLD))


def shown_from(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the earliest time that the watch will show."""
    return min(_shown(at + minutes * MINUTE, zone) for minutes in range(A_FOLD))


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def is_open(hours: WeekOfWindows, at: datetime, zone: ZoneInfo) -> bool:
    latest, earliest = shown_until(at, zone), shown_from(at, zone)
    for back in range(3):
        day = (latest - back * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        for window in hours.get(DAYS[day.weekday()], ()):
            opens, closes = (_clock(time) for time in window)
            if closes <= opens:
                closes += DAY
            if day + opens <= latest and day + closes > earliest:
                return True
    return False


def _clock(time: str) -> timedelta:
    hours, minutes = time.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


@given(
    st.data(),
    starts,
    st.sampled_from([(HOUR, "hourly"), (DAY, "daily"), (7 * DAY, "weekly")]),
    st.integers(1, 30),
    windows,
)
def test_a_layer_is_on_call_in_its_hours_by_whose_turn_the_watch_says(
    data: st.DataObject,
    start: str,
    kind: tuple[timedelta, str],
    length: int,
    window: tuple[str, str],
) -> None:
    rotation = Rotation.model_validate(
        {
            "type": kind[1],
            "shift_length": length,
            "start": start,
            "participants": ["ada", "bo", "cy"],
        }
    )
    layer = Layer.model_validate(
        {"rotation": rotation, "hours": {"mon-sat": ["-".join(window)]}}
    )
    roster = data.draw(
        rosters(changed=False).map(lambda r: replace(r, layers=(layer,)))
    )
    at = data.draw(instants(roster.timezone))
    zone = ZoneInfo(roster.timezone)

    passed = shown_until(at, zone) - datetime.fromisoformat(start)
    turn = passed // (kind[0] * length)
    assert layer.hours is not None
    expected = (
        (("ada", "bo", "cy")[turn % 3],) if is_open(layer.hours, at, zone) else ()
    )
    assert on_call(roster, at) == expected


@given(
    st.data(),
    starts,
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    st.integers(1, 30),
)
def test_a_day_of_the_rotation_is_covered_for_as_long_as_its_shift_lasts(
    data: st.DataObject, start: str, days: list[str], hours: int
) -> None:
    rotation = Rotation.model_validate(
        {
            "type": "daily",
            "start": start,
            "participants": ["ada"],
            "by_day": days,
            "shift_duration_hours": hours,
        }
    )
    layer = Layer(rotation=rotation)
    roster = data.draw(
        rosters(changed=False).map(lambda r: replace(r, layers=(layer,)))
    )
    at = data.draw(instants(roster.timezone))
    zone = ZoneInfo(roster.timezone)

    latest, earliest = shown_until(at, zone), shown_from(at, zone)
    begins = datetime.combine(latest.date(), datetime.fromisoformat(start).time())
    shifts_near = [begins - back * DAY for back in range(-1, 4)]
    is_covered = any(
        WEEKDAYS[each.weekday()] in days
        and each <= latest
        and each + hours * HOUR > earliest
        for each in shifts_near
    )
    assert bool(on_call(roster, at)) == is_covered


@given(st.data(), rosters())
def test_shifts_and_gaps_agree_with_who_is_on_call(
    data: st.DataObject, roster: Roster
) -> None:
    at = data.draw(instants(roster.timezone))
    end = at + data.draw(st.integers(1, 5 * 24 * 60)) * MINUTE

    found = list(shifts(roster, at, end))
    uncovered = list(gaps(roster, at, end))

    for shift in found:
        assert shift.begins < end
        assert shift.ends > at
        for inside in (shift.begins, shift.ends - MOMENT):
            assert on_call(roster, inside) == shift.people
    for begins, ends in uncovered:
        assert on_call(roster, begins) == on_call(roster, ends - MOMENT) == ()
    covered = [(max(each.begins, at), min(each.ends, end)) for each in found]
    parts = sorted([*covered, *uncovered])
    assert (parts[0][0], parts[-1][1]) == (at, end)
    assert all(one[1] == other[0] for one, other in pairwise(parts))


@given(st.data(), rosters())
def test_an_override_never_makes_a_gap_unless_it_takes_off_the_only_one(
    data: st.DataObject, roster: Roster
) -> None:
    override = data.draw(overrides(roster.timezone))
    changed = replace(roster, overrides=(*roster.overrides, override))
    inside = st.integers(0, int((override.end - override.start) / MINUTE) - 1)
    at = data.draw(
        instants(roster.timezone) | inside.map(lambda n: override.start + n * MINUTE)
    )

    before, after = on_call(roster, at), on_call(changed, at)

    if not override.start <= at < override.end:
        assert after == before
    elif override.type == "remove":
        assert {*after} >= {*before} - {override.remove}
    else:
        assert bool(after) >= bool(before)
        assert {*after} >= {*before} - {override.remove}


@given(st.data(), rosters(changed=False))
def test_an_absence_never_makes_a_gap(data: st.DataObject, roster: Roster) -> None:
    away = data.draw(absences(roster.timezone))
    at = away.start + data.draw(st.integers(0, 24 * 60)) * MINUTE

    before = on_call(roster, at)
    after = on_call(replace(roster, absences=(away,)), at)

    assert bool(before) == bool(after)
    assert {*after} >= {*before} - {away.person}
