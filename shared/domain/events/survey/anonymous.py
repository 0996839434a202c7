"""The events of anonymous answers, which were taken from the pool together.

The streams `survey-answers-<survey>` are written only by intake. Answers and comments
are shuffled before they are appended, and have the beginning of the day on which they
were appended as their instant: neither tells when, or by whom, they were given.
"""

from collections.abc import Mapping
from typing import Literal

from shared.domain.events.event import Event, Text
from shared.domain.events.survey import Choice
from shared.domain.policy.clause import Name
from shared.domain.policy.surveys import Dimension, SurveyVersion
from shared.domain.policy.targets import Channel


class SurveyAnswerReleased(Event):
    """An anonymous answer was appended, among at least four others like it."""

    type: Literal["survey.answer_released"] = "survey.answer_released"
    survey: Name
    version: SurveyVersion
    choices: Mapping[Name, Choice]
    """The choice for each question, by its id."""
    kept: tuple[Dimension, ...] = ()
    """What is kept of the incident; less than the survey names if too few answers were
    about the same."""
    channel: Channel | None = None
    service: str | None = None
    team: str | None = None


class SurveyCommentReleased(Event):
    """A comment of an anonymous answer was appended, apart from its choices."""

    type: Literal["survey.comment_released"] = "survey.comment_released"
    survey: Name
    version: SurveyVersion
    comment: Text


AnonymousEvent = SurveyAnswerReleased | SurveyCommentReleased
