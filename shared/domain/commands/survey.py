"""The commands on surveys: the body of each request, one class for each verb.

Intake owns the streams of surveys. Only the person in a survey link answers; the owner
of a survey and managers publish its results and see to what follows of them.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.bounded_text import Reason, Words
from shared.domain.commands.incident import CommandBody
from shared.domain.events.survey import Choice
from shared.domain.identifiers import InvitationRef
from shared.domain.policy.clause import Name, Person
from shared.domain.policy.local_times import Day

CHOICES_MAX = 20
"""The maximum number of questions of a survey."""


class AnswerSurvey(CommandBody):
    """Answer a survey, as the person who was asked.

    An answer counts once and is final: a later one has the outcome `already`.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "answer_survey"
    invitation: InvitationRef
    """Of the survey about an incident, the reference of the incident."""
    choices: Annotated[Mapping[Name, Choice], Field(max_length=CHOICES_MAX)]
    """The choice for each question, by its id: from 1, the worst, to 5, the best."""
    comment: Words | None = None


class SurveyAnswer(BaseModel):
    """The outcome: `recorded`, or `already` if an answer was recorded before."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already"]
    invitation: InvitationRef
    version: int
    """The version of the stream of the invitation after it."""
    positions: list[int]


class PublishSurvey(CommandBody):
    """Publish the results of a period that is over: they never change afterwards.

    The owner of the survey or a manager may. A survey that is published monthly takes a
    whole month; no day is published twice.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "publish_survey"
    survey: Name
    from_: Annotated[Day, Field(alias="from")]
    """The first day of the period, in the time zone of the desk."""
    to: Day
    """The day after the last."""


class OpenSurveyAction(CommandBody):
    """Open an action on published results, for somebody to do until a day.

    The owner of the survey or a manager may.
    """

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "open_survey_action"
    survey: Name
    from_: Annotated[Day, Field(alias="from")]
    """The first day of the published period."""
    owner: Person
    due: Day
    """The last day on which it is done in time, in the time zone of the desk."""
    task: Reason


class CompleteSurveyAction(CommandBody):
    """Record that an action is done: its owner, that of the survey or a manager may."""

    aggregate: ClassVar[str] = "person"
    verb: ClassVar[str] = "complete_survey_action"
    survey: Name
    action: Annotated[int, Field(ge=1, le=100_000)]
    note: Reason | None = None


SurveyCommand = PublishSurvey | OpenSurveyAction | CompleteSurveyAction

BODIES: Mapping[str, type[SurveyCommand]] = {
    kind.verb: kind for kind in get_args(SurveyCommand)
}
"""The body of each verb for people at the desk."""


class SurveyRecordAnswer(BaseModel):
    """The outcome of a command about a survey, as that of other commands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already", "repeated"]
    survey: Name
    action: int | None = None
    """The number of the action that was opened or done."""
    version: int
    """The version of the survey after it."""
    positions: list[int]
