"""What a change of the policy means, in words."""

from typing import Any

import pytest

from services.projections.api.policies.views import sentence
from services.projections.policies.rules import consequences
from shared.i18n.catalog import Language

TARGETS = {"standard": {"ttr": {"p3": "8h"}, "levels": {"n1": "20m"}}}
MANAGER = {
    "after": "15m",
    "priorities": ["p2"],
    "page": {"team": "apps", "who": "manager"},
}
NIGHT = {**MANAGER, "page": {"schedule": "night", "who": "on_call"}}


def _said(before: Any, after: Any, language: Language = "en") -> list[str]:
    return [sentence(each, language) for each in consequences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            {"targets": TARGETS},
            {"targets": {"standard": {**TARGETS["standard"], "ttr": {"p3": "4h"}}}},
            ["Time to resolve of P3 in standard goes from 8h to 4h."],
        ),
        (
            {"escalation": {"functional": [MANAGER]}},
            {"escalation": {"functional": [NIGHT]}},
            [
                (
                    "functional: step 1 is now P2 · 15m · the person on call in night; "
                    "it was P2 · 15m · the manager of apps."
                )
            ],
        ),
        (
            {"escalation": {"policies": {"quiet": {"steps": [MANAGER]}}}},
            {"escalation": {"policies": {"quiet": {"steps": []}}}},
            ["quiet: step 1 is left out: P2 · 15m · the manager of apps."],
        ),
        (
            {"escalation": {"policies": {"quiet": {"steps": [MANAGER], "repeat": 1}}}},
            {"escalation": {"policies": {"quiet": {"steps": [MANAGER], "repeat": 3}}}},
            ["escalation.policies.quiet.repeat goes from 1 to 3."],
        ),
        (
            {"teams": {"apps": {"members": ["ana", "bo"], "manager": "cy"}}},
            {"teams": {"apps": {"members": ["bo", "di"], "manager": "ed"}}},
            [
                "The manager of apps is ed instead of cy.",
                "di joins team apps.",
                "ana leaves team apps.",
            ],
        ),
        (
            {"teams": {"apps": {"members": ["ana", "bo"]}}},
            {"teams": {"apps": {"members": ["bo", "ana"]}}},
            [],
        ),
        (
            {"services": {"web": {"support": ["desk", "apps"]}}, "sources": {"a": {}}},
            {"services": {"web": {"support": ["desk", "night"]}}, "sources": {"b": {}}},
            [
                "Incidents of web go to desk, night instead of desk, apps.",
                "What source a sends is refused.",
                "Source b may send alerts.",
            ],
        ),
        (
            {"priorities": {"high": {"low": "p3"}}},
            {"priorities": {"high": {"low": "p2"}}},
            ["Impact high with urgency low becomes P2 instead of P3."],
        ),
        (
            {"desk": {"close_after": "10h"}},
            {"desk": {"close_after": "20h"}},
            ["desk.close_after goes from 10h to 20h."],
        ),
    ],
)
def test_a_change_is_said_in_the_words_of_those_whom_it_concerns(
    before: Any, after: Any, said: list[str]
) -> None:
    assert _said(before, after) == said


def test_a_step_with_other_conditions_is_not_passed_over() -> None:
    later = {**MANAGER, "unless": "accepted"}
    before = {"escalation": {"functional": [MANAGER]}}

    (said,) = _said(before, {"escalation": {"functional": [later]}})

    assert said.endswith("has other conditions.")


def test_sentences_are_in_the_language_of_the_reader() -> None:
    nobody: Any = {"teams": {"apps": {"members": []}}}

    assert _said(nobody, {"teams": {"apps": {"members": ["ana"]}}}, "fr") == [
        "ana rejoint l’équipe apps."
    ]
