"""Announced work: signals inside are recorded, what still fires at the end opens."""

from datetime import UTC, date, datetime, timedelta

from services.intake.policy.windows import Window, occurrences, upcoming
from shared.domain.events.incident import IncidentOpened
from shared.domain.policy.contracts import Maintenance
from tests.unit.intake.commands.scenario import NINE
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    A_SECOND,
    FIRST,
    Trouble,
    at_desk,
    types,
)

HALF_AN_HOUR = timedelta(minutes=30)


def in_work(settings: str = "") -> Trouble:
    """Return a trouble of `horaires`, on which work is announced for half an hour."""
    trouble = at_desk(settings)
    window = Window("swap", NINE, NINE + HALF_AN_HOUR)
    trouble.desk.announced.append(("horaires", window))
    return trouble


def test_what_fires_inside_is_suppressed_and_says_by_what_and_until_when() -> None:
    trouble = in_work()
    heard = trouble.hears("trigger", service="horaires", event_id="e-1")

    assert (heard.outcome, heard.rule, heard.row.incident) == (
        "suppressed",
        "maintenance",
        None,
    )
    (told,) = trouble.desk.suppressed
    assert (told.event_id, told.service, told.why.of, told.why.until) == (
        "e-1",
        "horaires",
        "swap",
        NINE + HALF_AN_HOUR,
    )


def test_what_still_fires_at_the_end_opens_and_its_clocks_start_then() -> None:
    trouble = in_work()
    trouble.hears("trigger", service="horaires")
    assert trouble.waits(HALF_AN_HOUR - A_SECOND) == []

    (opened,) = trouble.waits(A_MINUTE)
    assert isinstance(opened, IncidentOpened)
    assert (opened.rule, opened.rule_of) == ("maintenance_ended", "swap")
    assert opened.reported_at == NINE + HALF_AN_HOUR
    assert opened.received_at == NINE


def test_what_recovered_meanwhile_does_not() -> None:
    trouble = in_work()
    trouble.hears("trigger", service="horaires")
    heard = trouble.later(A_MINUTE).hears("resolve", service="horaires")

    assert (heard.outcome, heard.rule) == ("suppressed", "maintenance")
    assert trouble.waits(HALF_AN_HOUR) == []
    assert len(trouble.desk.suppressed) == 2


def test_every_signal_inside_is_recorded_the_same_message_once() -> None:
    trouble = in_work()
    for n in (1, 2, 2, 3):
        trouble.hears("trigger", service="horaires", event_id=f"e-{n}")

    assert [s.event_id for s in trouble.desk.suppressed] == ["e-1", "e-2", "e-3"]


def test_other_services_are_not_concerned() -> None:
    assert in_work().hears("trigger", service="billetterie").outcome == "opened"


def test_what_was_open_before_goes_on_and_recovers() -> None:
    trouble = in_work()
    trouble.now = NINE - A_MINUTE
    trouble.hears("trigger", service="horaires")
    trouble.later(2 * A_MINUTE)
    assert trouble.hears("trigger", service="horaires").outcome == "duplicate"

    assert types(trouble.hears("resolve"))[-1] == "resolved"
    assert trouble.hears("trigger", service="horaires").rule == "maintenance"


def test_a_cancelled_window_sets_free_what_it_held() -> None:
    trouble = in_work()
    trouble.hears("trigger", service="horaires")
    trouble.desk.announced.clear()
    trouble.later(A_MINUTE)

    (opened,) = trouble.desk.pass_time(trouble.now, anew=True)
    assert isinstance(opened, IncidentOpened)
    assert opened.reported_at == NINE + A_MINUTE


def test_a_window_announced_for_longer_holds_on() -> None:
    trouble = in_work()
    trouble.hears("trigger", service="horaires")
    longer = Window("again", NINE + HALF_AN_HOUR, NINE + 2 * HALF_AN_HOUR)
    trouble.desk.announced.append(("horaires", longer))
    assert trouble.waits(HALF_AN_HOUR) == []

    assert types(trouble.waits(HALF_AN_HOUR)) == ["opened"]


def test_after_the_window_it_must_still_have_held_long_enough() -> None:
    trouble = in_work(", open_after: 2m")
    trouble.later(HALF_AN_HOUR - A_MINUTE).hears("trigger", service="horaires")
    assert trouble.waits(A_MINUTE) == []

    assert types(trouble.waits(A_MINUTE)) == ["opened"]
    assert set(trouble.desk.incidents) == {FIRST}


def window(**fields: str) -> Maintenance:
    usual = {
        "service": "horaires",
        "start": "2025-01-27T12:30",
        "duration": "30m",
        "timezone": "Europe/Paris",
    }
    return Maintenance.model_validate({**usual, **fields})


def utc(month: int, day: int, hour: int, minute: int = 0, year: int = 2025) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_the_last_monday_of_each_month_by_the_clock_on_the_wall() -> None:
    monthly = window(rrule="FREQ=MONTHLY;BYDAY=-1MO")

    assert occurrences(monthly, date(2025, 1, 27)) == (
        (utc(1, 27, 11, 30), utc(1, 27, 12)),
    )
    assert occurrences(monthly, date(2025, 6, 30)) == (
        (utc(6, 30, 10, 30), utc(6, 30, 11)),
    )
    assert occurrences(monthly, date(2025, 6, 23)) == ()


def test_once_is_once() -> None:
    assert occurrences(window(), date(2025, 1, 27)) == (
        (utc(1, 27, 11, 30), utc(1, 27, 12)),
    )
    assert occurrences(window(), date(2025, 2, 27)) == ()


def test_a_time_that_does_not_exist_moves_forward_and_the_duration_is_real() -> None:
    nightly = window(start="2025-03-01T02:30", duration="2h", rrule="FREQ=DAILY")

    assert occurrences(nightly, date(2025, 3, 30)) == ((utc(3, 30, 1), utc(3, 30, 3)),)
    assert occurrences(nightly, date(2025, 10, 26)) == (
        (utc(10, 26, 0, 30), utc(10, 26, 2, 30)),
    )


def test_a_window_over_midnight_is_there_on_both_days() -> None:
    late = window(start="2025-01-06T23:30", duration="3h", rrule="FREQ=WEEKLY")
    span = (utc(1, 6, 22, 30), utc(1, 7, 1, 30))

    assert occurrences(late, date(2025, 1, 6)) == (span,)
    assert occurrences(late, date(2025, 1, 7)) == (span,)


def test_a_rule_that_ends_by_an_instant_is_read() -> None:
    ending = window(rrule="FREQ=DAILY;UNTIL=20250128T235959Z")

    assert len(occurrences(ending, date(2025, 1, 28))) == 1
    assert occurrences(ending, date(2025, 1, 29)) == ()


def test_the_calendar_has_the_present_or_next_occurrence_of_each_window() -> None:
    clauses = {
        "over": window(),
        "monthly": window(rrule="FREQ=MONTHLY;BYDAY=-1MO"),
        "nightly": window(start="2025-01-01T23:30", duration="2h", rrule="FREQ=DAILY"),
    }

    found = upcoming(clauses, utc(2, 3, 23, 45))

    assert [(each.window, each.start, each.until) for each in found] == [
        ("nightly", utc(2, 3, 22, 30), utc(2, 4, 0, 30)),
        ("monthly", utc(2, 24, 11, 30), utc(2, 24, 12)),
    ]
