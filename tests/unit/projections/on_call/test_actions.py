"""The forms of changes of who is on call: what they send, and where."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.projections.web.api_client import ApiError
from services.projections.web.on_call.actions import (
    ABSENCE,
    OVERRIDE,
    SWAP,
    TEMPORARY,
    Place,
    adapted,
    body_for,
    path_of,
    require_people,
)

SPAN = {
    "start": "2027-03-22T18:00",
    "start:zone": "Europe/Paris",
    "end": "2027-03-29T18:00",
    "end:zone": "Europe/Paris",
}
INSTANTS = {
    "start": "2027-03-22T18:00:00+01:00",
    "end": "2027-03-29T18:00:00+02:00",
}
NIGHT = Place("night", "Europe/Paris", ["primary"], ["ada", "bo"], {"ada": "Ada"})


@pytest.mark.parametrize(
    ("people", "sent"),
    [
        ({"add": "ada"}, {"kind": "add", "add": "ada"}),
        ({"remove": "bo"}, {"kind": "remove", "remove": "bo"}),
        (
            {"add": "ada", "remove": "bo"},
            {"kind": "replace", "add": "ada", "remove": "bo"},
        ),
    ],
)
def test_the_kind_of_an_override_follows_from_whom_the_form_names(
    people: Mapping[str, str], sent: Mapping[str, Any]
) -> None:
    assert body_for(OVERRIDE, {**SPAN, **people}) == {**sent, **INSTANTS}


def test_a_temporary_schedule_is_one_shift_of_everybody_ticked() -> None:
    form = {**SPAN, "people:ada": "yes", "people:bo": "yes"}

    assert body_for(TEMPORARY, form) == {
        **INSTANTS,
        "shifts": [{"people": ["ada", "bo"], **INSTANTS}],
    }


def test_a_command_is_sent_to_its_schedule_and_an_absence_to_its_person() -> None:
    assert path_of(SWAP, "a/b", {}) == "/v1/oncall/a%2Fb/swaps"
    form = {**SPAN, "person": "ada"}
    assert path_of(ABSENCE, "mine", form) == "/v1/people/ada/absences"
    assert body_for(ABSENCE, form) == INSTANTS


@pytest.mark.parametrize(
    ("action", "field"), [(OVERRIDE, "add"), (TEMPORARY, "people")]
)
def test_a_form_that_names_nobody_is_refused_at_the_field_to_fill_in(
    action: Any, field: str
) -> None:
    with pytest.raises(ApiError) as refused:
        require_people(action, SPAN)
    assert refused.value.fields == (field,)


def test_a_role_is_chosen_only_where_a_schedule_has_several() -> None:
    both = Place("night", "UTC", ["primary", "secondary"], ["ada"], {})

    assert "role" not in {each.name for each in adapted(OVERRIDE, NIGHT).fields}
    (*_, role) = adapted(OVERRIDE, both).fields
    assert role.choices == ("primary", "secondary")
