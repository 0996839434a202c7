"""The events of a survey as a whole: its published results, and what follows of them.

The streams `survey-results-<survey>` are written only by intake.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.policy.clause import Name
from shared.domain.policy.surveys import Dimension, SurveyVersion

Grouping = Dimension | Literal["client"]
"""What answers are divided by: those of clients by the client."""


class _Figures(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True
    )


class QuestionResult(_Figures):
    """The answers to a question of a version of the questions."""

    version: SurveyVersion
    question: Name
    counts: tuple[int, ...] = ()
    """How often 1, 2, 3, 4 and 5 were chosen; empty if too few people answered."""


class GroupResult(_Figures):
    """The answers about the incidents of a channel, service or team, or of a client."""

    by: Grouping
    name: str | None = None
    """Null: the incident had none, or an anonymous answer does not keep it."""
    invited: int
    n: int
    """How many answered."""
    satisfied: int | None = None
    """How many of them were satisfied; null if too few answered."""


class SurveyResults(_Figures):
    """What users answered in a period; all of it can be computed from the log again."""

    invited: int
    """Invitations that were recorded in the period."""
    responded: int
    """How many of these were answered by the end of the period. Of anonymous surveys,
    the answers that were recorded in it."""
    n: int
    """Answers that were recorded in the period."""
    satisfied: int | None = None
    """How many of them chose 4 or more on average; null if there are too few."""
    questions: tuple[QuestionResult, ...]
    groups: tuple[GroupResult, ...]


class SurveyPublished(Event):
    """The results of a period, [start, end), were published; they never change."""

    type: Literal["survey.published"] = "survey.published"
    survey: Name
    policy: int
    start: AwareDatetime
    end: AwareDatetime
    min_answers: int
    """Fewer answers than this are shown without figures."""
    results: SurveyResults


class SurveyActionOpened(Event):
    """Somebody is to do something about the published results of a period."""

    type: Literal["survey.action_opened"] = "survey.action_opened"
    survey: Name
    action: int
    """Numbered within the survey, from 1."""
    start: AwareDatetime
    """The beginning of the published period."""
    owner: PersonId
    due_at: AwareDatetime
    """The action is overdue from this instant on."""
    task: Text


class SurveyActionDone(Event):
    """An action was done."""

    type: Literal["survey.action_done"] = "survey.action_done"
    survey: Name
    action: int
    note: Text | None = None


class SurveyOpened(Event):
    """A survey of clients began to ask in a period, [start, end)."""

    type: Literal["survey.opened"] = "survey.opened"
    survey: Name
    version: SurveyVersion
    """The version of the questions."""
    policy: int
    start: AwareDatetime
    end: AwareDatetime
    closes_at: AwareDatetime
    """From this instant on nobody answers any more."""
    invited: int
    """How many contacts of clients were asked."""


class SurveyClosed(Event):
    """A survey of clients takes no more answers in a period."""

    type: Literal["survey.closed"] = "survey.closed"
    survey: Name
    start: AwareDatetime
    """The beginning of the period."""


SurveyWarningKind = Literal["not_asked", "not_published", "action_overdue"]


class SurveyWarned(Event):
    """Something about a survey was not followed up; each warning is recorded once."""

    type: Literal["survey.warned"] = "survey.warned"
    survey: Name
    policy: int
    kind: SurveyWarningKind
    """`not_asked`: nobody was asked in a period. `not_published`: its results are not
    published in time. `action_overdue`: an action is not done in time."""
    start: AwareDatetime
    """The beginning of the period that it is about."""
    action: int | None = None
    owner: PersonId
    """Who is told: the owner of the survey, or of the action."""


SurveyResultEvent = (
    SurveyPublished
    | SurveyActionOpened
    | SurveyActionDone
    | SurveyWarned
    | SurveyOpened
    | SurveyClosed
)
