"""Decides commands on a review: who may do what in which of its states. Pure.

A draft is written, submitted, and published or returned; a published review is revised,
which makes it a draft again. Actions are followed in every state.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from services.intake.actions.rules import require_staff
from services.intake.reviews import action_rules
from services.intake.reviews.context import Author, require_responsible
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
from shared.domain.events.review import (
    ReviewAssigned,
    ReviewCause,
    ReviewEvent,
    ReviewFactsChosen,
    ReviewOpened,
    ReviewPublished,
    ReviewReturned,
    ReviewRevised,
    ReviewSubmitted,
    ReviewWritten,
)
from shared.domain.incident import Status
from shared.domain.policy.document import Policy
from shared.domain.policy.reviews import WITHIN_DAYS, sections_of
from shared.domain.refusal import Refused
from shared.domain.review.facts import restored_at
from shared.domain.review.possible import STATUSES
from shared.domain.review.state import Review, ReviewStatus
from shared.domain.survey.periods import day_begins
from shared.domain.working_time import Hours, hours_of, next_opening
from shared.domain.working_time.hours import WHOLE_DAY

REVISIONS_MAX = 500
"""The maximum number of revisions of a section."""
EDITIONS_MAX = 100
_DAY = timedelta(days=1)
_WEEKDAYS = 5
_WEEKEND = 2

_INSTEAD: Mapping[ReviewStatus, str] = {
    ReviewStatus.DRAFT: "this review is a draft: submit it first",
    ReviewStatus.IN_REVIEW: "this review was submitted: return it to change it",
    ReviewStatus.PUBLISHED: "this review is published: revise it to correct it",
}


def decided(
    command: ReviewCommand, held: Review | None, who: Author
) -> ReviewEvent | None:
    """Return the event of a command, None if it is so already. Raises `Refused`."""
    if isinstance(command, OpenReview):
        return opened(command, held, who)
    if held is None:
        raise Refused("this incident has no review: open one first", "unknown_review")
    wanted = STATUSES.get(type(command))
    if wanted is not None and held.status is not wanted:
        if _is_so(command, held):
            return None
        raise Refused(_INSTEAD[held.status], "state")
    return _possible(command, held, who)


def _is_so(command: ReviewCommand, held: Review) -> bool:
    """Return whether a command asks for the status that the review has."""
    match command:
        case SubmitReview():
            return held.status is ReviewStatus.IN_REVIEW
        case PublishReview():
            return held.status is ReviewStatus.PUBLISHED
        case _:
            return False


def _possible(  # noqa: C901, PLR0911 # one case for each command
    command: ReviewCommand, held: Review, who: Author
) -> ReviewEvent | None:
    match command:
        case OpenReview():
            return opened(command, held, who)
        case WriteReview():
            return _written(command, held, who)
        case ChooseFacts():
            return _chosen(command, held, who)
        case AssignReview(owner=owner):
            return _assigned(owner, held, who)
        case SubmitReview():
            return _submitted(held, who)
        case ReturnReview(reason=reason):
            return _returned(reason, held, who)
        case PublishReview():
            return _published(held, who)
        case ReviseReview(reason=reason):
            return _revised(reason, held, who)
        case OpenReviewAction() | AssignReviewAction():
            return action_rules.planned(command, held, who)
        case CompleteReviewAction() | DropReviewAction():
            return action_rules.ended(command, held, who)
        case _:
            assert_never(command)


def opened(
    command: OpenReview, held: Review | None, who: Author
) -> ReviewOpened | None:
    """Return a review opened by hand. Raises `Refused`."""
    if held is not None:
        return None
    if who.incident.status in {Status.CANCELLED, Status.MERGED}:
        raise Refused(
            "this incident was cancelled or merged: review the one it went into",
            "state",
        )
    if restored_at(who.incident) is None:
        raise Refused(
            "service is not restored yet: restore it, then review what happened",
            "state",
        )
    owner = command.owner or who.person
    require_staff(who.policy, owner)
    return opening(who, "by_hand", owner)


def opening(who: Author, cause: ReviewCause, owner: str) -> ReviewOpened:
    """Return the first event of a review."""
    return ReviewOpened(
        at=who.at,
        by=who.by,
        incident=who.incident.ref,
        policy=who.version,
        cause=cause,
        owner=owner,
        due_at=due_at(who.policy, who.at),
        sections=sections_of(who.policy.reviews),
    )


def due_at(policy: Policy, opened_at: datetime) -> datetime:
    """Return when a review is overdue: after the last working day for it."""
    reviews, zone = policy.reviews, ZoneInfo(policy.desk.timezone)
    days = reviews.within_days if reviews else WITHIN_DAYS
    name = reviews.calendar if reviews else None
    hours = hours_of(policy.calendars[name]) if name else _weekdays(zone)
    day = opened_at.astimezone(zone).date()
    for _ in range(days):
        opening = next_opening(hours, day_begins(day + _DAY, zone))
        day = opening.astimezone(zone).date()
    return day_begins(day + _DAY, zone)


def _weekdays(zone: ZoneInfo) -> Hours:
    return Hours(zone, ((WHOLE_DAY,),) * _WEEKDAYS + ((),) * _WEEKEND)


def required(who: Author, cause: ReviewCause) -> ReviewOpened:
    """Return a review that the policy requires."""
    reviews, teams = who.policy.reviews, who.policy.teams
    team = teams.get(who.incident.team) or teams[who.policy.desk.team]
    owner = reviews.owner if reviews and reviews.owner else team.manager
    return opening(who, cause, owner)


def _written(command: WriteReview, held: Review, who: Author) -> ReviewWritten | None:
    if command.section not in held.sections:
        shown = ", ".join(held.sections)
        raise Refused(
            f"this review has no section `{command.section}`: it has {shown}",
            "unknown_section",
            "section",
        )
    newest = held.revision(command.section)
    if newest and held.text(command.section) == command.text:
        return None
    if command.after is not None and command.after != newest:
        raise Refused(
            f"somebody wrote revision {newest} of this section meanwhile: read it, "
            "then write again",
            "state",
        )
    if newest >= REVISIONS_MAX:
        raise Refused(f"a section has at most {REVISIONS_MAX} revisions", "state")
    return ReviewWritten(
        at=who.at,
        by=who.by,
        whose=who.by,
        incident=held.incident,
        section=command.section,
        revision=newest + 1,
        text=command.text,
    )


def _chosen(
    command: ChooseFacts, held: Review, who: Author
) -> ReviewFactsChosen | None:
    wanted = frozenset(command.left_out)
    for position in sorted(wanted.difference(who.facts)):
        raise Refused(
            f"the log has no fact of this incident at position {position}",
            "invalid",
            "left_out",
        )
    if wanted == held.left_out:
        return None
    return ReviewFactsChosen(
        at=who.at,
        by=who.by,
        incident=held.incident,
        left_out=tuple(sorted(wanted)),
    )


def _assigned(owner: str, held: Review, who: Author) -> ReviewAssigned | None:
    require_staff(who.policy, owner)
    if owner == held.owner:
        return None
    require_responsible(held, who)
    return ReviewAssigned(at=who.at, by=who.by, incident=held.incident, owner=owner)


def _submitted(held: Review, who: Author) -> ReviewSubmitted:
    if not held.texts:
        raise Refused("nothing is written yet: write a section first", "state")
    return ReviewSubmitted(at=who.at, by=who.by, incident=held.incident)


def _returned(reason: str, held: Review, who: Author) -> ReviewReturned:
    return ReviewReturned(
        at=who.at, by=who.by, whose=who.by, incident=held.incident, reason=reason
    )


def _published(held: Review, who: Author) -> ReviewPublished:
    if not who.leads:
        raise Refused(
            "only the manager of the incident's team or a manager of the desk "
            "publishes: ask one of them",
            "role",
        )
    if len(held.editions) >= EDITIONS_MAX:
        raise Refused(f"a review has at most {EDITIONS_MAX} editions", "state")
    return ReviewPublished(
        at=who.at,
        by=who.by,
        incident=held.incident,
        edition=len(held.editions) + 1,
        revisions={name: held.revision(name) for name in sorted(held.texts)},
        facts=tuple(each for each in who.facts if each not in held.left_out),
        upto=who.upto,
    )


def _revised(reason: str, held: Review, who: Author) -> ReviewRevised:
    require_responsible(held, who)
    return ReviewRevised(
        at=who.at, by=who.by, whose=who.by, incident=held.incident, reason=reason
    )
