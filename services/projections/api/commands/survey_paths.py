"""The paths of commands on the results of surveys, and on the actions that follow."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Path

from services.projections.api.commands.messages import Message, NewRecord, with_path
from shared.domain.commands.survey import (
    CompleteSurveyAction,
    OpenSurveyAction,
    PublishSurvey,
    SurveyCommand,
)
from shared.domain.policy.clause import Name

SurveyPath = Annotated[Name, Path(description="A survey: `after-incident`.")]
SurveyActionPath = Annotated[
    int, Path(ge=1, le=100_000, description="The number of an action of the survey.")
]


class SurveyRoute(NamedTuple):
    """A path, the body that it takes, and the dependency that makes the command."""

    path: str
    body: type[SurveyCommand]
    message: Callable[..., Awaitable[Message]]


async def about_survey(survey: SurveyPath, message: NewRecord) -> Message:
    """Return a command about a survey as a whole."""
    return message.model_copy(update={"body": with_path(message, "survey", survey)})


async def about_survey_action(
    action: SurveyActionPath, message: Annotated[Message, Depends(about_survey)]
) -> Message:
    """Return a command about an action of a survey."""
    body = with_path(message, "action", action)
    return message.model_copy(update={"body": body})


_SURVEY = "/v1/surveys/{survey}"
_ACTIONS = f"{_SURVEY}/actions"

SURVEY_PATHS = (
    SurveyRoute(f"{_SURVEY}/publish", PublishSurvey, about_survey),
    SurveyRoute(_ACTIONS, OpenSurveyAction, about_survey),
    SurveyRoute(
        f"{_ACTIONS}/{{action}}/done", CompleteSurveyAction, about_survey_action
    ),
)
