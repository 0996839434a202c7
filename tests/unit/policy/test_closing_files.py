"""Events of iCalendar files as closed days and parts of days."""

import re
from collections.abc import Sequence

import pytest

from shared.domain import icalendar_file
from shared.domain.policy import closed_days
from shared.domain.policy.closed_days import closings_in

YEARS = range(2025, 2028)
CHRISTMAS = "DTSTART;VALUE=DATE:20251225"
EVERY_CHRISTMAS = "DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY"


def file(*events: str) -> str:
    """Return a file of events; those of one number are one that was changed."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ville//fermetures//FR"]
    for number, event in enumerate(events):
        named = event if "UID:" in event else f"UID:{number}\n{event}"
        lines += ["BEGIN:VEVENT", *named.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def closed(*events: str, zone: str = "Europe/Paris") -> Sequence[str]:
    return closings_in(file(*events), zone, YEARS)


def is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        closings_in(text, "Europe/Paris", YEARS)


def test_a_whole_day_is_a_closed_day_and_the_end_is_not_in_it() -> None:
    assert closed(CHRISTMAS) == ["2025-12-25"]
    assert closed(f"{CHRISTMAS}\nDTEND;VALUE=DATE:20251226") == ["2025-12-25"]
    assert closed(f"{CHRISTMAS}\nDTEND;VALUE=DATE:20251228") == [
        "2025-12-25",
        "2025-12-26",
        "2025-12-27",
    ]
    assert closed(f"{CHRISTMAS}\nDURATION:P2D") == ["2025-12-25", "2025-12-26"]


def test_a_time_is_a_part_of_the_day_in_the_zone_of_the_calendar() -> None:
    event = "DTSTART:20251224T120000Z\nDTEND:20251224T150000Z"
    assert closed(event) == ["2025-12-24 13:00-16:00"]
    assert closed(event, zone="America/Toronto") == ["2025-12-24 07:00-10:00"]

    theirs = "DTSTART;TZID=America/Toronto:20251224T120000\nDURATION:PT2H"
    assert closed(theirs) == ["2025-12-24 18:00-20:00"]


def test_a_time_without_a_zone_is_local_to_the_calendar() -> None:
    event = "DTSTART:20251224T120000\nDTEND:20251224T150000"
    for zone in ("Europe/Paris", "America/Toronto"):
        assert closed(event, zone=zone) == ["2025-12-24 12:00-15:00"]


def test_what_goes_on_after_midnight_is_cut_there() -> None:
    event = "DTSTART:20251223T180000\nDTEND:20251225T063000"
    assert closed(event) == [
        "2025-12-23 18:00-24:00",
        "2025-12-24",
        "2025-12-25 00:00-06:30",
    ]


def test_seconds_are_rounded_away_from_the_event() -> None:
    event = "DTSTART:20251224T120030\nDTEND:20251224T125901"
    assert closed(event) == ["2025-12-24 12:00-13:00"]


def test_an_event_while_the_clocks_go_back_is_as_long_as_it_is() -> None:
    event = "DTSTART:20251026T004500Z\nDTEND:20251026T011500Z"
    assert closed(event) == ["2025-10-26 02:45-03:15"]


def test_an_event_of_no_length_closes_nothing() -> None:
    assert closed("DTSTART:20251224T120000Z", CHRISTMAS) == ["2025-12-25"]


def test_what_happens_again_is_there_for_every_year_that_is_asked_for() -> None:
    assert closed(EVERY_CHRISTMAS) == ["2025-12-25", "2026-12-25", "2027-12-25"]
    assert closed(f"{EVERY_CHRISTMAS};UNTIL=20260101") == ["2025-12-25"]


def test_extra_dates_count_and_dates_left_out_do_not() -> None:
    event = f"{EVERY_CHRISTMAS}\nEXDATE;VALUE=DATE:20261225\nRDATE;VALUE=DATE:20260102"
    assert closed(event) == ["2025-12-25", "2026-01-02", "2027-12-25"]


def test_what_was_moved_or_called_off_once_is_so_once() -> None:
    again = f"UID:x\n{EVERY_CHRISTMAS}"
    once = "UID:x\nRECURRENCE-ID;VALUE=DATE:20261225\nDTSTART;VALUE=DATE:20261224"
    assert closed(again, once) == ["2025-12-25", "2026-12-24", "2027-12-25"]
    off = "UID:x\nRECURRENCE-ID;VALUE=DATE:20261225\nDTSTART;VALUE=DATE:20261225"
    assert closed(again, f"{off}\nSTATUS:CANCELLED") == ["2025-12-25", "2027-12-25"]


def test_a_weekly_pause_keeps_its_local_time_when_the_clocks_change() -> None:
    event = "DTSTART;TZID=Europe/Paris:20250326T120000\nDURATION:PT1H\n"
    assert closed(f"{event}RRULE:FREQ=WEEKLY;COUNT=2") == [
        "2025-03-26 12:00-13:00",
        "2025-04-02 12:00-13:00",
    ]


def test_free_time_and_what_is_cancelled_close_nothing() -> None:
    free = "DTSTART;VALUE=DATE:20250501\nTRANSP:TRANSPARENT"
    off = "DTSTART;VALUE=DATE:20250502\nSTATUS:CANCELLED"
    assert closed(free, off, CHRISTMAS) == ["2025-12-25"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not iCalendar"),
        ("<html>Sign in</html>", "not iCalendar"),
        (file(CHRISTMAS)[:-40], "not iCalendar"),
        (file(), "no event in it closes anything"),
        (file(f"{CHRISTMAS}\nTRANSP:TRANSPARENT"), "TRANSP:TRANSPARENT"),
        (file("SUMMARY:Noël"), "event `Noël`: it cannot be read whole"),
        (file("SUMMARY:Noël\nDTSTART:20251340"), "event `Noël`: it cannot be read"),
        (file(f"{CHRISTMAS}\nRRULE:FREQ=SOMETIMES"), "event `0`: it cannot be read"),
        (file("DTSTART;TZID=Mars/Base:20251224T120000"), "no time zone `Mars/Base`"),
        (file("DTSTART:20251224T120000Z\nRRULE:FREQ=SECONDLY"), "more than once a day"),
        (
            file("DTSTART:20251224T120000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2"),
            "more than once a day",
        ),
        (file(f"{CHRISTMAS}\nRRULE:FREQ=DAILY;INTERVAL=0"), "goes on by nothing"),
        (file(f"{CHRISTMAS}\nDTEND;VALUE=DATE:20251220"), "ends before it begins"),
        (file(f"{CHRISTMAS}\nDURATION:-P3D"), "ends before it begins"),
        (
            file(f"{CHRISTMAS}\nRRULE:FREQ=DAILY;BYMONTH=2,4;BYMONTHDAY=31,-31"),
            "no month has such a day",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(text: str, words: str) -> None:
    is_refused(text, words)


def test_a_file_has_limits_with_names(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = file(f"{CHRISTMAS}\nRRULE:FREQ=DAILY")
    for where, limit, words in (
        (closed_days, "CLOSINGS_MAX", "closes more than 1 days and parts of days"),
        (closed_days, "OCCURRENCES_MAX", "happen more than 1 times from 2025 to"),
        (icalendar_file, "RULES_MAX", "more than 0 events that recur"),
        (icalendar_file, "EVENTS_MAX", "more than 0 events: leave the old ones out"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(where, limit, 0 if "more than 0" in words else 1)
            is_refused(daily, words)
