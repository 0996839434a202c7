"""Decides who publishes the results of which period, and what follows of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.intake.actions.rules import overdue_from, require_staff
from shared.domain.commands.survey import (
    CompleteSurveyAction,
    OpenSurveyAction,
    PublishSurvey,
)
from shared.domain.events.event import Actor
from shared.domain.events.survey.results import (
    SurveyActionDone,
    SurveyActionOpened,
    SurveyPublished,
    SurveyResults,
    SurveyWarned,
)
from shared.domain.limits import Within
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import Survey
from shared.domain.refusal import Refused
from shared.domain.survey.periods import day_begins, next_month
from shared.domain.survey.record import SurveyRecord, WarningKey
from shared.messaging.commands import Scope
from shared.security.sender import GIVERS

SETTLED = timedelta(minutes=1)
"""A period is published from so long after its end: every event of it is recorded."""
PUBLISHED_WITHIN = timedelta(days=14)
"""The results of a month are to be published within so long after its end."""
ACTIONS_MAX = 500
"""The maximum number of actions of a survey."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who acts on a survey, when, and by which policy."""

    by: Actor
    at: datetime
    rights: Mapping[Scope, Within]
    policy: Policy
    version: int

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the desk."""
        return ZoneInfo(self.policy.desk.timezone)

    def survey(self, name: str) -> Survey:
        """Return a survey of the policy. Raises `Refused`."""
        if name not in self.policy.surveys:
            raise Refused(
                f"the policy has no survey `{name}`", "unknown_survey", "survey"
            )
        return self.policy.surveys[name]


def require_owner(who: Publisher, survey: Survey) -> None:
    """Raise `Refused` unless somebody owns a survey, or manages the whole desk."""
    is_manager = any(who.rights.get(scope, ()) is None for scope in GIVERS)
    if who.by != f"person:{survey.owner}" and not is_manager:
        raise Refused(
            f"only the owner of the survey, {survey.owner}, or a manager may do this: "
            "ask one of them",
            "role",
        )


def period_of(command: PublishSurvey, who: Publisher) -> tuple[datetime, datetime]:
    """Return the period that is to be published. Raises `Refused`."""
    survey = who.survey(command.survey)
    require_owner(who, survey)
    start, end = command.from_, command.to
    if start >= end:
        raise Refused("`to` must be later than `from`", "invalid", "to")
    if survey.publish == "monthly" and end != next_month(start):
        raise Refused(
            "this survey is published monthly: give the first day of a month, and of "
            "the next",
            "invalid",
            "to",
        )
    period = day_begins(start, who.zone), day_begins(end, who.zone)
    if who.at < period[1] + SETTLED:
        raise Refused("this period is not over yet: publish it afterwards", "state")
    return period


def published(
    command: PublishSurvey,
    held: SurveyRecord,
    found: SurveyResults,
    who: Publisher,
) -> SurveyPublished | None:
    """Return the publication, None if it is the same again. Raises `Refused`."""
    start, end = period_of(command, who)
    before = held.overlapping(start, end)
    if before is not None and (before.start, before.end) == (start, end):
        return None
    if before is not None:
        first, last = (
            each.astimezone(who.zone).date() for each in (before.start, before.end)
        )
        raise Refused(
            f"the results from {first} to {last} are published already, and no day is "
            "published twice",
            "state",
        )
    return SurveyPublished(
        at=who.at,
        by=who.by,
        survey=command.survey,
        policy=who.version,
        start=start,
        end=end,
        min_answers=who.survey(command.survey).min_answers,
        results=found,
    )


def last_month(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the newest month of a zone that is over for certain, as a period."""
    until = (now - SETTLED).astimezone(zone).date().replace(day=1)
    since = (until - timedelta(days=1)).replace(day=1)
    return day_begins(since, zone), day_begins(until, zone)


def warnings(
    name: str, held: SurveyRecord, asked: bool | None, who: Publisher
) -> Sequence[SurveyWarned]:
    """Return what is to be warned of that was not warned of before.

    `asked` is whether the survey asked anybody in the last month; None if it is not
    published monthly, or was not yet in force when that month began.
    """
    start, end = last_month(who.at, who.zone)
    owner = who.survey(name).owner
    found: list[tuple[WarningKey, str]] = [
        (("action_overdue", action.start, action.number), action.owner)
        for action in held.actions.values()
        if action.is_overdue(who.at)
    ]
    if asked is False:
        found.append((("not_asked", start, None), owner))
    is_late = who.at >= end + PUBLISHED_WITHIN
    if asked and is_late and held.overlapping(start, end) is None:
        found.append((("not_published", start, None), owner))
    return [
        SurveyWarned(
            at=who.at,
            by=who.by,
            survey=name,
            policy=who.version,
            kind=kind,
            start=since,
            action=action,
            owner=told,
        )
        for (kind, since, action), told in found
        if (kind, since, action) not in held.warnings
    ]


def opened(
    command: OpenSurveyAction, held: SurveyRecord, who: Publisher
) -> SurveyActionOpened:
    """Return the action to record. Raises `Refused`."""
    require_owner(who, who.survey(command.survey))
    start = day_begins(command.from_, who.zone)
    if not any(each.start == start for each in held.published):
        raise Refused(
            "no results are published that begin on this day: publish them first",
            "invalid",
            "from",
        )
    require_staff(who.policy, command.owner)
    due_at = overdue_from(command.due, who.zone, who.at)
    if len(held.actions) >= ACTIONS_MAX:
        raise Refused(f"a survey has at most {ACTIONS_MAX} actions", "state")
    return SurveyActionOpened(
        at=who.at,
        by=who.by,
        whose=who.by,
        survey=command.survey,
        action=len(held.actions) + 1,
        start=start,
        owner=command.owner,
        due_at=due_at,
        task=command.task,
    )


def done(
    command: CompleteSurveyAction, held: SurveyRecord, who: Publisher
) -> SurveyActionDone | None:
    """Return what to record of an action, None if it is done. Raises `Refused`."""
    action = held.actions.get(command.action)
    if action is None:
        raise Refused(
            f"this survey has no action {command.action}", "unknown_action", "action"
        )
    if who.by != f"person:{action.owner}":
        require_owner(who, who.survey(command.survey))
    if action.done_at is not None:
        return None
    return SurveyActionDone(
        at=who.at,
        by=who.by,
        whose=who.by if command.note else None,
        survey=command.survey,
        action=command.action,
        note=command.note,
    )
