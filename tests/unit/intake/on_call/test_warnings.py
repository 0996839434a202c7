"""A change is made all the same, and says what to consider about it."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.intake.on_call.views import assumed, of_person, of_schedule
from shared.domain.events import is_absence, is_schedule_change
from shared.domain.on_call import Roster
from shared.domain.on_call.schedule_changes import NO_CHANGES, roster
from tests.support.builders.on_call.changes import NOW, SCHEDULE, Changes
from tests.support.builders.promises import VALMONT


def considered(desk: Changes, who: str, verb: str, **body: Any) -> list[str]:
    """Return the codes and people of the warnings about a command."""
    held, before = desk.held, rosters(desk)
    (event,) = desk.says(who, verb, **body)
    if is_absence(event):
        found = of_person(event, before, NOW)
    else:
        assert is_schedule_change(event)
        judged = Changes(held=held)
        for each in assumed([event]):
            judged.take(each)
        found = of_schedule(event, held, (before, rosters(judged)), NOW)
    return [f"{each.code} {each.person} {each.schedule}" for each in found]


def rosters(desk: Changes) -> Mapping[str, Roster]:
    absences = tuple(desk.absences.values())
    return {
        name: roster(schedule, desk.held if name == SCHEDULE else NO_CHANGES, absences)
        for name, schedule in VALMONT.schedules.items()
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # chloe sits at `comptoir` until the morning of `NOW`, and amina from then on;
        # chloe's own turn at `astreinte` begins a week later.
        ({"start": 3, "end": 4}, ["notice chloe astreinte"]),
        (
            {"start": 0, "end": 1},
            ["notice chloe astreinte", "rest chloe comptoir"],
        ),
        (
            {"start": 5.5, "end": 6.8},
            ["notice chloe astreinte", "rest chloe astreinte"],
        ),
        (
            {"start": 3, "end": 4, "add": "amina"},
            ["notice amina astreinte", "overlap amina comptoir"],
        ),
        ({"start": 21.5, "end": 22}, []),
    ],
)
def test_the_notice_the_rest_and_the_other_schedules_are_considered(
    body: dict[str, Any], expected: list[str]
) -> None:
    given = {"kind": "replace", "add": "chloe", "remove": "bruno", **body}

    assert considered(Changes(), given["add"], "add_override", **given) == expected


def test_a_swap_is_considered_for_both_as_if_it_were_accepted() -> None:
    swap = {"other": "chloe", "start": 1, "end": 2, "other_start": 9, "other_end": 10}

    assert considered(Changes(), "bruno", "request_swap", **swap) == [
        "notice chloe astreinte",
        "notice bruno astreinte",
        "overlap bruno comptoir",
    ]


def test_an_absence_says_where_nobody_takes_over() -> None:
    desk = Changes()
    for person in ("chloe", "amina"):
        desk.says("sylvie", "add_absence", person=person, end=3)

    found = considered(desk, "bruno", "add_absence", person="bruno", end=3)

    assert found[:2] == ["notice bruno astreinte", "not_replaced bruno astreinte"]


def test_the_end_of_an_override_that_opens_a_gap_says_so() -> None:
    desk = Changes()
    desk.says("chloe", "add_override", kind="add", add="chloe", end=2)
    desk.says("bruno", "add_override", kind="remove", remove="bruno", end=2)

    found = considered(desk, "chloe", "withdraw_override", override="astreinte.1")

    assert found == ["gap None astreinte"]
