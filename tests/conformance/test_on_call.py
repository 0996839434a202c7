"""What other systems state about who is on call, by the engine and by the command.

The cases of `on_call.jsonl` are facts that the tests of GoAlert, Grafana OnCall and
LinkedIn's oncall state; each names its source. Where they use "now", it is midnight on
Monday, 1 January 2024. `permanence oncall` gets the same question as the engine.

Not here, of the 90 that were collected:

* GA-SCH-01 and GA-SCH-09 add to the computed shifts when somebody was recorded as on
  call, which is the log's matter here;
* GA-SMK-05 keeps the person on call while participants change: here the policy says
  with `start` where the turns begin;
* LI-09 picks the person who was on call least, and there is no such scheduler;
* GA-ESC-01 to 03, GO-ESC-01, 03, 04, 05 and GO-ACK-02 are about escalation policies
  and acknowledgements: a schedule does not answer them.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import command_line
from services.escalation.dry_run import shifts_answer, who_answer

Case = Mapping[str, Any]
Answer = Mapping[str, Any]
Asked = tuple[str, dict[str, Any]]

CASES: Mapping[str, Case] = {
    case["id"]: case
    for case in map(
        json.loads,
        Path(__file__)
        .with_name("on_call.jsonl")
        .read_text(encoding="utf-8")
        .splitlines(),
    )
}
ANSWERED = {case.split()[0] for case in CASES}
VERBS = {"who": who_answer, "shifts": shifts_answer}


def questions(case: Case) -> Iterable[Asked]:
    """Yield the verbs and questions that a case asks, in the order of `expected`."""
    ask = case["ask"]
    for at, _ in case.get("who", ()):
        yield "who", {**ask, "at": at}
    if turns := case.get("handoffs"):
        yield "shifts", {**ask, "from": turns[0], "to": turns[-1]}
    if shift := case.get("shift"):
        yield "shifts", {**ask, "from": shift["at"], "to": _after(shift["at"])}
    if {"shifts", "people"} & case.keys():
        start, end = case["within"]
        yield "shifts", {**ask, "from": start, "to": end}


def check(case: Case, answers: Iterable[Answer]) -> None:
    left = iter(answers)
    for at, people in case.get("who", ()):
        assert next(left) == {"who": people}, at
    if turns := case.get("handoffs"):
        found = next(left)["shifts"]
        assert [(each["from"], each["to"]) for each in found] == [*pairwise(turns)]
    if shift := case.get("shift"):
        (only,) = next(left)["shifts"]
        assert only["from"] == shift.get("begins", only["from"])
        assert only["to"] == shift.get("ends", only["to"])
    if {"shifts", "people"} & case.keys():
        found = next(left)["shifts"]
        if "shifts" in case:
            assert [[each["from"], each["to"], each["who"]] for each in found] == case[
                "shifts"
            ]
        if "people" in case:
            assert _by_person(found, *case["within"]) == case["people"]


def _by_person(
    shifts: Iterable[Answer], start: str, end: str
) -> dict[str, list[list[str]]]:
    """Return when each person is on call between two instants; what touches is one."""
    found: dict[str, list[list[str]]] = {}
    for shift in shifts:
        begins, ends = max(shift["from"], start), min(shift["to"], end)
        for person in shift["who"]:
            spans = found.setdefault(person, [])
            if spans and spans[-1][1] == begins:
                spans[-1][1] = ends
            else:
                spans.append([begins, ends])
    return found


def _after(at: str) -> str:
    return (datetime.fromisoformat(at) + timedelta(microseconds=1)).isoformat()


@pytest.mark.parametrize("name", CASES)
def test_the_engine_says_what_other_systems_say(name: str) -> None:
    case = CASES[name]
    check(case, [VERBS[verb](question) for verb, question in questions(case)])


@pytest.mark.parametrize("verb", VERBS)
def test_the_command_says_what_the_engine_says(verb: str) -> None:
    asked = [
        question
        for case in CASES.values()
        for one, question in questions(case)
        if one == verb
    ]
    written = "\n".join(json.dumps(question) for question in asked)

    result = CliRunner().invoke(command_line("oncall"), ["oncall", verb], input=written)

    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert answers == [VERBS[verb](question) for question in asked]


def test_no_applicable_case_is_left_out() -> None:
    assert len(ANSWERED) == 78
