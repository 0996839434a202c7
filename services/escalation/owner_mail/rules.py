"""Which mail the events of surveys and reviews ask for, and whether it is needed. Pure.

Both have actions, whose owners are told, reminded and warned in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.action import Action
from shared.domain.events import AnyEvent
from shared.domain.events.review import (
    ReviewActionAssigned,
    ReviewActionOpened,
    ReviewAssigned,
    ReviewOpened,
    ReviewWarned,
    ReviewWarningKind,
)
from shared.domain.events.survey.results import (
    SurveyActionOpened,
    SurveyWarned,
    SurveyWarningKind,
)
from shared.domain.review.state import Review
from shared.domain.survey.record import SurveyRecord

About = Literal["survey", "review"]
OwnerMailKind = (
    SurveyWarningKind
    | ReviewWarningKind
    | Literal["action_opened", "action_due", "review_opened"]
)
REMINDED = timedelta(hours=64)
"""How long before an action is overdue its owner is reminded: at eight in the morning,
two days before the last day."""
NEWS = timedelta(days=7)
"""A warning that is read later than that is on the screens only."""


@dataclass(frozen=True, slots=True)
class OwnerRequest:
    """A mail that is to be sent to the owner of a survey, a review, or an action."""

    about: About
    subject: str
    """The survey, or the incident that is reviewed."""
    kind: OwnerMailKind
    start: datetime | None
    """The beginning of the period that a mail about a survey is about."""
    action: int | None
    owner: str
    due_at: datetime
    """When it is to be sent."""
    attempts: int = 0

    @property
    def key(self) -> str:
        """Identifies the mail at the mail server, also if it is sent again."""
        parts = [f"{self.about}_owner", self.subject, self.kind]
        if self.start is not None:
            return "|".join(
                [*parts, f"{self.start.timestamp():.0f}", f"{self.action or ''}"]
            )
        due = f"{self.due_at.timestamp():.0f}"
        return "|".join([*parts, f"{self.action or ''}", self.owner, due])


_AnyActionOpened = SurveyActionOpened | ReviewActionOpened | ReviewActionAssigned


def requests_of(event: AnyEvent) -> Iterator[OwnerRequest]:
    """Yield the mail that an event asks for.

    Somebody who opens an action for themselves is reminded, and not told at once.
    """
    match event:
        case SurveyWarned(kind=kind, action=action):
            yield _of_survey(event, kind, action, event.at)
        case ReviewWarned(kind=warned, action=action, owner=owner):
            yield _of_review(event.incident, warned, action, owner, event.at)
        case ReviewOpened(owner=owner) | ReviewAssigned(owner=owner):
            if event.by != f"person:{owner}":
                yield _of_review(event.incident, "review_opened", None, owner, event.at)
        case SurveyActionOpened() | ReviewActionOpened() | ReviewActionAssigned():
            yield from _of_action(event)
        case _:
            pass


def _of_action(event: _AnyActionOpened) -> Iterator[OwnerRequest]:
    wanted: list[tuple[OwnerMailKind, datetime]] = []
    if event.by != f"person:{event.owner}":
        wanted.append(("action_opened", event.at))
    remind_at = event.due_at - REMINDED
    if event.at < remind_at:
        wanted.append(("action_due", remind_at))
    for kind, at in wanted:
        if isinstance(event, SurveyActionOpened):
            yield _of_survey(event, kind, event.action, at)
        else:
            yield _of_review(event.incident, kind, event.action, event.owner, at)


def _of_survey(
    event: SurveyWarned | SurveyActionOpened,
    kind: OwnerMailKind,
    action: int | None,
    due_at: datetime,
) -> OwnerRequest:
    return OwnerRequest(
        "survey", event.survey, kind, event.start, action, event.owner, due_at
    )


def _of_review(
    incident: str,
    kind: OwnerMailKind,
    action: int | None,
    owner: str,
    due_at: datetime,
) -> OwnerRequest:
    return OwnerRequest("review", incident, kind, None, action, owner, due_at)


def is_needed(
    request: OwnerRequest, held: SurveyRecord | Review, now: datetime
) -> bool:
    """Return whether a mail still says what is so, and is not too late."""
    if now - request.due_at > NEWS:
        return False
    if request.action is not None:
        action = action_of(request, held)
        is_theirs = action.is_open and action.owner == request.owner
        return is_theirs and action.is_overdue(now) == (
            request.kind == "action_overdue"
        )
    if isinstance(held, Review):
        is_theirs = not held.editions and held.owner == request.owner
        is_late = request.kind == "review_overdue"
        return is_theirs and (not is_late or held.is_overdue(now))
    is_published = any(each.start == request.start for each in held.published)
    return request.kind == "not_asked" or not is_published


def action_of(request: OwnerRequest, held: SurveyRecord | Review) -> Action:
    """Return the action that a mail is about: the log has it, and for ever."""
    assert request.action is not None  # noqa: S101 # each of these kinds is about one
    return held.actions[request.action]
