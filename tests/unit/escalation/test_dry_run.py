"""`permanence oncall`: what a question may have, and what is said about wrong ones."""

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import command_line
from services.escalation.dry_run import coverage_answer, shifts_answer, who_answer

DAILY = {"type": "daily", "start": "2025-06-02T20:00", "participants": ["ada", "bo"]}
ASK: dict[str, Any] = {
    "timezone": "Europe/Paris",
    "rotation": DAILY,
    "from": "2025-06-02T18:00:00Z",
    "to": "2025-06-04T18:00:00Z",
}
JUNE_3 = "2025-06-03T12:00:00Z"


def test_a_start_with_an_offset_means_the_local_time_of_the_zone() -> None:
    written = {**DAILY, "start": "2025-06-02T18:00:00Z"}

    assert shifts_answer(ASK | {"rotation": written}) == shifts_answer(ASK)


def test_gaps_and_overlaps_are_found() -> None:
    night = {**DAILY, "shift_duration_hours": 12}
    added = {
        "type": "add",
        "add": "cy",
        "start": "2025-06-03T04:00:00Z",
        "end": "2025-06-03T05:00:00Z",
    }

    found = coverage_answer(
        ASK | {"rotation": night, "overrides": [added], "to": "2025-06-03T18:00:00Z"}
    )

    assert found["gaps"] == [
        {"from": "2025-06-03T06:00:00Z", "to": "2025-06-03T18:00:00Z"}
    ]
    assert found["overlaps"] == [
        {
            "from": "2025-06-03T04:00:00Z",
            "to": "2025-06-03T05:00:00Z",
            "who": ["ada", "cy"],
        }
    ]


def test_a_temporary_schedule_takes_precedence_and_leaves_no_gap() -> None:
    temporary = {
        "start": "2025-06-03T00:00:00Z",
        "end": "2025-06-03T10:00:00Z",
        "shifts": [
            {
                "who": ["cy", "di"],
                "start": "2025-06-02T00:00:00Z",
                "end": "2025-06-03T08:00:00Z",
            }
        ],
    }

    found = shifts_answer(ASK | {"temporary_schedules": [temporary]})["shifts"]

    assert isinstance(found, list)
    assert [list(each.values()) for each in found if isinstance(each, dict)] == [
        ["2025-06-02T18:00:00Z", "2025-06-03T00:00:00Z", ["ada"]],
        ["2025-06-03T00:00:00Z", "2025-06-03T08:00:00Z", ["cy", "di"]],
        ["2025-06-03T08:00:00Z", "2025-06-03T18:00:00Z", ["ada"]],
        ["2025-06-03T18:00:00Z", "2025-06-04T18:00:00Z", ["bo"]],
    ]


def test_roles_are_asked_for_one_at_a_time() -> None:
    second = {"rotation": {**DAILY, "participants": ["eve"]}, "role": "secondary"}
    asked: dict[str, Any] = {
        "timezone": "UTC",
        "layers": [{"rotation": DAILY}, second],
        "at": JUNE_3,
    }

    assert who_answer(asked) == {"who": ["ada"]}
    assert who_answer(asked | {"role": "secondary"}) == {"who": ["eve"]}
    assert who_answer(asked | {"role": "shadow"}) == {"who": []}


ADD = {"type": "add", "start": "2025-06-03T04:00:00Z", "end": JUNE_3}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"timezone": "Mars"}, "timezone: `Mars` is not a time zone"),
        ({"from": None}, "give a period: `from` and `to`"),
        ({"to": ASK["from"]}, "to: it is not after `from`"),
        ({"from": "0001-01-01T00:00:00Z"}, "choose a year from 1900 to 2199"),
        ({"from": 1_748_887_200}, "from: write an instant such as"),
        ({"layers": [{"rotation": DAILY}]}, "either `rotation` or `layers`"),
        ({"rotation": {**DAILY, "participants": []}}, "rotation.participants"),
        ({"rotation": {**DAILY, "participants": [[3]]}}, "rotation.participants[0][0]"),
        ({"rotation": {**DAILY, "start": "noon"}}, "rotation.start: write a local"),
        ({"rotation": {**DAILY, "by_day": ["MO", "MO"]}}, "a day is given twice"),
        ({"rotation": {**DAILY, "shift_duration_hours": 0}}, "shift_duration_hours"),
        ({"rotation": {**DAILY, "shift_duration_hours": "12"}}, "such as 12"),
        (
            {
                "rotation": {
                    **DAILY,
                    "rotation_start": "2025-07-01T00:00",
                    "until": "2025-06-01T00:00",
                }
            },
            "`until` is not after `rotation_start`",
        ),
        ({"overrides": [ADD]}, "overrides[0]: say in `add` who comes in"),
        ({"overrides": [{**ADD, "type": "remove"}]}, "say in `remove` who goes"),
        ({"overrides": [{**ADD, "end": ADD["start"]}]}, "`end` is not after `start`"),
        ({"rotations": {}}, "no such field: did you mean `rotation`?"),
        (
            {
                "rotation": {**DAILY, "type": "hourly"},
                "to": "2030-06-02T00:00:00Z",
            },
            "more than 10000 shifts",
        ),
    ],
)
def test_a_wrong_question_is_answered_with_what_to_write(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        shifts_answer(ASK | changes)


def test_a_wrong_line_stops_no_other_line() -> None:
    written = f'{{"timezone": 1}}\n[]\n{json.dumps(ASK | {"at": JUNE_3})}\n'

    result = CliRunner().invoke(
        command_line("oncall"), ["oncall", "who"], input=written
    )

    assert result.exit_code == 2
    first, second, third = map(json.loads, result.stdout.splitlines())
    assert "timezone" in first["error"]
    assert second == {"error": "write one JSON object a line"}
    assert third == {"who": ["ada"]}
