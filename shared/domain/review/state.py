"""The state of a review, computed from the events of its stream."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from typing_extensions import TypeIs

from shared.domain.action import Action
from shared.domain.events import AnyEvent
from shared.domain.events.review import (
    ReviewActionAssigned,
    ReviewActionDone,
    ReviewActionDropped,
    ReviewActionOpened,
    ReviewAssigned,
    ReviewCause,
    ReviewEvent,
    ReviewFactsChosen,
    ReviewOpened,
    ReviewPublished,
    ReviewReturned,
    ReviewRevised,
    ReviewSubmitted,
    ReviewWarned,
    ReviewWarningKind,
    ReviewWritten,
)
from shared.domain.identifiers import IncidentRef
from shared.domain.incident import BrokenHistory


class ReviewStatus(StrEnum):
    """The status of a review; a corrected one is a draft again."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"


WarningKey = tuple[ReviewWarningKind, int | None, str, datetime]


@dataclass(frozen=True, slots=True)
class Review:
    """A review after some of its events."""

    incident: IncidentRef
    policy: int
    cause: ReviewCause
    owner: str
    opened_at: datetime
    due_at: datetime
    sections: tuple[str, ...]
    status: ReviewStatus = ReviewStatus.DRAFT
    texts: Mapping[str, Sequence[ReviewWritten]] = field(default_factory=dict)
    """All revisions of each section that was written."""
    left_out: frozenset[int] = frozenset()
    editions: tuple[ReviewPublished, ...] = ()
    returned: ReviewReturned | None = None
    """Why its authors have it again, until they submit it."""
    actions: Mapping[int, Action] = field(default_factory=dict)
    warnings: frozenset[WarningKey] = frozenset()

    def revision(self, section: str) -> int:
        """Return the number of the newest revision of a section, 0 without one."""
        return len(self.texts.get(section, ()))

    def text(self, section: str, revision: int | None = None) -> str:
        """Return a section as it was at a revision; the newest by default."""
        written = self.texts.get(section, ())
        number = len(written) if revision is None else revision
        return written[number - 1].text if 0 < number <= len(written) else ""

    def is_overdue(self, now: datetime) -> bool:
        """Return whether its first edition should be published by now and is not."""
        return not self.editions and self.due_at <= now


def is_review_event(event: AnyEvent) -> TypeIs[ReviewEvent]:
    """Return whether an event belongs to a review."""
    return event.type.startswith("review.")


def replay_review(events: Iterable[AnyEvent]) -> Review | None:
    """Return the review after its events, None before the first."""
    held: Review | None = None
    for event in events:
        if is_review_event(event):
            held = evolve(held, event)
    return held


def evolve(held: Review | None, event: ReviewEvent) -> Review:
    """Return the review after one of its events."""
    if isinstance(event, ReviewOpened):
        return Review(
            event.incident,
            event.policy,
            event.cause,
            event.owner,
            event.at,
            event.due_at,
            event.sections,
        )
    if held is None:
        raise BrokenHistory(f"{event.type} before review.opened: {event.incident}")
    return _after(held, event)


def _after(held: Review, event: ReviewEvent) -> Review:  # noqa: C901, PLR0911 # one case for each event
    match event:
        case ReviewWritten(section=section):
            written = (*held.texts.get(section, ()), event)
            return replace(held, texts={**held.texts, section: written})
        case ReviewFactsChosen(left_out=left_out):
            return replace(held, left_out=frozenset(left_out))
        case ReviewAssigned(owner=owner):
            return replace(held, owner=owner)
        case ReviewSubmitted():
            return replace(held, status=ReviewStatus.IN_REVIEW, returned=None)
        case ReviewReturned():
            return replace(held, status=ReviewStatus.DRAFT, returned=event)
        case ReviewPublished():
            editions = (*held.editions, event)
            return replace(held, status=ReviewStatus.PUBLISHED, editions=editions)
        case ReviewRevised():
            return replace(held, status=ReviewStatus.DRAFT)
        case (
            ReviewActionOpened()
            | ReviewActionAssigned()
            | ReviewActionDone()
            | ReviewActionDropped()
        ):
            changed = action_after(held.actions.get(event.action), event)
            return replace(held, actions={**held.actions, event.action: changed})
        case ReviewWarned():
            key = (event.kind, event.action, event.owner, event.due_at)
            return replace(held, warnings=held.warnings | {key})
        case ReviewOpened():
            raise BrokenHistory(f"the review of {event.incident} was opened twice")
        case _:
            assert_never(event)


ActionEvent = (
    ReviewActionOpened | ReviewActionAssigned | ReviewActionDone | ReviewActionDropped
)


def action_after(action: Action | None, event: ActionEvent) -> Action:
    """Return an action of a review after one of its events."""
    if isinstance(event, ReviewActionOpened):
        return Action(event.action, event.owner, event.due_at, event.task, event.at)
    if action is None:
        raise BrokenHistory(f"{event.type} before review.action_opened")
    match event:
        case ReviewActionAssigned(owner=owner, due_at=due_at):
            return replace(action, owner=owner, due_at=due_at)
        case ReviewActionDone(at=at):
            return replace(action, done_at=at)
        case ReviewActionDropped(at=at):
            return replace(action, dropped_at=at)
        case _:
            assert_never(event)
