"""What a survey link shows, and the answer that it takes."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.projections.api.answers import Answer
from shared.domain.bounded_text import Words
from shared.domain.commands.survey import CHOICES_MAX
from shared.domain.events.survey import Choice
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name
from shared.domain.policy.surveys import Dimension
from shared.i18n.catalog import Language


class SurveyQuestionText(Answer):
    """A question, in the reader's language; its answers are 1 to 5."""

    id: str
    text: str


class PublishedFigures(Answer):
    """What was published of the survey: for those who took part in it."""

    first: date
    """The first day of the period, in the time zone of the desk."""
    last: date
    first_text: str
    last_text: str
    """Both days in the reader's words."""
    invited: int
    n: int
    share: float | None
    """Satisfied answers ÷ n; null if too few answered."""


class SurveyToAnswer(Answer):
    """A survey, as far as it may be shown without signing in: no words of people."""

    incident: IncidentRef | None
    """Null: a client is asked, not about an incident."""
    service: str | None
    """The name of its service, in the reader's language."""
    state: Literal["open", "answered", "expired"]
    questions: list[SurveyQuestionText]
    expires_at: AwareDatetime
    expires_text: str
    """The same in the reader's words and time zone."""
    language: Language
    anonymous: bool
    """Whether the answer is kept without the person, the incident and the time."""
    owner: str
    """The name of the survey's owner: nobody else at the desk reads a named answer."""
    kept: list[Dimension]
    """What an anonymous answer keeps of the incident."""
    published: list[PublishedFigures]
    """The newest results that were published, once it is answered; at most 3."""


class SurveyAnswerBody(BaseModel):
    """The answer: a choice for each question, and perhaps a comment."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    choices: Annotated[Mapping[Name, Choice], Field(max_length=CHOICES_MAX)]
    """By the id of the question: from 1, the worst, to 5, the best."""
    comment: Words | None = None
