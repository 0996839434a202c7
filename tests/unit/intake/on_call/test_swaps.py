"""A swap takes the consent of the other; an absence lets the next participant come."""

from typing import Any

import pytest

from shared.domain.limits import Limits
from shared.domain.refusal import Refused
from tests.support.builders.on_call.changes import DAY, NOW, Changes

ASKS: dict[str, Any] = {
    "other": "chloe",
    "start": 1,
    "end": 2,
    "other_start": 8,
    "other_end": 9,
}
ID: dict[str, Any] = {"swap": "astreinte.1"}


def asked(**more: Any) -> Changes:
    desk = Changes()
    desk.says("bruno", "request_swap", **{**ASKS, **more})
    return desk


def both(desk: Changes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return desk.on_call(1.5), desk.on_call(8.5)


def test_a_swap_counts_once_the_other_accepts() -> None:
    desk = asked()
    before = both(desk)

    desk.says("chloe", "accept_swap", **ID)

    assert before == (("bruno",), ("chloe",))
    assert both(desk) == (("chloe",), ("bruno",))
    assert desk.says("chloe", "accept_swap", **ID) == []


def test_a_colleague_may_take_over_without_an_exchange() -> None:
    desk = asked(other_start=None, other_end=None)

    desk.says("chloe", "accept_swap", **ID)

    assert both(desk) == (("chloe",), ("chloe",))


@pytest.mark.parametrize(
    ("who", "verb"), [("chloe", "decline_swap"), ("bruno", "withdraw_swap")]
)
def test_a_swap_that_is_declined_or_withdrawn_has_no_effect(
    who: str, verb: str
) -> None:
    desk = asked()

    desk.says(who, verb, **ID)

    assert both(desk) == (("bruno",), ("chloe",))
    with pytest.raises(Refused, match=r"astreinte\.1 was (declined|withdrawn)"):
        desk.says("chloe", "accept_swap", **ID)


def test_a_swap_expires_when_its_first_shift_begins() -> None:
    desk = asked()
    desk.now = NOW + DAY

    with pytest.raises(Refused, match="was expired: ask for another swap"):
        desk.says("chloe", "accept_swap", **ID)


def test_somebody_who_left_the_desk_meanwhile_gets_no_shift_by_a_swap() -> None:
    with pytest.raises(Refused, match="nobody is called bruno in the directory"):
        asked().says("chloe", "accept_swap", strangers=["bruno"], **ID)

    gives_only = asked(other_start=None, other_end=None)
    assert gives_only.says("chloe", "accept_swap", strangers=["bruno"], **ID)


@pytest.mark.parametrize("who", ["bruno", "amina", "sylvie"])
def test_nobody_consents_for_another(who: str) -> None:
    with pytest.raises(Refused, match="only chloe can answer"):
        asked().says(who, "accept_swap", **ID)


def test_what_was_agreed_is_withdrawn_by_a_manager_only() -> None:
    desk = asked()
    desk.says("chloe", "accept_swap", **ID)

    with pytest.raises(Refused, match="chloe has agreed and counts on it"):
        desk.says("bruno", "withdraw_swap", **ID)
    desk.says("sylvie", "withdraw_swap", **ID)

    assert both(desk) == (("bruno",), ("chloe",))


def test_nobody_accepts_a_shift_that_is_not_the_others_any_more() -> None:
    desk = asked()
    desk.says(
        "amina", "add_override", kind="replace", add="amina", remove="bruno", end=6
    )

    with pytest.raises(Refused, match="bruno is not on call then"):
        desk.says("chloe", "accept_swap", **ID)


@pytest.mark.parametrize(
    ("more", "field", "sentence"),
    [
        ({"other": "bruno"}, "other", "nobody swaps with themselves"),
        ({"start": -1}, "start", "it has begun already"),
        ({"start": 8, "end": 9}, "start", "bruno is not on call then"),
        ({"other_start": 3, "other_end": 4}, "other_start", "chloe is not on call"),
        ({"other_start": 1.5, "other_end": 9}, "other_start", "two periods overlap"),
        ({"end": 1}, "end", "it ends before it begins"),
    ],
)
def test_a_request_that_cannot_be_is_refused_by_its_field(
    more: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as no:
        asked(**more)

    assert no.value.field == field


@pytest.mark.parametrize("verb", ["accept_swap", "withdraw_swap", "decline_swap"])
def test_a_swap_that_nobody_asked_for_is_unknown(verb: str) -> None:
    with pytest.raises(Refused, match=r"astreinte has no swap astreinte\.1") as no:
        Changes().says("chloe", verb, **ID)

    assert no.value.code == "unknown_on_call_change"


def test_the_next_participant_takes_the_turns_of_who_is_away() -> None:
    desk = Changes()

    desk.says("bruno", "add_absence", person="bruno", end=3)

    assert [desk.on_call(day) for day in (1, 3)] == [("chloe",), ("bruno",)]
    desk.now = NOW + DAY
    desk.says("bruno", "withdraw_absence", person="bruno", absence="bruno.1")
    assert [desk.on_call(day) for day in (0.9, 1)] == [("chloe",), ("bruno",)]


@pytest.mark.parametrize(
    ("who", "more", "may"),
    [
        ("bruno", {}, True),
        ("sylvie", {}, True),
        ("karim", {}, False),
        ("root", {"scopes": ("admin",)}, True),
        (
            "root",
            {"scopes": ("manager",), "limits": Limits(teams=frozenset(["etudes"]))},
            False,
        ),
    ],
)
def test_people_declare_their_own_absence_and_their_managers_may(
    who: str, more: dict[str, Any], *, may: bool
) -> None:
    desk = Changes()
    if may:
        assert desk.says(who, "add_absence", person="bruno", end=3, **more)
        return
    with pytest.raises(Refused, match="people declare their own absences"):
        desk.says(who, "add_absence", person="bruno", end=3, **more)
