"""The events of the review after an incident, and of the actions it leads to.

The streams `review-<incident>` are written only by intake. Texts are never overwritten:
each is a new revision of its section, and an edition names the revisions and the facts
that it consists of. So a published edition never changes, except that the words of
people who were forgotten are blank.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name

ReviewCause = Literal["by_hand", "priority", "breached"]


class ReviewOpened(Event):
    """A review of an incident was opened: `owner` is to publish it until `due_at`."""

    type: Literal["review.opened"] = "review.opened"
    incident: IncidentRef
    policy: int
    """The version of the policy with the template of its sections."""
    cause: ReviewCause
    """`priority` and `breached`: the policy requires it."""
    owner: PersonId
    due_at: AwareDatetime
    """The review is overdue from this instant on."""
    sections: tuple[Name, ...]


class ReviewWritten(Event):
    """A section was written; earlier revisions of it are kept."""

    type: Literal["review.written"] = "review.written"
    incident: IncidentRef
    section: Name
    revision: int
    """Numbered within the section, from 1."""
    text: Text


class ReviewFactsChosen(Event):
    """The author chose which facts of the log the review leaves out, by position."""

    type: Literal["review.facts_chosen"] = "review.facts_chosen"
    incident: IncidentRef
    left_out: tuple[int, ...]
    """All of them: it replaces an earlier choice."""


class ReviewAssigned(Event):
    """Somebody else is to publish the review."""

    type: Literal["review.assigned"] = "review.assigned"
    incident: IncidentRef
    owner: PersonId


class ReviewSubmitted(Event):
    """The draft is complete: others are to read it."""

    type: Literal["review.submitted"] = "review.submitted"
    incident: IncidentRef


class ReviewReturned(Event):
    """The review was returned to its authors, for `reason`."""

    type: Literal["review.returned"] = "review.returned"
    incident: IncidentRef
    reason: Text


class ReviewPublished(Event):
    """An edition was published; it never changes."""

    type: Literal["review.published"] = "review.published"
    incident: IncidentRef
    edition: int
    """Numbered from 1."""
    revisions: Mapping[Name, int]
    """The revision of each section that was written."""
    facts: tuple[int, ...]
    """The positions of the facts that it shows."""
    upto: int
    """The position up to which the log was read for its figures."""


class ReviewRevised(Event):
    """A published review is corrected: the next edition is a draft."""

    type: Literal["review.revised"] = "review.revised"
    incident: IncidentRef
    reason: Text


class ReviewActionOpened(Event):
    """Somebody is to do something because of the review."""

    type: Literal["review.action_opened"] = "review.action_opened"
    incident: IncidentRef
    action: int
    """Numbered within the review, from 1."""
    owner: PersonId
    due_at: AwareDatetime
    """The action is overdue from this instant on."""
    task: Text


class ReviewActionAssigned(Event):
    """An action was assigned to another owner, or to another day, for `reason`."""

    type: Literal["review.action_assigned"] = "review.action_assigned"
    incident: IncidentRef
    action: int
    owner: PersonId
    due_at: AwareDatetime
    reason: Text


class ReviewActionDone(Event):
    """An action was done."""

    type: Literal["review.action_done"] = "review.action_done"
    incident: IncidentRef
    action: int
    note: Text | None = None


class ReviewActionDropped(Event):
    """An action is not going to be done, for `reason`."""

    type: Literal["review.action_dropped"] = "review.action_dropped"
    incident: IncidentRef
    action: int
    reason: Text


ReviewWarningKind = Literal["review_overdue", "action_overdue"]


class ReviewWarned(Event):
    """A review or an action is overdue; recorded once for each owner and due date."""

    type: Literal["review.warned"] = "review.warned"
    incident: IncidentRef
    kind: ReviewWarningKind
    action: int | None = None
    owner: PersonId
    """Who is told."""
    due_at: AwareDatetime


ReviewEvent = (
    ReviewOpened
    | ReviewWritten
    | ReviewFactsChosen
    | ReviewAssigned
    | ReviewSubmitted
    | ReviewReturned
    | ReviewPublished
    | ReviewRevised
    | ReviewActionOpened
    | ReviewActionAssigned
    | ReviewActionDone
    | ReviewActionDropped
    | ReviewWarned
)
