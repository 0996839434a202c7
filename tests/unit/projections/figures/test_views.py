"""The numbers of a period in words, beside those of the period before."""

from datetime import date
from typing import Any, get_args

import pytest

from services.projections.metrics.definitions import DEFINITIONS
from services.projections.metrics.period import FilteredBy, GroupBy
from services.projections.web.figures.period import Period, WrongPeriod, period_of
from services.projections.web.figures.views import Kind, change, in_words, metrics_of

FIGURES: dict[str, Any] = {
    "satisfaction": {"share": 0.8, "n": 10, "response_rate": 0.5, "invited": 20},
    "backlog_age": [{"age": "0-1", "n": 3}, {"age": "30+", "n": 1}],
    "sla": {
        "tto": {
            "share": 0.9,
            "against_original": 0.85,
            "against_agreed": None,
            "met": 9,
            "breached": 1,
            "breached_by": {"user": 0, "vendor": 1, "unattributed": 0},
        }
    },
    "answering": [{"channel": "phone", "share": 0.5, "in_time": 1, "late": 1}],
}
BEFORE: dict[str, Any] = {
    "satisfaction": {"share": 0.75, "n": 4, "response_rate": None, "invited": 0},
    "backlog_age": None,
    "sla": {},
    "answering": [],
}


def test_every_number_stands_beside_its_n_and_that_of_the_period_before() -> None:
    satisfaction, backlog, sla, answering = metrics_of(FIGURES, BEFORE, "en")

    share, rate = satisfaction.rows
    assert (share.value, share.n, share.before, share.before_n, share.change) == (
        *("80%", "10", "75%", "4"),
        "+5 points",
    )
    assert (rate.value, rate.before, rate.before_n, rate.change) == (
        *("50%", "–", "", ""),
    )
    assert [(row.label, row.value) for row in backlog.rows] == [
        ("under 1 d", "3"),
        ("over 30 d", "1"),
    ]
    assert [(row.value, row.n) for row in sla.rows[:3]] == [
        ("90%", "10"),
        ("85%", "10"),
        ("–", "10"),
    ]
    assert [(row.label, row.value) for row in sla.rows[3:]] == [
        ("Time to own, broken", "1"),
        ("of these, due to a vendor", "1"),
    ], "who was not responsible for any is left out"
    assert [(row.label, row.value, row.n) for row in answering.rows] == [
        ("phone", "50%", "2")
    ]


@pytest.mark.parametrize(
    ("kind", "value", "was", "shown", "difference"),
    [
        ("count", 1234, 1200, "1\N{NARROW NO-BREAK SPACE}234", "+34"),
        ("count", 1, 1, "1", "="),
        ("share", 0.5, 0.62, "50\N{NARROW NO-BREAK SPACE}%", "−12 points"),
        ("duration", 3_725, 7_325, None, "−1\N{NO-BREAK SPACE}h"),
        ("duration", None, 60, "–", ""),
    ],
)
def test_numbers_are_written_as_in_the_language(
    kind: Kind, value: float | None, was: float, shown: str | None, difference: str
) -> None:
    if shown is not None:
        assert in_words(value, kind, "fr").replace("\xa0%", "\u202f%") == shown
    assert change(value, was, kind, "fr") == difference


@pytest.mark.parametrize(
    ("given", "period", "before", "after", "every"),
    [
        ({}, "2025-06-01 2025-06-30", "2025-05-01", "2025-07-01", "day"),
        (
            {"from": "2025-02-01", "last": "2025-02-28"},
            "2025-02-01 2025-02-28",
            *("2025-01-01", "2025-03-01", "day"),
        ),
        (
            {"from": "2025-06-02", "last": "2025-06-08"},
            "2025-06-02 2025-06-08",
            *("2025-05-26", "2025-06-09", "day"),
        ),
        (
            {"from": "2025-01-01", "last": "2025-12-31"},
            "2025-01-01 2025-12-31",
            *("2024-01-02", "2026-01-01", "week"),
        ),
        (
            {"from": "2023-01-01", "last": "2025-12-31"},
            "2023-01-01 2025-12-31",
            *("2020-01-01", "2026-01-01", "month"),
        ),
    ],
)
def test_a_month_is_beside_months_and_other_periods_beside_as_many_days(
    given: dict[str, str], period: str, before: str, after: str, every: str
) -> None:
    found = period_of(given, date(2025, 6, 17))

    assert f"{found.first} {found.last}" == period
    assert (str(found.before.first), str(found.after.first)) == (before, after)
    assert found.before.after.first == found.first
    assert found.every == every


def test_the_api_gets_the_day_after_the_last_one() -> None:
    period = Period(date(2025, 6, 1), date(2025, 6, 30))

    assert period.asked == {"from": "2025-06-01", "to": "2025-07-01"}


@pytest.mark.parametrize(
    "given",
    [
        {"from": "2025-06-01"},
        {"from": "June", "last": "2025-06-30"},
        {"from": "2025-06-30", "last": "2025-06-01"},
        {"from": "0001-01-01", "last": "0001-01-31"},
        {"from": "9999-12-01", "last": "9999-12-31"},
        {"from": "2020-01-01", "last": "2025-06-30"},
    ],
)
def test_an_address_without_a_period_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(WrongPeriod):
        period_of(given, date(2025, 6, 17))


def test_nothing_is_grouped_chosen_or_defined_by_person() -> None:
    people = {"assignee", "agent", "person", "reporter", "by", "owner", "caller"}

    assert people.isdisjoint(get_args(GroupBy))
    assert people.isdisjoint(get_args(FilteredBy))
    assert people.isdisjoint(DEFINITIONS)


def test_every_definition_can_be_translated() -> None:
    assert not [each for each in DEFINITIONS.values() if "%" in each.meaning]
