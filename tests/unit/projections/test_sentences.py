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
        "prom signalled it with severity error (repeats: 4)."
    )
    assert sentence("incident.signalled", "source:prom", {"source": "prom"}) == (
        "prom signalled it."
    )


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("Restarted", "zoe resolved it: Restarted."),
        ("Restarted.", "zoe resolved it: Restarted."),
        ("Really?!", "zoe resolved it: Really?!"),
    ],
)
def test_a_sentence_ends_once(note: str, told: str) -> None:
    assert sentence("incident.resolved", "person:zoe", {"note": note}) == told


def test_a_quoted_question_needs_no_full_stop() -> None:
    what = {"reason": "user", "question": "Which browser?"}

    assert sentence("incident.paused", "person:paul", what) == (
        "paul paused it, waiting for the user, and asked: “Which browser?”"
    )


def test_reasons_are_told_one_after_the_other() -> None:
    what = {
        "title": "No mail",
        "service": "mail",
        "priority": "p1",
        "team": "desk",
        "reporter": "zoe",
        "override": True,
        "override_reason": "The board meets.",
        "backdated_because": "The desk was away.",
    }

    assert sentence("incident.opened", "person:paul", what) == (
        "paul opened the incident “No mail” on service mail with priority P1 for team "
        "desk as reported by zoe; its priority was set by hand, because: The board "
        "meets; recorded late, because: The desk was away."
    )


def test_a_second_life_says_why_and_which() -> None:
    what = {"cause": "user", "cycle": 2, "after_closure": True, "reason": "It is back"}

    assert sentence("incident.reopened", "person:paul", what) == (
        "paul reopened it after it was closed (user, cycle 2): It is back."
    )
