"""Each event of an incident has its sentence."""

import pytest

from services.projections.timeline.sentences import ENGLISH, sentence
from shared.events import EVENT_TYPES

_INCIDENTS = sorted(kind for kind in EVENT_TYPES if kind.startswith("incident."))


@pytest.mark.parametrize("kind", _INCIDENTS)
def test_every_event_of_an_incident_has_a_sentence(kind: str) -> None:
    assert kind in ENGLISH


@pytest.mark.parametrize("kind", _INCIDENTS)
def test_a_sentence_names_only_fields_its_event_has(kind: str) -> None:
    fields = set(EVENT_TYPES[kind].model_fields) | {"who"}
    for part in ENGLISH[kind]:
        flag, text = part if isinstance(part, tuple) else (None, part)
        named = {piece.split("}")[0] for piece in text.split("{")[1:]}
        assert named <= fields
        assert flag is None or flag in fields


@pytest.mark.parametrize("kind", _INCIDENTS)
def test_a_sentence_is_whole_without_what_may_be_left_out(kind: str) -> None:
    model = EVENT_TYPES[kind]
    needed = {
        name: name.upper()
        for name, field in model.model_fields.items()
        if field.is_required() and name not in {"at", "by", "incident", "policy"}
    }

    said = sentence(kind, "person:paul", needed)

    assert said.endswith(".")
    assert "{" not in said
    assert "  " not in said
    assert not said.startswith((" ", ",", ":", ";"))


def test_what_people_write_is_never_taken_for_a_place_to_fill() -> None:
    said = sentence("incident.informed", "person:paul", {"message": "{who} {0} {x!r}"})

    assert said == "paul told the user: “{who} {0} {x!r}”."


def test_an_event_of_tomorrow_is_named_as_it_is() -> None:
    assert sentence("incident.sung", "person:paul", {}) == "paul: incident.sung."


def test_a_severity_and_repeats_are_told_where_there_are_any() -> None:
    what = {"source": "prom", "severity": "error", "repeats": 4}

    assert sentence("incident.signalled", "source:prom", what) == (
        "prom signalled it again, 4 repeats with severity error."
    )
    assert sentence("incident.signalled", "source:prom", {"source": "prom"}) == (
        "prom signalled it."
    )
