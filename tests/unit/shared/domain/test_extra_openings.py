"""How extra openings count: beside the week, and over whatever closes their date."""

from datetime import UTC, datetime

from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import (
    Hours,
    due,
    elapsed,
    hours_of,
    is_open,
    last_instant,
)

MINUTE = 60
HOUR = 3600


def extra(*openings: str) -> Hours:
    return hours_of(
        Calendar(
            timezone="Europe/Paris",
            weekly_hours={"mon-fri": ["09:00-18:00"]},
            holidays=("2025-06-09",),
            open=openings,
        )
    )


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


FRIDAY = at("2025-06-06T15:30Z")


def test_an_extra_opening_counts_beside_the_week() -> None:
    saturday = extra("2025-06-07 10:00-12:00")
    assert due(saturday, FRIDAY, 60 * MINUTE) == at("2025-06-07T10:30+02:00")
    assert last_instant(saturday, FRIDAY, 150 * MINUTE) == at("2025-06-10T07:00Z")


def test_an_extra_opening_wins_over_whatever_closes_its_date() -> None:
    whit_monday = extra("2025-06-09 10:00-12:00")
    assert not is_open(whit_monday, at("2025-06-09T09:59:59+02:00"))
    assert is_open(whit_monday, at("2025-06-09T10:00+02:00"))
    assert not is_open(whit_monday, at("2025-06-09T12:00+02:00"))
    assert due(whit_monday, FRIDAY, 60 * MINUTE) == at("2025-06-09T10:30+02:00")


def test_an_extra_opening_within_open_hours_counts_once() -> None:
    longer = extra("2025-06-06 17:00-20:00")
    assert elapsed(longer, FRIDAY, at("2025-06-09T00:00Z")) == 150 * MINUTE


def test_an_extra_opening_may_go_on_after_midnight_into_a_closed_day() -> None:
    night = extra("2025-06-08 22:00-02:00")
    assert due(night, FRIDAY, 30 * MINUTE + 3 * HOUR) == at("2025-06-09T01:00+02:00")
    assert not is_open(night, at("2025-06-09T02:00+02:00"))
