"""Which commands on a review are possible: by its status, and for whom. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.domain.commands.review import (
    AssignReview,
    ChooseFacts,
    OpenReviewAction,
    PublishReview,
    ReturnReview,
    ReviewCommand,
    ReviseReview,
    SubmitReview,
    WriteReview,
)
from shared.domain.review.state import Review, ReviewStatus

STATUSES: Mapping[type[ReviewCommand], ReviewStatus] = {
    WriteReview: ReviewStatus.DRAFT,
    ChooseFacts: ReviewStatus.DRAFT,
    SubmitReview: ReviewStatus.DRAFT,
    ReturnReview: ReviewStatus.IN_REVIEW,
    PublishReview: ReviewStatus.IN_REVIEW,
    ReviseReview: ReviewStatus.PUBLISHED,
}
"""The status in which a command is possible; all others are, in every status."""
_FOR_THE_RESPONSIBLE = (ReviseReview, AssignReview)


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody is for a review."""

    person: str
    commands: bool
    """Whether they may give commands about the incident."""
    leads: bool
    """Whether they manage the desk, or the team of the incident."""


def possible(held: Review, role: Role) -> Iterator[str]:
    """Yield the verbs of the commands on a review as a whole that somebody may give."""
    if not role.commands:
        return
    is_responsible = role.leads or role.person == held.owner
    for body in (*STATUSES, AssignReview, OpenReviewAction):
        if STATUSES.get(body, held.status) is not held.status:
            continue
        if body is PublishReview and not role.leads:
            continue
        if body in _FOR_THE_RESPONSIBLE and not is_responsible:
            continue
        yield body.verb
