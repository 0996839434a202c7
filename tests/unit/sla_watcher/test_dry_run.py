"""`permanence sla due` and `elapsed`: one question a line in, one answer a line out."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import command_line
from tests.support.working_times import Case, cases

OFFICE = {
    "timezone": "Europe/Paris",
    "weekly_hours": {
        day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")
    },
    "holidays": ["2025-06-09"],
}
FRIDAY = "2025-06-06T15:30:00Z"
HALF_AN_HOUR = {"calendar": OFFICE, "start": FRIDAY, "target_seconds": 1_800}


def told(verb: str, *lines: bytes | dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    written = (
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )
    result = CliRunner().invoke(
        command_line(), ["sla", verb], input=b"\n".join(written)
    )
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def asked(case: Case) -> dict[str, Any]:
    calendar = case.calendar.model_dump(
        mode="json", include={"timezone", "weekly_hours", "holidays"}
    )
    pauses = [{"from": p.isoformat(), "to": q.isoformat()} for p, q in case.pauses]
    return {"calendar": calendar, "start": case.start.isoformat(), "pauses": pauses}


def test_it_says_what_other_desks_say_about_deadlines() -> None:
    deadlines = [case for case in cases() if case.is_deadline]

    code, answers = told(
        "due", *[asked(case) | {"target_seconds": case.seconds} for case in deadlines]
    )

    assert code == 0
    assert answers == [{"due_at": f"{c.end:%Y-%m-%dT%H:%M:%SZ}"} for c in deadlines]


def test_it_says_what_other_desks_say_about_working_time() -> None:
    counted = [case for case in cases() if not case.is_deadline]

    code, answers = told(
        "elapsed", *[asked(case) | {"end": case.end.isoformat()} for case in counted]
    )

    assert code == 0
    assert answers == [{"elapsed_seconds": case.seconds} for case in counted]


def test_a_wrong_line_is_told_and_the_others_are_answered() -> None:
    code, answers = told("due", HALF_AN_HOUR, b"{", HALF_AN_HOUR)

    assert code == 2
    assert answers[0] == answers[2] == {"due_at": "2025-06-06T16:00:00Z"}
    assert answers[1]["error"].startswith("the line is not JSON: ")


def test_a_pause_without_an_end_leaves_no_deadline() -> None:
    paused = {**HALF_AN_HOUR, "pauses": [{"from": "2025-06-06T15:40:00Z"}]}
    later = {**HALF_AN_HOUR, "pauses": [{"from": "2025-06-10T15:40:00Z", "to": None}]}

    assert told("due", paused, later)[1] == [
        {"due_at": None},
        {"due_at": "2025-06-06T16:00:00Z"},
    ]


def test_a_pause_without_an_end_counts_until_the_end_that_is_asked_about() -> None:
    line = {
        "calendar": OFFICE,
        "start": FRIDAY,
        "end": "2025-06-12T16:00:00Z",
        "pauses": [{"from": "2025-06-06T15:40:00Z"}],
    }

    assert told("elapsed", line) == (0, [{"elapsed_seconds": 600}])


def test_a_deadline_long_ago_has_four_digits_of_its_year() -> None:
    line = {**HALF_AN_HOUR, "start": "0999-06-06T15:30:00Z"}

    code, answers = told("due", line)

    assert code == 0
    assert answers[0]["due_at"].startswith("0999-06-")


def test_an_extra_opening_counts() -> None:
    saturday = {**OFFICE, "open": ["2025-06-07 09:00-12:00"]}
    line = {**HALF_AN_HOUR, "calendar": saturday, "target_seconds": 3_600}

    assert told("due", line) == (0, [{"due_at": "2025-06-07T07:30:00Z"}])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"7", "write one JSON object a line"),
        (b"\xff\xfe", "the line is not JSON"),
        (b"[" * 5_000, "the line is not JSON"),
        (b'{"' + b"x" * 1_000_000 + b'": 1}', "more than 1000000 bytes"),
        ({}, "calendar: missing: add it"),
        ({**HALF_AN_HOUR, "pause": []}, "pause: no such field: did you mean"),
        ({**HALF_AN_HOUR, "start": "2025-06-06T15:30:00"}, "start: "),
        ({**HALF_AN_HOUR, "target_seconds": -1}, "target_seconds: "),
        ({**HALF_AN_HOUR, "target_seconds": 10**12}, "target_seconds: "),
        ({**HALF_AN_HOUR, "target_seconds": True}, "write whole seconds"),
        ({**HALF_AN_HOUR, "start": 1_749_223_800}, "start: write an instant"),
        ({**HALF_AN_HOUR, "start": "1749223800"}, "start: write an instant"),
        (
            {
                **HALF_AN_HOUR,
                "pauses": [
                    {"from": "2025-06-06T16:00:00Z", "to": "2025-06-06T15:40:00Z"}
                ],
            },
            "pauses[0]: it ends before it begins",
        ),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "timezone": "localtime"}},
            "`localtime` is not a time zone",
        ),
        (
            {
                **HALF_AN_HOUR,
                "calendar": {**OFFICE, "weekly_hours": {"mon": [[9, 17]]}},
            },
            "9-17 is not a window",
        ),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "holidays": ["12-24"] * 20_001}},
            "calendar.holidays: more than 20000 closed days",
        ),
        ({**HALF_AN_HOUR, "start": "0001-01-01T00:00:00Z"}, "too far away"),
        ({**HALF_AN_HOUR, "start": "9999-12-31T00:00:00Z"}, "too far away"),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "timezone": "Mars/Olympus"}},
            "calendar.timezone: `Mars/Olympus` is not a time zone",
        ),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "weekly_hours": {}}},
            "at least one window must be open",
        ),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "holidays": ["2025-02-30"]}},
            "is not a day of the calendar",
        ),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "closed": ["2025-06-10"]}},
            "calendar.closed: that becomes dates when a policy is applied",
        ),
        (
            {**HALF_AN_HOUR, "calendar": {**OFFICE, "closed_in": ["closings.ics"]}},
            "calendar.closed_in: that becomes dates when a policy is applied",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    line: bytes | dict[str, Any], what: str
) -> None:
    code, answers = told("due", line)

    assert code == 2
    assert what in answers[0]["error"]
