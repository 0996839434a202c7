"""Surveys in a policy: what would never take effect, or tell who answered."""

import pytest

from shared.domain.policy.surveys import version_in_use
from tests.support.policies import full, mistakes

_USERS = "    min_answers: 8\n"
_CLIENTS = "expires_days: 21,"
_QUESTION = '{id: content, scale: 1-5, text: {fr: "Satisfait ?", nl: "Tevreden?"}}'


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (
            (_USERS, "    min_answers: 4\n"),
            "voyageurs.min_answers",
            "write at least 5 for a survey of users",
        ),
        (
            (_CLIENTS, f"{_CLIENTS} anonymous: {{}},"),
            "clients.min_answers",
            "write at least 5 for an anonymous survey",
        ),
        (
            (_USERS, f"{_USERS}    remind_days: 7\n"),
            "voyageurs.remind_days",
            "write less than `expires_days`",
        ),
        (
            (_QUESTION, f"{_QUESTION}, {_QUESTION}"),
            "voyageurs.questions.v2[1].id",
            "`content` is given twice",
        ),
        (
            (_CLIENTS, f"{_CLIENTS} min_answers: 5, anonymous: {{by: [team]}},"),
            "clients.anonymous.by",
            "about no incident",
        ),
        (
            (_USERS, f"{_USERS}    anonymous: {{by: [team, team]}}\n"),
            "voyageurs.anonymous.by",
            "name each dimension once",
        ),
        (
            ("    owner: ghislaine\n", "    owner: inconnue\n"),
            "voyageurs.owner",
            "`inconnue` is in no team",
        ),
    ],
)
def test_a_survey_that_cannot_work_is_refused_by_field(
    change: tuple[str, str], path: str, words: str
) -> None:
    (found,) = mistakes(change)

    assert found.path == f"surveys.{path}"
    assert words in found.sentence


def test_the_highest_version_of_the_questions_is_in_use() -> None:
    questions = "questions: {v10: [{id: a, fr: A, nl: A}], v9: [{id: b, fr: B, nl: B}],"
    policy = full(
        ("questions: {v1: [{id: content, fr", f"{questions} v1: [{{id: content, fr")
    )

    assert version_in_use(policy.surveys["voyageurs"]) == "v10"
