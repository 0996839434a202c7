"""The commands on the review after an incident: the body of each, one for each verb.

Intake owns the streams of reviews. Each command names the incident, so that the limits
of rights are those of the incident.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.bounded_text import Reason, Words
from shared.domain.commands.incident import CommandBody
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name, Person
from shared.domain.policy.local_times import Day
from shared.domain.review.facts import FACTS_MAX

ActionNumber = Annotated[int, Field(ge=1, le=100_000)]
"""The number of an action of a review."""


class _ReviewBody(CommandBody):
    aggregate: ClassVar[str] = "incident"


class OpenReview(_ReviewBody):
    """Open a review of an incident whose service is restored."""

    verb: ClassVar[str] = "open_review"
    owner: Person | None = None
    """Who is to publish it. Default: the caller."""


class WriteReview(_ReviewBody):
    """Write a section of a draft. Earlier revisions of it are kept."""

    verb: ClassVar[str] = "write_review"
    section: Name
    text: Words
    after: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The revision that the text is based on, 0 for none: refused if there is a newer
    one. Default: whatever is there."""


class ChooseFacts(_ReviewBody):
    """Choose which facts of the log a draft leaves out."""

    verb: ClassVar[str] = "choose_review_facts"
    left_out: Annotated[
        tuple[Annotated[int, Field(ge=1, le=2**53)], ...], Field(max_length=FACTS_MAX)
    ]
    """The positions of these facts: it replaces an earlier choice."""


class AssignReview(_ReviewBody):
    """Assign the review to somebody else, who is then to publish it."""

    verb: ClassVar[str] = "assign_review"
    owner: Person


class SubmitReview(_ReviewBody):
    """Submit a draft: others are to read it before it is published."""

    verb: ClassVar[str] = "submit_review"


class ReturnReview(_ReviewBody):
    """Return a submitted review to its authors."""

    verb: ClassVar[str] = "return_review"
    reason: Reason


class PublishReview(_ReviewBody):
    """Publish a submitted review as a new edition, which never changes afterwards.

    The manager of the incident's team or a manager of the desk may.
    """

    verb: ClassVar[str] = "publish_review"


class ReviseReview(_ReviewBody):
    """Correct a published review: the next edition begins as a draft."""

    verb: ClassVar[str] = "revise_review"
    reason: Reason


class OpenReviewAction(_ReviewBody):
    """Open an action: somebody is to do something until a day."""

    verb: ClassVar[str] = "open_review_action"
    owner: Person
    due: Day
    """The last day on which it is done in time, in the time zone of the desk."""
    task: Reason


class AssignReviewAction(_ReviewBody):
    """Assign an open action to another owner, or to another day."""

    verb: ClassVar[str] = "assign_review_action"
    action: ActionNumber
    owner: Person | None = None
    """Default: it keeps its owner."""
    due: Day | None = None
    """Default: it keeps its day."""
    reason: Reason


class CompleteReviewAction(_ReviewBody):
    """Record that an action is done."""

    verb: ClassVar[str] = "complete_review_action"
    action: ActionNumber
    note: Reason | None = None


class DropReviewAction(_ReviewBody):
    """Record that an action is not going to be done."""

    verb: ClassVar[str] = "drop_review_action"
    action: ActionNumber
    reason: Reason


ReviewCommand = (
    OpenReview
    | WriteReview
    | ChooseFacts
    | AssignReview
    | SubmitReview
    | ReturnReview
    | PublishReview
    | ReviseReview
    | OpenReviewAction
    | AssignReviewAction
    | CompleteReviewAction
    | DropReviewAction
)

BODIES: Mapping[str, type[ReviewCommand]] = {
    kind.verb: kind for kind in get_args(ReviewCommand)
}
"""The body of each verb."""


class ReviewAnswer(BaseModel):
    """The outcome of a command on a review, as that of other commands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: Literal["recorded", "already", "repeated"]
    incident: IncidentRef
    action: int | None = None
    """The number of the action that the command is about."""
    version: int
    """The version of the review after it."""
    positions: list[int]
