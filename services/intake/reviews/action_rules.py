"""Decides commands on the actions of a review, which are followed to their end. Pure.

Anybody who may write the review opens an action; its owner, the owner of the review or
a manager assigns and completes it. Its own owner cannot drop it.
"""

from typing import assert_never

from services.intake.actions.rules import overdue_from, require_staff
from services.intake.reviews.context import Author, require_responsible
from shared.domain.action import Action
from shared.domain.commands.review import (
    AssignReviewAction,
    CompleteReviewAction,
    DropReviewAction,
    OpenReviewAction,
)
from shared.domain.events.review import (
    ReviewActionAssigned,
    ReviewActionDone,
    ReviewActionDropped,
    ReviewActionOpened,
)
from shared.domain.refusal import Refused
from shared.domain.review.state import Review

ACTIONS_MAX = 200
"""The maximum number of actions of a review."""


def planned(
    command: OpenReviewAction | AssignReviewAction, held: Review, who: Author
) -> ReviewActionOpened | ReviewActionAssigned | None:
    """Return who is to do what until when, None if it is so. Raises `Refused`."""
    match command:
        case OpenReviewAction():
            return _opened(command, held, who)
        case AssignReviewAction():
            return _assigned(command, held, who)
        case _:
            assert_never(command)


def _opened(command: OpenReviewAction, held: Review, who: Author) -> ReviewActionOpened:
    require_staff(who.policy, command.owner)
    due_at = overdue_from(command.due, who.zone, who.at)
    if len(held.actions) >= ACTIONS_MAX:
        raise Refused(f"a review has at most {ACTIONS_MAX} actions", "state")
    return ReviewActionOpened(
        at=who.at,
        by=who.by,
        whose=who.by,
        incident=held.incident,
        action=len(held.actions) + 1,
        owner=command.owner,
        due_at=due_at,
        task=command.task,
    )


def _assigned(
    command: AssignReviewAction, held: Review, who: Author
) -> ReviewActionAssigned | None:
    action = _open_action(command.action, held)
    _require_concerned(action, held, who)
    owner = command.owner or action.owner
    require_staff(who.policy, owner)
    due_at = action.due_at
    if command.due is not None:
        due_at = overdue_from(command.due, who.zone, who.at)
    if (owner, due_at) == (action.owner, action.due_at):
        return None
    return ReviewActionAssigned(
        at=who.at,
        by=who.by,
        whose=who.by,
        incident=held.incident,
        action=command.action,
        owner=owner,
        due_at=due_at,
        reason=command.reason,
    )


def ended(
    command: CompleteReviewAction | DropReviewAction, held: Review, who: Author
) -> ReviewActionDone | ReviewActionDropped | None:
    """Return how an action ends, None if it ended in that way. Raises `Refused`."""
    action = _action(command.action, held)
    match command:
        case CompleteReviewAction(note=note):
            if action.done_at is not None:
                return None
            _require_concerned(_open_action(command.action, held), held, who)
            return ReviewActionDone(
                at=who.at,
                by=who.by,
                whose=who.by if note else None,
                incident=held.incident,
                action=command.action,
                note=note,
            )
        case DropReviewAction(reason=reason):
            if action.dropped_at is not None:
                return None
            _open_action(command.action, held)
            require_responsible(held, who)
            return ReviewActionDropped(
                at=who.at,
                by=who.by,
                whose=who.by,
                incident=held.incident,
                action=command.action,
                reason=reason,
            )
        case _:
            assert_never(command)


def _action(number: int, held: Review) -> Action:
    action = held.actions.get(number)
    if action is None:
        raise Refused(f"this review has no action {number}", "unknown_action", "action")
    return action


def _open_action(number: int, held: Review) -> Action:
    action = _action(number, held)
    if not action.is_open:
        raise Refused("this action has ended: open another one", "state")
    return action


def _require_concerned(action: Action, held: Review, who: Author) -> None:
    if who.person != action.owner:
        require_responsible(held, who)
