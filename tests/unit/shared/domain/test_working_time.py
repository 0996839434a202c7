"""How working time is counted: by example, and as other desks count it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import (
    ALWAYS,
    Hours,
    due,
    elapsed,
    hours_of,
    is_open,
    last_instant,
    next_opening,
)
from tests.support.working_times import Case, cases

MINUTE = 60
HOUR = 3600
SECOND = timedelta(seconds=1)


def hours(week: dict[str, Any], *holidays: str, zone: str = "Europe/Paris") -> Hours:
    return hours_of(Calendar(timezone=zone, weekly_hours=week, holidays=holidays))


OFFICE = hours({"mon-fri": ["09:00-18:00"]}, "2025-06-09")
NIGHTS = {"mon-sun": ["22:00-06:00"]}
EVERY_DAY = [f"{date(2024, 1, 1) + timedelta(days=n):%m-%d}" for n in range(366)]
NEVER = hours({"mon": ["09:00-18:00"]}, *EVERY_DAY)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


FRIDAY = at("2025-06-06T15:30Z")
QUESTION = ((at("2025-06-10T08:00Z"), at("2025-06-10T10:00Z")),)


def test_a_promise_used_up_at_closing_is_due_then() -> None:
    assert due(OFFICE, FRIDAY, 30 * MINUTE) == at("2025-06-06T16:00Z")


def test_a_promise_used_up_at_closing_is_due_then_on_every_day_of_years() -> None:
    daily = hours({"mon-sun": ["09:00-18:00"]}, zone="UTC")
    for day in range(3 * 365):
        closing = at("2025-01-01T18:00Z") + timedelta(days=day)
        assert due(daily, closing - timedelta(minutes=30), 30 * MINUTE) == closing


def test_a_promise_used_up_at_closing_is_broken_only_from_the_next_opening_on() -> None:
    assert last_instant(OFFICE, FRIDAY, 30 * MINUTE) == at("2025-06-10T07:00Z")


def test_a_promise_used_up_while_open_is_broken_at_once() -> None:
    assert last_instant(OFFICE, FRIDAY, 10 * MINUTE) == at("2025-06-06T15:40Z")


def test_a_weekend_and_a_holiday_do_not_count() -> None:
    assert due(OFFICE, FRIDAY, 480 * MINUTE) == at("2025-06-10T14:30Z")
    assert due(OFFICE, FRIDAY, 360 * MINUTE) == at("2025-06-10T12:30Z")
    assert elapsed(OFFICE, FRIDAY, at("2025-06-10T14:30Z")) == 480 * MINUTE


def test_a_pause_moves_what_is_due_by_its_working_time() -> None:
    assert due(OFFICE, FRIDAY, 480 * MINUTE, QUESTION) == at("2025-06-11T07:30Z")
    assert due(OFFICE, FRIDAY, 360 * MINUTE, QUESTION) == at("2025-06-10T14:30Z")


def test_a_pause_after_what_is_due_moves_nothing() -> None:
    assert due(OFFICE, FRIDAY, 30 * MINUTE, QUESTION) == at("2025-06-06T16:00Z")


def test_a_promise_used_up_as_a_pause_begins_is_broken_when_it_ends() -> None:
    assert due(OFFICE, FRIDAY, 90 * MINUTE, QUESTION) == QUESTION[0][0]
    assert last_instant(OFFICE, FRIDAY, 90 * MINUTE, QUESTION) == QUESTION[0][1]


def test_pauses_that_follow_each_other_to_the_closing_are_passed_together() -> None:
    noon, closing = at("2025-06-10T10:00Z"), at("2025-06-10T16:00Z")
    pauses = [*QUESTION, (noon, closing)]
    assert last_instant(OFFICE, FRIDAY, 90 * MINUTE, pauses) == at("2025-06-11T07:00Z")


def test_pauses_that_overlap_or_lie_in_each_other_count_once() -> None:
    begins, ends = QUESTION[0]
    pauses = [
        (begins + 3 * SECOND, begins + 9 * SECOND),
        (begins, ends - HOUR * SECOND),
        (begins + SECOND, begins + 2 * SECOND),
        (begins + SECOND, ends),
        *QUESTION,
    ]
    assert elapsed(OFFICE, FRIDAY, at("2025-06-10T14:30Z"), pauses) == 360 * MINUTE


def test_a_pause_outside_the_hours_costs_nothing() -> None:
    night = [(at("2025-06-06T16:00Z"), at("2025-06-10T07:00Z"))]
    assert due(OFFICE, FRIDAY, 480 * MINUTE, night) == at("2025-06-10T14:30Z")


def test_a_pause_before_the_start_costs_nothing() -> None:
    before = [(FRIDAY - timedelta(hours=2), FRIDAY)]
    assert due(OFFICE, FRIDAY, 10 * MINUTE, before) == at("2025-06-06T15:40Z")
    assert elapsed(OFFICE, FRIDAY, at("2025-06-06T15:40Z"), before) == 10 * MINUTE


def test_nothing_is_used_up_as_soon_as_it_is_open() -> None:
    assert due(OFFICE, at("2025-06-07T12:00Z"), 0) == at("2025-06-10T07:00Z")
    assert due(OFFICE, FRIDAY, 0) == FRIDAY
    assert due(OFFICE, QUESTION[0][0], 0, QUESTION) == QUESTION[0][1]


def test_no_time_passes_backwards() -> None:
    assert elapsed(OFFICE, FRIDAY, FRIDAY) == 0
    assert elapsed(OFFICE, FRIDAY, FRIDAY - timedelta(days=3)) == 0
    with pytest.raises(ValueError, match="counted forwards"):
        due(OFFICE, FRIDAY, -1)


def test_hours_are_closed_at_the_instant_of_closing() -> None:
    assert is_open(OFFICE, at("2025-06-06T15:59:59Z"))
    assert not is_open(OFFICE, at("2025-06-06T16:00Z"))
    assert not is_open(OFFICE, at("2025-06-10T06:59:59Z"))
    assert is_open(OFFICE, at("2025-06-10T07:00Z"))


def test_the_next_opening_is_now_where_it_is_open() -> None:
    now = FRIDAY + timedelta(microseconds=1)
    assert next_opening(OFFICE, now) == now
    assert next_opening(OFFICE, at("2025-06-06T16:00Z")) == at("2025-06-10T07:00Z")


def test_an_instant_within_a_second_counts_as_its_beginning() -> None:
    late = FRIDAY + timedelta(microseconds=999_999)
    assert elapsed(OFFICE, late, at("2025-06-06T15:31:00.5Z")) == MINUTE
    assert due(OFFICE, late, MINUTE) == at("2025-06-06T15:31Z")


def test_the_hours_are_those_of_the_zone_in_winter_and_in_summer() -> None:
    assert next_opening(OFFICE, at("2025-01-07T00:00Z")) == at("2025-01-07T08:00Z")
    assert next_opening(OFFICE, at("2025-07-07T00:00Z")) == at("2025-07-07T07:00Z")


def test_a_day_may_have_several_windows() -> None:
    split = hours({"mon-fri": ["08:00-12:00", "13:00-18:00"]})
    assert due(split, at("2025-06-02T11:00+02:00"), 2 * HOUR) == at(
        "2025-06-02T14:00+02:00"
    )


def test_a_window_may_cross_midnight_and_the_end_of_the_week() -> None:
    nights = hours({"sun": ["22:00-06:00"]})
    assert due(nights, at("2025-06-02T05:00+02:00"), 2 * HOUR) == at(
        "2025-06-08T23:00+02:00"
    )


def test_a_holiday_closes_what_of_the_night_lies_on_its_date() -> None:
    nights = hours(NIGHTS, "2025-06-09")
    evening = at("2025-06-08T22:00+02:00")
    assert due(nights, evening, 2 * HOUR) == at("2025-06-09T00:00+02:00")
    assert last_instant(nights, evening, 2 * HOUR) == at("2025-06-10T00:00+02:00")
    assert not is_open(nights, at("2025-06-09T03:00+02:00"))
    assert not is_open(nights, at("2025-06-09T23:00+02:00"))


def test_a_holiday_without_a_year_comes_every_year() -> None:
    office = hours({"mon-sun": ["09:00-18:00"]}, "12-25")
    for year in (2024, 2025, 2026):
        noon = datetime(year, 12, 25, 12, tzinfo=UTC)
        assert not is_open(office, noon)
        assert is_open(office, noon + timedelta(days=1))


def test_a_holiday_may_close_a_part_of_the_day() -> None:
    office = hours(
        {"mon-sun": ["09:00-18:00"]}, "12-24 12:00-24:00", "2025-06-10 10:00-11:00"
    )
    assert due(office, at("2025-12-24T11:00+01:00"), 2 * HOUR) == at(
        "2025-12-25T10:00+01:00"
    )
    assert due(office, at("2025-06-10T09:00+02:00"), 2 * HOUR) == at(
        "2025-06-10T12:00+02:00"
    )


def test_a_date_that_a_zone_left_out_has_no_hours() -> None:
    samoa = hours({"mon-fri": ["09:00-17:00"]}, zone="Pacific/Apia")
    thursday = at("2011-12-29T16:00-10:00")
    assert due(samoa, thursday, 2 * HOUR) == at("2012-01-02T10:00+14:00")


def test_public_holidays_count_only_as_dates() -> None:
    named = Calendar(
        timezone="Europe/Paris",
        weekly_hours={"mon-sun": ["09:00-18:00"]},
        public_holidays="FR",
        closed=("2025-06-10",),
    )
    assert is_open(hours_of(named), at("2025-06-09T10:00Z"))
    assert is_open(hours_of(named), at("2025-06-10T10:00Z"))


def test_a_day_of_changing_clocks_is_as_long_as_it_is() -> None:
    day = hours({"mon-sun": ["00:00-24:00"]})
    assert elapsed(day, at("2025-03-30T00:00+01:00"), at("2025-03-31T00:00+02:00")) == (
        23 * HOUR
    )
    assert elapsed(day, at("2025-10-26T00:00+02:00"), at("2025-10-27T00:00+01:00")) == (
        25 * HOUR
    )


def test_an_opening_that_does_not_exist_comes_later() -> None:
    early = hours({"sun": ["02:30-06:00"]})
    assert next_opening(early, at("2025-03-30T00:00Z")) == at("2025-03-30T03:30+02:00")


def test_hours_that_lie_in_the_missing_hour_do_not_open() -> None:
    missing = hours({"sun": ["02:15-03:00"]})
    assert next_opening(missing, at("2025-03-30T00:00Z")) == at(
        "2025-04-06T02:15+02:00"
    )


def test_windows_that_touch_in_the_missing_hour_are_one() -> None:
    touching = hours({"sun": ["01:00-02:30", "02:30-03:00"]})
    opening, closing = at("2025-03-30T01:00+01:00"), at("2025-03-30T03:00+02:00")
    assert elapsed(touching, opening, opening + timedelta(days=1)) == HOUR
    assert not is_open(touching, closing)


def test_an_hour_that_comes_twice_is_the_first() -> None:
    early = hours({"sun": ["02:00-02:30"]})
    assert is_open(early, at("2025-10-26T02:15+02:00"))
    assert not is_open(early, at("2025-10-26T02:15+01:00"))


def test_around_the_clock_all_time_counts() -> None:
    assert due(ALWAYS, FRIDAY, 99_999 * HOUR) == FRIDAY + timedelta(hours=99_999)
    assert elapsed(ALWAYS, FRIDAY, FRIDAY + timedelta(days=4000)) == 4000 * 24 * HOUR


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_around_the_clock_no_second_is_lost_at_the_ends_of_the_earth(zone: str) -> None:
    day = hours({"mon-sun": ["00:00-24:00"]}, zone=zone)
    start, end = at("2000-01-01T00:00Z"), at("2040-01-01T00:00Z")
    assert elapsed(day, start, end) == (end - start) // SECOND


def test_the_hours_of_a_calendar_are_worked_out_once() -> None:
    one, other = (hours({"mon-fri": ["09:00-18:00"]}, "2025-06-09") for _ in range(2))
    assert one is other
    assert one == OFFICE


def test_hours_that_never_open_are_an_error_and_not_an_endless_search() -> None:
    assert elapsed(NEVER, FRIDAY, FRIDAY + timedelta(days=400)) == 0
    assert not is_open(NEVER, FRIDAY)
    with pytest.raises(ValueError, match="correct the calendar"):
        due(NEVER, FRIDAY, 1)
    with pytest.raises(ValueError, match="correct the calendar"):
        next_opening(NEVER, FRIDAY)


def test_a_pause_without_end_is_an_error_where_something_is_due_after_it() -> None:
    endless = [(FRIDAY, datetime.max.replace(tzinfo=UTC))]
    assert elapsed(OFFICE, FRIDAY, at("2025-06-10T14:30Z"), endless) == 0
    for seconds in (0, 1):
        with pytest.raises(ValueError, match="pause that never ends"):
            due(OFFICE, FRIDAY, seconds, endless)


def test_time_out_of_reach_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueError, match="too far away"):
        is_open(OFFICE, datetime.max.replace(tzinfo=UTC))
    with pytest.raises(ValueError, match="too far away"):
        is_open(OFFICE, datetime.min.replace(tzinfo=UTC))


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_we_count_as_other_desks_do(case: Case) -> None:
    open_hours = hours_of(case.calendar)
    assert elapsed(open_hours, case.start, case.end, case.pauses) == case.seconds
    if case.is_deadline:
        assert due(open_hours, case.start, case.seconds, case.pauses) == case.end
