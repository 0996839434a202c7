"""The paths of commands on the review of an incident, and on its actions."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Path

from services.projections.api.commands.messages import (
    Message,
    about_incident,
    with_path,
)
from shared.domain.commands.review import (
    AssignReview,
    AssignReviewAction,
    ChooseFacts,
    CompleteReviewAction,
    DropReviewAction,
    OpenReview,
    OpenReviewAction,
    PublishReview,
    ReturnReview,
    ReviewCommand,
    ReviseReview,
    SubmitReview,
    WriteReview,
)
from shared.domain.policy.clause import Name

SectionPath = Annotated[Name, Path(description="A section of the review: `causes`.")]
ReviewActionPath = Annotated[
    int, Path(ge=1, le=100_000, description="The number of an action of the review.")
]
_OfIncident = Annotated[Message, Depends(about_incident)]


class ReviewRoute(NamedTuple):
    """A path, the body that it takes, and the dependency that makes the command."""

    path: str
    body: type[ReviewCommand]
    message: Callable[..., Awaitable[Message]]


async def about_section(section: SectionPath, message: _OfIncident) -> Message:
    """Return a command about a section of a review."""
    return message.model_copy(update={"body": with_path(message, "section", section)})


async def about_review_action(
    action: ReviewActionPath, message: _OfIncident
) -> Message:
    """Return a command about an action of a review."""
    return message.model_copy(update={"body": with_path(message, "action", action)})


_REVIEW = "/v1/incidents/{ref}/review"
_ACTION = f"{_REVIEW}/actions/{{action}}"

REVIEW_PATHS = (
    ReviewRoute(_REVIEW, OpenReview, about_incident),
    ReviewRoute(f"{_REVIEW}/sections/{{section}}", WriteReview, about_section),
    ReviewRoute(f"{_REVIEW}/facts", ChooseFacts, about_incident),
    ReviewRoute(f"{_REVIEW}/assign", AssignReview, about_incident),
    ReviewRoute(f"{_REVIEW}/submit", SubmitReview, about_incident),
    ReviewRoute(f"{_REVIEW}/return", ReturnReview, about_incident),
    ReviewRoute(f"{_REVIEW}/publish", PublishReview, about_incident),
    ReviewRoute(f"{_REVIEW}/revise", ReviseReview, about_incident),
    ReviewRoute(f"{_REVIEW}/actions", OpenReviewAction, about_incident),
    ReviewRoute(f"{_ACTION}/assign", AssignReviewAction, about_review_action),
    ReviewRoute(f"{_ACTION}/done", CompleteReviewAction, about_review_action),
    ReviewRoute(f"{_ACTION}/drop", DropReviewAction, about_review_action),
)
