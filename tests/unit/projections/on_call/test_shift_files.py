"""Events of iCalendar files as shifts: rules, zones, changed clocks, hostile files."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.projections.shift_files import rules, worker
from services.projections.shift_files.rules import FileShift, Mistake, shifts_in
from services.projections.shift_files.worker import ShiftFileWorker
from shared.domain import icalendar_file
from shared.http.problem_details import HttpError
from tests.support.patience import SECONDS

START, END = datetime(2030, 3, 1, tzinfo=UTC), datetime(2030, 5, 1, tzinfo=UTC)
ADA = "ATTENDEE:mailto:ada@example.org"
IN_PARIS = "DTSTART;TZID=Europe/Paris:20300330T200000\nDURATION:PT1H"
NIGHT = "DTSTART:20300305T180000Z\nDTEND:20300306T060000Z"


def file(*events: str, before: str = "") -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//other//EN"]
    lines += before.split("\n") if before else []
    for number, event in enumerate(events):
        named = event if "UID:" in event else f"UID:{number}\n{event}"
        lines += ["BEGIN:VEVENT", *named.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def found(*events: str, zone: str = "Europe/Paris") -> list[FileShift]:
    return shifts_in(file(*events), zone, START, END)


def periods(*events: str) -> list[str]:
    return [f"{s.start:%m-%d %H:%M} {s.end:%m-%d %H:%M}" for s in found(*events)]


def test_an_event_names_those_who_attend_else_its_summary_and_where_it_begins() -> None:
    both = found(f"SUMMARY:Night\n{ADA}\n{NIGHT}", f"SUMMARY: Ada L. \n{NIGHT}")

    assert {each.names: each.line for each in both} == {
        ("ada@example.org",): 4,
        ("Ada L.",): 11,
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART:20300305T180000\nDURATION:PT12H", ["03-05 17:00 03-06 05:00"]),
        ("DTSTART;VALUE=DATE:20300305", ["03-04 23:00 03-05 23:00"]),
        (
            "DTSTART;TZID=America/Toronto:20300305T180000\nDURATION:PT2H",
            ["03-05 23:00 03-06 01:00"],
        ),
        (
            f"{IN_PARIS}\nRRULE:FREQ=DAILY;COUNT=2",
            ["03-30 19:00 03-30 20:00", "03-31 18:00 03-31 19:00"],
        ),
        ("DTSTART:20300331T023000\nDURATION:PT1H", ["03-31 01:00 03-31 01:30"]),
        (
            "DTSTART:20300228T180000Z\nDTEND:20300301T060000Z",
            ["03-01 00:00 03-01 06:00"],
        ),
        (f"{NIGHT}\nSTATUS:CANCELLED", []),
        ("DTSTART:20310305T180000Z\nDURATION:PT1H", []),
        (
            f"{NIGHT}\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20300312T180000Z",
            ["03-05 18:00 03-06 06:00", "03-19 18:00 03-20 06:00"],
        ),
    ],
    ids=["floating", "day", "their zone", "summer", "gap", "cut", "off", "far", "rule"],
)
def test_a_time_is_the_instant_that_the_clocks_of_its_zone_show(
    event: str, expected: list[str]
) -> None:
    assert periods(event) == expected


def test_an_occurrence_that_was_moved_counts_where_it_went() -> None:
    moved = "UID:a\nRECURRENCE-ID:20300312T180000Z\nDTSTART:20300313T180000Z"
    series = f"UID:a\n{NIGHT}\nRRULE:FREQ=WEEKLY;COUNT=2"

    assert periods(series, f"{moved}\nDURATION:PT12H") == [
        "03-05 18:00 03-06 06:00",
        "03-13 18:00 03-14 06:00",
    ]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("hello", 0, "not iCalendar"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT", 0, "not iCalendar"),
        (file(f"{NIGHT}\nNOTHING"), 4, "Content line could not be parsed"),
        (file("SUMMARY:x\nDTSTART:2030xx"), 4, "event `x`: DTSTART: Expected"),
        (file("SUMMARY:x"), 4, "it cannot be read whole"),
        (file(f"{NIGHT}\nRRULE:FREQ=NEVER"), 4, "RRULE: Expected frequency"),
        (file(f"{NIGHT}\nRRULE:FREQ=SECONDLY"), 4, "more than once a day"),
        (file(f"{NIGHT}\nRRULE:FREQ=DAILY;BYHOUR=1,2"), 4, "more than once a day"),
        (file(f"{NIGHT}\nRRULE:FREQ=DAILY;INTERVAL=0"), 4, "an INTERVAL from 1 on"),
        (file("DTSTART;TZID=Mars:20300305T180000"), 4, "no time zone `Mars` is known"),
        (file(f"{NIGHT}\n" + "\n".join([ADA] * 21)), 4, "more than 20 attendees"),
        (file("DTSTART:20300306T000000Z\nDTEND:20300305T000000Z"), 4, "it ends before"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(
    text: str, line: int, sentence: str
) -> None:
    with pytest.raises(Mistake, match=sentence) as no:
        shifts_in(text, "Europe/Paris", START, END)

    assert no.value.line == line


def test_a_file_has_limits_with_names(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = file(f"{NIGHT}\nRRULE:FREQ=DAILY")
    for where, limit, words in (
        (rules, "IMPORTED_SHIFTS_MAX", "more than 1 shifts in this period"),
        (icalendar_file, "RULES_MAX", "more than 0 events that recur"),
        (icalendar_file, "EVENTS_MAX", "more than 0 events"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(where, limit, 0 if "than 0" in words else 1)
            with pytest.raises(Mistake, match=words):
                shifts_in(daily, "Europe/Paris", START, END)


def test_a_program_that_fails_is_not_told_as_one_that_takes_too_long() -> None:
    async def worked_out() -> list[FileShift]:
        failing = ShiftFileWorker("services.projections.nothing_here")
        return await failing.shifts(file(NIGHT), "Europe/Paris", START, END)

    with pytest.raises(HttpError, match="the program that reads it failed"):
        asyncio.run(worked_out())


_DEEP = "BEGIN:VEVENT\r\n" * 10_000 + "END:VEVENT\r\n" * 10_000
_FLOOD = "RDATE:" + ",".join(
    f"203003{d:02}T{h:02}0000Z" for d in range(1, 31) for h in range(24)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"BEGIN:VCALENDAR\r\n{_DEEP}END:VCALENDAR\r\n", "more than 2000 events"),
        (file(f"{NIGHT}\n" + "\n".join([_FLOOD] * 50)), None),
        (file(f"{NIGHT}\nRRULE:FREQ=DAILY;COUNT=1000000000"), None),
        (
            file(
                *["DTSTART:00010101T000000Z\nRRULE:FREQ=DAILY;BYDAY=MO;BYSETPOS=2"]
                * 200
            ),
            "too long to work out",
        ),
    ],
    ids=["deep", "many dates", "many times", "searched until the year 9999"],
)
def test_a_file_that_was_made_to_do_harm_ends_within_its_limits(
    text: str, sentence: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SECONDS_MAX", SECONDS)  # that of its CPU time stays

    async def worked_out() -> list[FileShift]:
        return await ShiftFileWorker().shifts(text, "Europe/Paris", START, END)

    if sentence is None:
        assert asyncio.run(worked_out())
        return
    with pytest.raises(HttpError, match=sentence) as no:
        asyncio.run(worked_out())
    assert no.value.details.code == "unusable_file"
