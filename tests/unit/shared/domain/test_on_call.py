"""Who is on call when: turns on the wall clock of a zone.

Examples with a number, and ends of shifts, are facts that the tests of GoAlert state
(target/goalert@2458b9d, schedule/rotation/rotation_test.go), `weeks_of_169_hours` those
of Grafana OnCall (grafana/oncall@3666186, issue 5247).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.domain.on_call import Override, Roster, next_on_call, on_call, shifts
from shared.domain.on_call.coverage import by_coverage, is_required
from shared.domain.on_call.shifts import differences
from shared.domain.policy.schedules import Schedule

CHICAGO = "America/Chicago"
LORD_HOWE = "Australia/Lord_Howe"
HOUR = timedelta(hours=1)
WEEKLY = (CHICAGO, "weekly", 1, "2017-06-10T08:00")


def schedule(
    zone: str, kind: str, length: int, start: str, *people: str, **more: object
) -> Roster:
    return Roster.of(
        Schedule.model_validate(
            {
                "timezone": zone,
                "rotation": {
                    "type": kind,
                    "shift_length": length,
                    "start": start,
                    "participants": people or ("ada", "bo", "cy"),
                },
                **more,
            }
        )
    )


def shift(roster: Roster, instant: datetime) -> tuple[datetime, datetime]:
    (found,) = shifts(roster, instant, instant + timedelta(microseconds=1))
    return found.begins, found.ends


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


WEEK = schedule(*WEEKLY)


def test_the_first_turn_begins_at_the_start() -> None:
    start = at("2017-06-10T08:00-05:00")
    assert on_call(WEEK, start) == ("ada",)
    assert shift(WEEK, start) == (start, start + timedelta(days=7))


def test_a_shift_ends_where_the_next_begins() -> None:
    end = at("2017-06-17T08:00-05:00")
    assert on_call(WEEK, end - timedelta(microseconds=1)) == ("ada",)
    assert on_call(WEEK, end) == ("bo",)


def test_after_the_last_participant_comes_the_first() -> None:
    third_week = at("2017-06-26T08:00-05:00")
    assert on_call(WEEK, third_week) == ("cy",)
    assert next_on_call(WEEK, third_week) == ("ada",)


def test_before_the_start_the_same_turns_go_on_backwards() -> None:
    before = at("2017-06-10T07:59-05:00")
    assert on_call(WEEK, before) == ("cy",)
    assert next_on_call(WEEK, before) == ("ada",)
    assert shift(WEEK, before)[1] == at("2017-06-10T08:00-05:00")


def test_the_next_on_call_is_somebody_else() -> None:
    twice = schedule(*WEEKLY, "ada", "ada", "bo")
    assert next_on_call(twice, at("2017-06-10T08:00-05:00")) == ("bo",)
    assert next_on_call(twice, at("2017-06-24T08:00-05:00")) == ("ada",)


def test_who_is_alone_comes_after_themselves() -> None:
    alone = schedule(*WEEKLY, "ada")
    assert next_on_call(alone, at("2017-06-10T08:00-05:00")) == ("ada",)


def test_a_turn_in_the_missing_hour_is_left_out() -> None:
    hourly = schedule(CHICAGO, "hourly", 1, "2020-03-08T01:00")
    missing = at("2020-03-08T01:30-06:00")
    assert on_call(hourly, missing) == ("ada",)
    assert next_on_call(hourly, missing) == ("cy",)


def test_a_month_without_the_day_of_the_start_hands_over_on_its_last() -> None:
    monthly = schedule("UTC", "monthly", 1, "2025-01-31T09:00")
    assert shift(monthly, at("2025-02-28T08:00Z")) == (
        at("2025-01-31T09:00Z"),
        at("2025-02-28T09:00Z"),
    )
    assert shift(monthly, at("2025-03-30T09:00Z")) == (
        at("2025-02-28T09:00Z"),
        at("2025-03-31T09:00Z"),
    )


def test_a_gap_is_divided_where_the_hours_of_coverage_begin_and_end() -> None:
    paris = ("Europe/Paris", "daily", 1, "2026-03-02T08:00")
    monday, tuesday = (at(f"2026-03-0{day}T00:00+01:00") for day in (2, 3))
    hours = {"mon-fri": ["08:00-12:00", "14:00-18:00"]}
    always, covered = schedule(*paris), schedule(*paris, coverage=hours)

    def found(roster: Roster, *span: datetime) -> list[tuple[int, int, bool]]:
        return [
            ((gap.begins - monday) // HOUR, (gap.ends - monday) // HOUR, gap.required)
            for gap in by_coverage(roster, [(span[0], span[1])])
        ]

    assert found(always, monday, tuesday) == [(0, 24, True)]
    assert found(covered, monday, tuesday) == [
        (0, 8, False),
        (8, 12, True),
        (12, 14, False),
        (14, 18, True),
        (18, 24, False),
    ]
    assert found(covered, monday + 9 * HOUR, monday + 10 * HOUR) == [(9, 10, True)]
    assert found(covered, monday + 12 * HOUR, monday + 14 * HOUR) == [(12, 14, False)]
    assert is_required(covered, monday + 8 * HOUR)
    assert not is_required(covered, monday + 12 * HOUR)


HANDOVERS = {
    "01": (CHICAGO, "hourly", 24, "2020-10-30T01:30", """
        2020-10-29T01:30-05:00 2020-10-30T01:30-05:00 2020-10-31T01:30-05:00
        2020-11-01T01:30-05:00 2020-11-02T01:30-06:00 2020-11-03T01:30-06:00"""),
    "02": (CHICAGO, "daily", 1, "2020-10-30T01:30", """
        2020-10-29T01:30-05:00 2020-10-30T01:30-05:00 2020-10-31T01:30-05:00
        2020-11-01T01:30-05:00 2020-11-02T01:30-06:00 2020-11-03T01:30-06:00"""),
    "04": (CHICAGO, "hourly", 1, "2020-03-06T02:30", """
        2020-03-08T00:30-06:00 2020-03-08T01:30-06:00 2020-03-08T03:00-05:00
        2020-03-08T03:30-05:00 2020-03-08T04:30-05:00"""),
    "06": (CHICAGO, "hourly", 1, "2020-07-06T02:30", """
        2020-10-31T23:30-05:00 2020-11-01T00:30-05:00 2020-11-01T01:30-05:00
        2020-11-01T02:30-06:00 2020-11-01T03:30-06:00 2020-11-01T04:30-06:00"""),
    "08": (CHICAGO, "monthly", 1, "2020-01-02T01:30", """
        2020-04-02T01:30-05:00 2020-05-02T01:30-05:00 2020-06-02T01:30-05:00
        2020-07-02T01:30-05:00"""),
    "09": (CHICAGO, "monthly", 1, "2020-10-01T01:30", """
        2020-10-01T01:30-05:00 2020-11-01T01:30-05:00 2020-12-01T01:30-06:00
        2021-01-01T01:30-06:00"""),
    "10": (LORD_HOWE, "hourly", 1, "2021-04-03T02:30", """
        2021-04-04T00:30+11:00 2021-04-04T01:30+11:00 2021-04-04T02:30+10:30
        2021-04-04T03:30+10:30 2021-04-04T04:30+10:30"""),
    "12": (LORD_HOWE, "daily", 1, "2021-04-02T02:00", """
        2021-04-01T02:00+11:00 2021-04-02T02:00+11:00 2021-04-03T02:00+11:00
        2021-04-04T02:00+10:30 2021-04-05T02:00+10:30 2021-04-06T02:00+10:30"""),
    "14": (LORD_HOWE, "hourly", 24, "2020-10-02T01:30", """
        2020-10-01T01:30+10:30 2020-10-02T01:30+10:30 2020-10-03T01:30+10:30
        2020-10-04T01:30+10:30 2020-10-05T01:30+11:00 2020-10-06T01:30+11:00"""),
}  # fmt: skip


@pytest.mark.parametrize("number", HANDOVERS)
def test_shifts_follow_the_wall_clock_through_a_change(number: str) -> None:
    *rotation, written = HANDOVERS[number]
    turns = schedule(*rotation)  # type: ignore[arg-type] # four, and the handovers
    handovers = [at(handover) for handover in written.split()]
    for begins, ends in pairwise(handovers):
        assert shift(turns, begins) == (begins, ends)
        assert shift(turns, ends - timedelta(microseconds=1)) == (begins, ends)


ENDS = {
    "an_hour_before_the_gap": (
        (CHICAGO, "hourly", 1, "2017-01-01T01:00"),
        ("2017-03-12T01:00-06:00", "2017-03-12T03:00-05:00"),
    ),
    "an_hour_that_comes_twice": (
        (CHICAGO, "hourly", 1, "2017-01-01T01:00"),
        ("2017-11-05T01:00-05:00", "2017-11-05T02:00-06:00"),
    ),
    "three_hours_over_the_gap": (
        (CHICAGO, "hourly", 3, "2017-03-12T00:00"),
        ("2017-03-12T00:00-06:00", "2017-03-12T03:00-05:00"),
    ),
    "three_hours_that_are_four": (
        (CHICAGO, "hourly", 3, "2017-11-05T00:00"),
        ("2017-11-05T00:00-05:00", "2017-11-05T03:00-06:00"),
    ),
    "the_same_hours_of_the_day_after_years": (
        (CHICAGO, "hourly", 8, "2018-11-21T10:00"),
        ("2021-03-10T02:00-06:00", "2021-03-10T10:00-06:00"),
    ),
    "before_the_start": (
        ("UTC", "hourly", 10, "2020-06-01T03:00"),
        ("2020-05-30T21:00Z", "2020-05-31T07:00Z"),
    ),
    "a_day_of_25_hours": (
        (CHICAGO, "daily", 1, "2017-11-04T08:00"),
        ("2017-11-04T08:00-05:00", "2017-11-05T08:00-06:00"),
    ),
    "two_months": (
        (CHICAGO, "monthly", 2, "2017-11-01T00:00"),
        ("2017-11-01T00:00-05:00", "2018-01-01T00:00-06:00"),
    ),
    "weeks_of_169_hours": (
        (CHICAGO, "weekly", 1, "2024-10-01T00:00"),
        ("2024-10-29T00:00-05:00", "2024-11-05T00:00-06:00"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_a_shift_is_as_long_as_its_wall_clock_says(name: str) -> None:
    rotation, (begins, ends) = ENDS[name]
    assert shift(schedule(*rotation), at(begins)) == (at(begins), at(ends))


def test_the_differences_of_a_change_are_exactly_when_others_are_on_call() -> None:
    start, hour = at("2017-06-14T08:00-05:00"), timedelta(hours=1)
    night = Override("replace", start, start + 90 * hour, "cy", "ada")
    more = Override("add", start + 30 * hour, start + 33 * hour, "bo")
    after = replace(WEEK, overrides=(night, more))
    end = start + 120 * hour

    found = list(differences(WEEK, after, start, end, "primary"))

    assert [(each.before, each.after) for each in found] == [
        (("ada",), ("cy",)),
        (("ada",), ("cy", "bo")),
        (("ada",), ("cy",)),
    ]
    for passed in range(120):
        now = start + passed * hour
        told = [each.after for each in found if each.begins <= now < each.ends]
        differs = on_call(WEEK, now) != on_call(after, now)
        assert told == ([on_call(after, now)] if differs else [])
