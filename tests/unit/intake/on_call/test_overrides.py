"""Somebody changes a schedule: an override, a temporary schedule; or may not."""

from typing import Any

import pytest

from services.intake.on_call.rules.context import OWN_OPEN_MAX
from shared.domain.limits import Limits
from shared.domain.refusal import Refused
from tests.support.builders.on_call.changes import (
    DAY,
    HOUR,
    NOW,
    Changes,
    without_team_schedules,
)
from tests.support.builders.promises import VALMONT

TAKES_OVER: dict[str, Any] = {
    "kind": "replace",
    "add": "chloe",
    "remove": "bruno",
    "end": 1,
}
MANAGER: dict[str, Any] = {"scopes": ("manager",)}


def test_who_takes_a_shift_over_is_on_call_until_it_ends() -> None:
    desk = Changes()

    (event,) = desk.says("chloe", "add_override", **TAKES_OVER)

    assert (event.type, event.by) == ("on_call.override_added", "person:chloe")
    assert [desk.on_call(day) for day in (0, 0.9, 1)] == [
        ("chloe",),
        ("chloe",),
        ("bruno",),
    ]


def test_what_is_past_stays_as_it_was() -> None:
    desk = Changes()

    (event,) = desk.says("chloe", "add_override", start=-0.1, **TAKES_OVER)

    assert getattr(event, "start", None) == NOW
    assert desk.on_call(-0.05) == ("bruno",)


def test_a_withdrawn_override_ends_now_and_stays_in_history() -> None:
    desk = Changes()
    desk.says("chloe", "add_override", **TAKES_OVER)
    desk.now = NOW + 6 * HOUR

    desk.says("chloe", "withdraw_override", override="astreinte.1")
    again = desk.says("chloe", "withdraw_override", override="astreinte.1")

    assert again == []
    assert [desk.on_call(day) for day in (0.2, 0.3)] == [("chloe",), ("bruno",)]


def test_later_overrides_build_on_earlier_ones() -> None:
    desk = Changes()
    desk.says("chloe", "add_override", **TAKES_OVER)

    desk.says(
        "amina", "add_override", kind="replace", add="amina", remove="chloe", end=1
    )

    assert desk.on_call(0.5) == ("amina",)


@pytest.mark.parametrize(
    ("who", "body"),
    [
        ("chloe", TAKES_OVER),
        ("chloe", {"kind": "add", "add": "chloe", "end": 1}),
        ("sylvie", {**TAKES_OVER, "add": "amina"}),
        ("sylvie", {"kind": "add", "add": "nadia", "end": 1}),
    ],
    ids=["takes over", "is on call too", "manager of the team", "anybody, by them"],
)
def test_people_change_their_own_shifts_and_the_teams_manager_any(
    who: str, body: dict[str, Any]
) -> None:
    assert len(Changes().says(who, "add_override", **body)) == 1


@pytest.mark.parametrize(
    ("who", "body", "sentence"),
    [
        ("bruno", TAKES_OVER, "chloe has to agree: ask them for a swap"),
        ("amina", TAKES_OVER, "people change their own shifts only"),
        ("nadia", {**TAKES_OVER, "add": "nadia"}, "people change their own shifts"),
        ("karim", {**TAKES_OVER, "add": "amina"}, "people change their own shifts"),
    ],
    ids=["gives it away", "for a colleague", "of another team", "another's manager"],
)
def test_nobody_changes_the_shifts_of_others(
    who: str, body: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as no:
        Changes().says(who, "add_override", **body)

    assert no.value.code == "role"


@pytest.mark.parametrize(
    ("limits", "may"),
    [
        (None, True),
        (Limits(teams=frozenset(["support"])), True),
        (Limits(teams=frozenset(["etudes"])), False),
        (Limits(clients=frozenset(["valmont"])), False),
        (Limits(services=frozenset(["paie"])), False),
    ],
)
def test_the_role_of_a_manager_counts_within_its_teams(
    limits: Limits | None, *, may: bool
) -> None:
    desk = Changes()
    if may:
        assert desk.says("root", "add_override", **TAKES_OVER, **MANAGER, limits=limits)
        return
    with pytest.raises(Refused, match="people change their own shifts only"):
        desk.says("root", "add_override", **TAKES_OVER, **MANAGER, limits=limits)


def test_of_a_schedule_without_a_team_its_participants_change_their_own() -> None:
    desk = Changes(without_team_schedules(VALMONT))

    assert desk.says("chloe", "add_override", **TAKES_OVER)
    with pytest.raises(Refused, match="people change their own shifts only"):
        desk.says("sylvie", "add_override", **{**TAKES_OVER, "add": "amina"})


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({**TAKES_OVER, "end": -1}, "end", "it is over already"),
        ({**TAKES_OVER, "start": 2}, "end", "it ends before it begins"),
        ({**TAKES_OVER, "end": 367}, "end", "it lasts more than 366 days"),
        ({**TAKES_OVER, "start": 401, "end": 402}, "end", "more than 400 days ahead"),
        ({**TAKES_OVER, "remove": "amina"}, "remove", "amina is not on call then"),
        ({**TAKES_OVER, "add": "bruno"}, "add", "nobody replaces themselves"),
        (
            {"kind": "remove", "remove": "bruno", "end": 1},
            "remove",
            "nobody else would be on call: name who takes over from bruno",
        ),
    ],
)
def test_a_mistake_is_refused_by_its_field(
    body: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as no:
        Changes().says("root", "add_override", **body, **MANAGER)

    assert no.value.field == field


def test_one_author_does_not_use_up_the_changes_that_others_may_make() -> None:
    desk = Changes()
    for _ in range(OWN_OPEN_MAX):
        desk.says("chloe", "add_override", kind="add", add="chloe", end=1)

    with pytest.raises(Refused, match=f"you made {OWN_OPEN_MAX} changes"):
        desk.says("chloe", "add_override", kind="add", add="chloe", end=1)
    assert desk.says("amina", "add_override", kind="add", add="amina", end=1)
    assert desk.says("sylvie", "add_override", kind="add", add="chloe", end=1)


def test_swaps_that_have_no_effect_any_more_leave_room_for_others() -> None:
    desk = Changes()
    for number in range(OWN_OPEN_MAX):
        desk.says("bruno", "request_swap", other="chloe", start=1, end=2)
        if number % 2:
            desk.says("chloe", "decline_swap", swap=f"astreinte.{desk.version}")
    desk.now = NOW + DAY  # the others expire

    for _ in range(OWN_OPEN_MAX):
        assert desk.says("bruno", "request_swap", other="chloe", start=1.5, end=2)


def test_nobody_is_put_on_call_who_is_not_at_the_desk() -> None:
    with pytest.raises(Refused, match="nobody is called chloe in the directory"):
        Changes().says(
            "root", "add_override", **TAKES_OVER, **MANAGER, strangers=["chloe"]
        )


def test_who_left_can_still_be_replaced() -> None:
    desk = Changes()

    assert desk.says("chloe", "add_override", **TAKES_OVER, strangers=["bruno"])


def test_one_of_two_may_leave() -> None:
    desk = Changes()
    desk.says("chloe", "add_override", kind="add", add="chloe", end=2)

    desk.says("bruno", "add_override", kind="remove", remove="bruno", end=2)

    assert desk.on_call(1) == ("chloe",)


def test_a_temporary_schedule_takes_precedence_for_a_while() -> None:
    desk = Changes()
    shifts = [
        {"people": ["amina", "chloe", "amina"], "start": NOW, "end": NOW + 12 * HOUR},
        {"people": ["bruno"], "start": NOW + 400 * HOUR, "end": NOW + 401 * HOUR},
    ]

    desk.says("sylvie", "add_temporary_schedule", end=2, shifts=shifts)

    assert [desk.on_call(day) for day in (0.2, 0.6)] == [("amina", "chloe"), ("bruno",)]
    assert len(desk.held.temporary["astreinte.1"].shifts) == 1
    desk.says("sylvie", "withdraw_temporary_schedule", temporary="astreinte.1")
    assert desk.on_call(0.2) == ("bruno",)


@pytest.mark.parametrize(
    ("who", "shifts", "sentence"),
    [
        ("amina", [(0, 12)], "people change their own shifts only"),
        ("sylvie", [(12, 0)], "it ends before it begins"),
        ("sylvie", [(600, 601)], "none of the shifts is in the period"),
        ("sylvie", [(0, 12)] * 200, "too many shifts at once"),
    ],
)
def test_a_temporary_schedule_is_refused(
    who: str, shifts: list[tuple[int, int]], sentence: str
) -> None:
    people = ["x" * 100] * 1 + [f"{n:03}" + "x" * 100 for n in range(19)]
    given = [
        {"people": people, "start": NOW + a * HOUR, "end": NOW + b * HOUR}
        for a, b in shifts
    ]
    with pytest.raises(Refused, match=sentence):
        Changes().says(who, "add_temporary_schedule", end=2, shifts=given)
