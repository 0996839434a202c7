"""Who is asked about a closed incident, and which answers are taken."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.surveys.rules import (
    NEWS,
    answer,
    in_sample,
    invitation,
    is_news,
    workers_of,
)
from shared.domain.commands.survey import AnswerSurvey
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentClosed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.events.survey import SurveyInvited
from shared.domain.incident import replay
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import UserSurvey
from shared.domain.refusal import Refused
from shared.domain.survey.invitation import replay_survey
from tests.support.policies import full
from tests.unit.intake.commands.scenario import INC, LATER, event, opened, reported

DAY = timedelta(days=1)
NOW = LATER + timedelta(hours=1)
ALL = ("sample: 25%", "sample: 100%")
POLICY = full(ALL)
closed = (
    event(IncidentRestored),
    event(IncidentResolved, cycle=1),
    event(IncidentClosed),
)

REOPENED = event(IncidentReopened, cycle=2, cause="user", after_closure=True)


def invited(
    *history: Any, asked: timedelta | None = None, policy: Policy = POLICY
) -> SurveyInvited | None:
    """Return the invitation after a history, `asked` so long after the last one."""
    incident = replay(history)
    assert incident is not None
    before = None if asked is None else NOW - asked
    return invitation(incident, workers_of(history), before, (1, policy), NOW)


def an_invitation() -> SurveyInvited:
    found = invited(reported(), *closed)
    assert found is not None
    return found


def test_the_first_user_is_asked_about_a_closed_incident() -> None:
    found = an_invitation()

    assert (found.incident, found.person) == (INC, "lefevre")
    assert (found.survey, found.version) == ("voyageurs", "v2")
    assert (found.service, found.team) == ("billetterie", "accueil")
    assert found.expires_at == NOW + 7 * DAY
    assert found.remind_at is None


def test_a_reminder_is_due_when_the_policy_says() -> None:
    policy = full(ALL, ("expires_days: 7\n", "expires_days: 7\n    remind_days: 3\n"))

    found = invited(reported(), *closed, policy=policy)

    assert found is not None
    assert found.remind_at == NOW + 3 * DAY


@pytest.mark.parametrize(
    "history",
    [
        pytest.param((reported(), *closed[:2]), id="it is not closed"),
        pytest.param(
            (reported(), *closed, REOPENED),
            id="it was reopened",
        ),
        pytest.param((opened(), *closed), id="no user reported it"),
        pytest.param((reported(service="horaires"), *closed), id="not in the scope"),
        pytest.param(
            (
                reported(),
                event(IncidentAssigned, team="exploitation", assignee="lefevre"),
                *closed,
            ),
            id="the user was assigned to it",
        ),
        pytest.param(
            (reported(), event(IncidentAcknowledged, by="person:lefevre"), *closed),
            id="the user took it on",
        ),
    ],
)
def test_nobody_is_asked(history: tuple[Any, ...]) -> None:
    assert invited(*history) is None


@pytest.mark.parametrize(("days", "again"), [(29, False), (30, True)])
def test_a_user_is_asked_again_after_the_days_of_the_survey(
    days: int, again: bool
) -> None:
    found = invited(reported(), *closed, asked=days * DAY)

    assert (found is not None) is again


@pytest.mark.parametrize(
    "change",
    [
        ("scope: {services: [billetterie]}", "scope: {channels: [phone]}"),
        ("scope: {services: [billetterie]}", "scope: {clients: [fret]}"),
    ],
)
def test_nobody_is_asked_by_a_survey_about_others(
    change: tuple[str, str],
) -> None:
    assert invited(reported(), *closed, policy=full(ALL, change)) is None


def test_an_invitation_says_what_an_anonymous_answer_keeps() -> None:
    change = (
        "    min_answers: 8\n",
        "    min_answers: 8\n    anonymous: {by: [team]}\n",
    )
    found = invited(reported(), *closed, policy=full(ALL, change))

    assert found is not None
    assert found.kept == ("team",)
    assert an_invitation().kept is None


def test_a_sample_is_always_the_same_and_about_as_large_as_the_policy_says() -> None:
    survey = full().surveys["voyageurs"]
    assert isinstance(survey, UserSurvey)
    refs = [f"INC-{number:06d}" for number in range(2_000)]

    drawn = [ref for ref in refs if in_sample("voyageurs", ref, survey)]

    assert 400 < len(drawn) < 600
    assert drawn == [ref for ref in refs if in_sample("voyageurs", ref, survey)]


def test_a_closure_that_is_read_late_is_not_asked_about() -> None:
    assert is_news(NOW - NEWS, NOW)
    assert not is_news(NOW - NEWS - timedelta(seconds=1), NOW)


def answered(
    choices: dict[str, int] | None = None,
    actor: str = "person:lefevre",
    later: timedelta = DAY,
    *before: Any,
) -> Any:
    command = AnswerSurvey(
        invitation=INC, choices=choices or {"content": 4}, comment="ok"
    )
    questions = POLICY.surveys["voyageurs"].questions["v2"]
    held = replay_survey([an_invitation(), *before])
    return answer(held, questions, command, actor, NOW + later)


def test_an_answer_is_recorded_once_with_its_words_sealed_for_the_user() -> None:
    first = answered()

    assert (first.choices, first.comment) == ({"content": 4}, "ok")
    assert (first.whose, first.version) == ("person:lefevre", "v2")
    assert answered({"content": 1}, "person:lefevre", 2 * DAY, first) is None


@pytest.mark.parametrize(
    ("choices", "actor", "later", "words"),
    [
        ({"content": 4, "x": 1}, "person:lefevre", DAY, "no question `x`"),
        ({"x": 1}, "person:lefevre", DAY, "no question `x`"),
        ({"content": 4}, "person:odette", DAY, "no invitation"),
        ({"content": 4}, "person:lefevre", 7 * DAY, "the time to answer is over"),
    ],
)
def test_an_answer_is_refused(
    choices: dict[str, int], actor: str, later: timedelta, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        answered(choices, actor, later)


def test_each_question_takes_an_answer() -> None:
    questions = POLICY.surveys["clients"].questions["v1"]
    held = replay_survey([an_invitation()])
    command = AnswerSurvey(invitation=INC, choices={})

    with pytest.raises(Refused, match="choose an answer to `confiance`"):
        answer(held, questions, command, "person:lefevre", NOW)
