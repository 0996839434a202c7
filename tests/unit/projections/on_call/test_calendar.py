"""The calendar of a schedule: which weeks it shows, and what is in each day."""

from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from services.projections.web.on_call.period import Period, period_in
from services.projections.web.on_call.views import (
    Entry,
    absences,
    calendar,
    entries,
    own,
    warnings,
)

TODAY = date(2027, 3, 24)
PARIS = "Europe/Paris"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("first", "weeks", "shown"),
    [
        ("", "", Period(date(2027, 3, 22), 4)),
        ("2027-03-28", "1", Period(date(2027, 3, 22), 1)),
        ("2027-03-29", "6", Period(date(2027, 3, 29), 6)),
        ("yesterday", "7", Period(date(2027, 3, 22), 4)),
        ("0001-01-01", "-1", Period(date(2027, 3, 22), 4)),
        ("9999-12-31", "²", Period(date(2027, 3, 22), 4)),
    ],
)
def test_an_address_asks_for_whole_weeks_and_what_it_cannot_mean_is_ignored(
    first: str, weeks: str, shown: Period
) -> None:
    assert period_in(first, weeks, TODAY) == shown


@pytest.mark.parametrize("year", range(2000, 2030))
def test_a_month_leads_to_the_months_beside_it_and_weeks_lead_to_weeks(
    year: int,
) -> None:
    for number in range(1, 13):
        month = Period.of_month(date(year, number, 15))
        assert month.month == date(year, number, 1)
        assert month.first <= date(year, number, 1) <= month.last
        assert month.following.previous == month.previous.following == month
        following = month.following.month
        assert following is not None
        assert following.month == number % 12 + 1
    week = Period.around(date(year, 3, 5), 1)
    assert (week.month, week.following.first) == (None, week.end)
    assert week.following.previous == week


def test_a_day_has_the_times_of_the_schedules_zone_at_which_people_change() -> None:
    night = Entry(_at("2027-03-26T17:00Z"), _at("2027-03-28T06:00Z"), ("nadia",))
    gap = Entry(_at("2027-03-28T06:00Z"), _at("2027-03-28T22:00Z"))

    ((*_, friday, saturday, sunday),) = calendar(
        [night, gap], Period(date(2027, 3, 22), 1), PARIS
    )

    assert [(part.begins, part.ends) for part in friday.parts] == [("18:00", "")]
    assert [part.is_whole_day for part in saturday.parts] == [True]
    # Clocks go forward in this night, and the day still ends at its midnight.
    assert [(part.entry, part.begins, part.ends) for part in sunday.parts] == [
        (night, "", "08:00"),
        (gap, "08:00", ""),
    ]


def test_a_day_says_who_is_absent_in_it() -> None:
    change = {
        "kind": "absence",
        "state": "planned",
        "person": "nadia",
        "from": "2027-03-22T23:00:00Z",
        "to": "2027-03-23T23:00:00Z",
    }
    away = absences([change, change | {"state": "withdrawn", "person": "sylvie"}])

    (week,) = calendar([], Period(date(2027, 3, 22), 1), PARIS, away)

    assert [each.day.day for each in week if each.away == ("nadia",)] == [23]
    assert not any("sylvie" in each.away for each in week)


def test_shifts_and_gaps_of_an_answer_come_in_their_order_with_what_changed() -> None:
    def span(begins: int, ends: int, **more: Any) -> dict[str, Any]:
        day = "2027-03-22T{:02}:00:00Z"
        return {"from": day.format(begins), "to": day.format(ends), **more}

    shifts = [
        span(8, 12, people=["a"], changes=[], overlap=False),
        span(12, 13, people=["a", "b"], changes=["night.1"], overlap=True),
    ]

    found = entries({"shifts": shifts, "gaps": [span(6, 8)]}, "night")

    assert [(each.people, each.changes, each.overlaps) for each in found] == [
        ((), (), False),
        (("a",), (), False),
        (("a", "b"), ("night.1",), True),
    ]
    assert own([*found, *found], "b") == [found[2]]


def test_a_gap_outside_the_hours_of_coverage_is_not_one_to_fill() -> None:
    gap = {"from": "2027-03-22T06:00:00Z", "to": "2027-03-22T08:00:00Z"}
    closed = {**gap, "required": False}

    found = entries({"shifts": [], "gaps": [closed]}, "day")

    assert [each.required for each in found] == [False]


def test_a_gap_fills_in_the_form_in_the_zone_of_its_schedule() -> None:
    (gap,) = warnings(_READINESS, "jos", {"day"}, {"day": PARIS, "night": "UTC"})[
        0
    ].gaps

    filled = dict(parse_qsl(gap["query"]))

    times = {"start": "2027-03-24T09:00", "end": "2027-03-24T17:00"}
    assert filled == {**times, "role": "primary"}


_GAP = {"from": "2027-03-24T08:00Z", "to": "2027-03-24T16:00Z", "alarm": True}
_READINESS = {
    "items": [
        {
            "schedule": name,
            "gaps": [_GAP],
            "people": [
                {"person": "nadia", "readiness": "unverified"},
                {"person": "sylvie", "readiness": "unreachable"},
                {"person": "jos", "readiness": "ready"},
            ],
        }
        for name in ("day", "night")
    ]
}


@pytest.mark.parametrize(
    ("me", "own_schedules", "shown"),
    [
        (
            "jos",
            None,
            [("day", 1, ["nadia", "sylvie"]), ("night", 1, ["nadia", "sylvie"])],
        ),
        ("nadia", {"night"}, [("day", 0, ["nadia"]), ("night", 1, ["nadia"])]),
        ("jos", {"day"}, [("day", 1, [])]),
        ("jos", set(), []),
    ],
)
def test_reviewers_see_every_warning_and_others_their_own(
    me: str, own_schedules: set[str] | None, shown: list[tuple[str, int, list[str]]]
) -> None:
    found = warnings(_READINESS, me, own_schedules, {"day": PARIS, "night": PARIS})

    assert [
        (each.schedule, len(each.gaps), [one["person"] for one in each.people])
        for each in found
    ] == shown
