"""Open hours, closed days and public holidays."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.policy.calendars import Closing, ClosingFile, Opening, WeeklyHours
from shared.domain.policy.public_holidays import expand
from tests.support.policies import full

hours = TypeAdapter[object](WeeklyHours)
closing = TypeAdapter[str](Closing)
opening = TypeAdapter[str](Opening)
closing_file = TypeAdapter[str](ClosingFile)
SUMMER = date(2025, 7, 1)


def test_hours_are_kept_by_single_days_in_the_form_sla_due_takes() -> None:
    kept = hours.dump_python(hours.validate_python({"fri-mon": ["08:00-12:00"]}))
    one = [["08:00", "12:00"]]
    assert kept == {"mon": one, "fri": one, "sat": one, "sun": one}
    assert hours.dump_python(hours.validate_python(kept)) == kept


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"mon": ["8:00-18:00"]}, "not a window"),
        ({"mon": ["08:00-08:00"]}, "not a window"),
        ({"mon": ["24:00-08:00"]}, "not a window"),
        ({"mon": ["08:00-24:30"]}, "not a window"),
        ({"mon": [1080]}, "not a window"),
        ({"mon": [[9, 17]]}, "not a window"),
        ({"mon": "08:00-18:00"}, "by day"),
        ({"monday": ["08:00-18:00"]}, "not a day"),
        ({"mon-fri": ["08:00-18:00"], "wed": []}, "wed is given twice"),
        ({"mon": ["08:00-12:00", "11:59-18:00"]}, "overlap"),
        ({"mon": ["20:00-04:00"], "tue": ["03:59-12:00"]}, "overlap"),
        ({"sun": ["20:00-04:00"], "mon": ["03:59-12:00"]}, "overlap"),
        ({"mon": []}, "must be open"),
        ({}, "must be open"),
        ([], "by day"),
    ],
)
def test_hours_that_mean_nothing_are_refused(written: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        hours.validate_python(written)


@pytest.mark.parametrize(
    "written",
    [
        {"mon": ["08:00-12:00", "12:00-18:00"]},
        {"sun": ["20:00-04:00"], "mon": ["04:00-12:00"]},
        {"mon-sun": ["00:00-24:00"]},
        {"mon-sun": ["06:00-05:59"]},
    ],
)
def test_windows_may_touch_and_cross_midnight(written: object) -> None:
    assert hours.validate_python(written)


@pytest.mark.parametrize("day", ["2025-06-09", "12-24", "02-29", "12-24 12:00-24:00"])
def test_a_closed_day_is_a_date_each_year_or_once_whole_or_in_part(day: str) -> None:
    assert closing.validate_python(day) == day


@pytest.mark.parametrize(
    "day",
    ["2025-02-29", "13-01", "24-12", "2025-6-9", "12-24 24:00-24:00", "12-24\n",
     "12-24 18:00-12:00", "12-24 12:00", "christmas", "٢٠٢٥-٠٦-٠٩"],
)  # fmt: skip
def test_what_is_no_closed_day_is_refused(day: str) -> None:
    with pytest.raises(ValidationError):
        closing.validate_python(day)


@pytest.mark.parametrize(
    "written",
    ["2025-12-06 09:00-12:00", "2025-12-06 00:00-24:00", "2025-12-06 22:00-02:00"],
)
def test_an_extra_opening_has_its_date_and_may_go_on_after_midnight(
    written: str,
) -> None:
    assert opening.validate_python(written) == written


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("2025-12-06", "its date and hours"),
        ("12-06 09:00-12:00", "its date and hours"),
        ("1925-12-06 09:00-12:00", "its date and hours"),
        ("2025-12-06 9:00-12:00", "its date and hours"),
        ("2025-12-06 09:00-12:00\n", "its date and hours"),
        ("2025-12-06 24:00-02:00", "its date and hours"),
        ("2025-12-36 09:00-12:00", "not a day of the calendar"),
        ("2025-12-06 09:00-09:00", "longer than nothing"),
    ],
)
def test_what_is_no_extra_opening_is_refused(written: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        opening.validate_python(written)


@pytest.mark.parametrize("name", ["closings.ics", "ville/fermetures été.ICS"])
def test_files_of_closings_lie_beside_the_policy(name: str) -> None:
    assert closing_file.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    ["/etc/closings.ics", "../closings.ics", "a/../../b.ics", "a\\b.ics", "c.csv", "",
     f"{'a' * 200}.ics"],
)  # fmt: skip
def test_other_files_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        closing_file.validate_python(name)


def test_public_holidays_become_dates_from_last_year_to_five_years_on() -> None:
    holidays = expand(full(), SUMMER).calendars["jour"].holidays
    national_day = [day for day in holidays if day.endswith("-07-21")]
    assert national_day == [f"{year}-07-21" for year in range(2024, 2031)]
    assert "2025-06-09" in holidays  # Whit Monday moves


def test_a_subdivision_has_its_own_holidays() -> None:
    policy = full(("PT-11", "CA-QC"))
    assert "2025-06-24" in expand(policy, SUMMER).calendars["lisbonne"].holidays
    policy = full(("PT-11", "CA-ON"))
    assert "2025-06-24" not in expand(policy, SUMMER).calendars["lisbonne"].holidays


def test_own_closed_days_are_among_the_holidays_and_nothing_else_changes() -> None:
    expanded = expand(full(), SUMMER)
    assert {"2025-05-02", "12-31 12:00-24:00"} <= set(
        expanded.calendars["jour"].holidays
    )
    assert expanded.calendars["nuit"].holidays == ("01-01",)
    assert expanded.calendars["toujours"].holidays == ()
    before, after = full().document(), expanded.document()
    for calendar in (*before["calendars"].values(), *after["calendars"].values()):
        del calendar["holidays"]
    assert before == after


def test_expanding_again_the_same_year_changes_nothing() -> None:
    expanded = expand(full(), SUMMER)
    assert expand(expanded, date(2025, 12, 31)) == expanded
    assert expand(full(), date(2026, 1, 1)) != expanded
