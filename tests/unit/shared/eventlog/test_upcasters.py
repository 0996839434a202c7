"""Old shapes of events are read in today's shape, one small step after the other."""

from typing import Any

import pytest

from shared.domain.events.upcasters import STEPS, NewerShape, newest, upcast


def _person_to_by(document: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in document.items() if k != "who"} | {"by": document["who"]}


def _prefixed(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"by": f"person:{document['by']}"}


TWO_STEPS = {
    ("incident.closed", 1): _person_to_by,
    ("incident.closed", 2): _prefixed,
    ("incident.opened", 1): _prefixed,
}


def test_the_first_shape_goes_through_every_step() -> None:
    assert upcast("incident.closed", {"who": "nadia"}, TWO_STEPS) == {
        "by": "person:nadia",
        "v": 3,
    }


def test_a_shape_in_between_goes_through_the_rest() -> None:
    assert upcast("incident.closed", {"by": "nadia", "v": 2}, TWO_STEPS) == {
        "by": "person:nadia",
        "v": 3,
    }


def test_todays_shape_stays_as_it_is() -> None:
    document = {"by": "person:nadia", "v": 3}

    assert upcast("incident.closed", document, TWO_STEPS) is document


def test_a_step_does_not_change_what_was_stored() -> None:
    stored = {"who": "nadia"}

    upcast("incident.closed", stored, TWO_STEPS)

    assert stored == {"who": "nadia"}


def test_a_shape_from_the_future_is_not_guessed() -> None:
    with pytest.raises(NewerShape, match=r"incident\.closed in shape 4"):
        upcast("incident.closed", {"v": 4}, TWO_STEPS)


def test_the_newest_shape_is_one_past_the_last_step() -> None:
    assert newest("incident.closed", TWO_STEPS) == 3
    assert newest("incident.paused", TWO_STEPS) == 1


def test_no_step_is_missing_between_others() -> None:
    for type_, shape in STEPS:
        assert shape == 1 or (type_, shape - 1) in STEPS
