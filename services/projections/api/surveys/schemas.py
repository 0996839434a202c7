"""What answers show of a survey: its definition, its results, and its actions."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer
from services.projections.generations import AsOf
from services.projections.metrics.queries import share
from shared.domain.events.survey.results import (
    Grouping,
    GroupResult,
    QuestionResult,
    SurveyResults,
    SurveyWarningKind,
)
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.surveys import QuestionsByVersion


class QuestionFigures(Answer):
    """The answers to a question."""

    version: str
    question: str
    texts: Mapping[str, str]
    """The question by language; empty if the policy does not have that version now."""
    counts: list[int]
    """How often 1, 2, 3, 4 and 5 were chosen; empty if too few people answered."""


class GroupFigures(Answer):
    """The answers about the incidents of a channel, service or team, or of a client."""

    by: Grouping
    name: str | None
    invited: int
    n: int
    satisfied: int | None
    share: float | None
    """Satisfied ÷ n; null if nobody or too few answered."""

    @classmethod
    def of(cls, found: GroupResult) -> Self:
        """Return the figures of a group."""
        return cls.model_validate(
            {**found.model_dump(), "share": _share(found.satisfied, found.n)}
        )


class SurveyFigures(Answer):
    """The results of a period; a share is never shown without its n."""

    invited: int
    responded: int
    """How many of those invited in the period answered by its end."""
    response_rate: float | None
    """Responded ÷ invited."""
    n: int
    """Answers in the period."""
    satisfied: int | None
    """Answers of 4 or more on average; null if too few answered."""
    share: float | None
    """Satisfied ÷ n."""
    questions: list[QuestionFigures]
    groups: list[GroupFigures]

    @classmethod
    def of(cls, found: SurveyResults, asked: QuestionsByVersion) -> Self:
        """Return the figures of results, with the questions as they were `asked`."""
        return cls(
            invited=found.invited,
            responded=found.responded,
            response_rate=share(found.responded, found.invited),
            n=found.n,
            satisfied=found.satisfied,
            share=_share(found.satisfied, found.n),
            questions=[_question(each, asked) for each in found.questions],
            groups=[GroupFigures.of(each) for each in found.groups],
        )


def _question(found: QuestionResult, asked: QuestionsByVersion) -> QuestionFigures:
    texts = {each.id: each.text for each in asked.get(found.version, ())}
    return QuestionFigures(
        version=found.version,
        question=found.question,
        texts=texts.get(found.question, {}),
        counts=list(found.counts),
    )


def _share(satisfied: int | None, n: int) -> float | None:
    return None if satisfied is None else share(satisfied, n)


class CommentView(Answer):
    """What somebody wrote beside their choices, which are not shown with it."""

    at: AwareDatetime
    """Of an anonymous comment, the beginning of the day on which it was appended."""
    person: str | None
    """Null: the survey is anonymous."""
    incident: IncidentRef | None
    """Null: the survey is anonymous, or of clients."""
    words: str | None
    """Null once its writer is forgotten."""


class PublishedResults(Answer):
    """Results as they were published: they never change."""

    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    published_at: AwareDatetime
    by: str
    min_answers: int
    figures: SurveyFigures


class ActionView(Answer):
    """An action on published results."""

    action: int
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    """The beginning of the published period."""
    owner: str
    task: str
    opened_at: AwareDatetime
    due_at: AwareDatetime
    done_at: AwareDatetime | None
    overdue: bool


class WarningView(Answer):
    """Something about the survey that was not followed up in time."""

    kind: SurveyWarningKind
    at: AwareDatetime
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    """The beginning of the period that it is about."""
    action: int | None
    settled: bool
    """Whether it was followed up: the results were published, or the action is done."""


class SurveyView(Answer):
    """A survey of the policy in force, with what was published and is to be done."""

    survey: str
    audience: Literal["users", "clients"]
    anonymous: bool
    version: str
    """The version of the questions in use."""
    publish: Literal["monthly", "each"]
    min_answers: int
    owner: str
    published: list[PublishedResults]
    """The newest first."""
    actions: list[ActionView]
    """Those that are not done first, by their due date."""
    warnings: list[WarningView]
    """The newest first."""


class Surveys(Answer):
    """The surveys of the policy in force, by name."""

    items: list[SurveyView]
    zone: str
    as_of: AsOf


class SurveyPeriod(Answer):
    """The results of a period, computed from the log."""

    survey: SurveyView
    from_: Annotated[AwareDatetime, Field(serialization_alias="from")]
    to: AwareDatetime
    zone: str
    complete: bool
    """Whether the period is over."""
    figures: SurveyFigures
    published: PublishedResults | None
    """What was published for exactly this period."""
    comments: list[CommentView]
    """The newest first; at most 200. Those with a person are for the owner alone."""
    withheld: list[Literal["comments", "figures"]]
    """What is left out since only the owner of the survey sees it: comments with a
    person, figures of fewer than five answers."""
    as_published: bool | None
    """Whether the log gives today what was published; null if nothing was."""
    answers_wait: bool
    """Whether anonymous answers wait until there are enough alike: they count in the
    month in which they are appended."""
    as_of: AsOf
