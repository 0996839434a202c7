"""Reads surveys for answers: the definition, the record, and results of a period."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.projections.api.desk import Desk
from services.projections.api.on_call.schedules import policy_now
from services.projections.api.query_params import require_order, unwanted
from services.projections.api.surveys.schemas import (
    ActionView,
    CommentView,
    PublishedResults,
    SurveyFigures,
    SurveyPeriod,
    Surveys,
    SurveyView,
    WarningView,
)
from services.projections.snapshots import snapshot
from shared.domain.events.event import FORGOTTEN, Actor
from shared.domain.events.survey.results import SurveyPublished, SurveyResults
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import (
    MIN_ANSWERS,
    QuestionsByVersion,
    Survey,
    version_in_use,
)
from shared.domain.survey.periods import day_begins, next_month
from shared.domain.survey.privacy import for_everybody
from shared.domain.survey.record import SurveyAction, SurveyRecord
from shared.domain.survey.results import agree
from shared.http.problem_details import HttpError
from shared.surveys.results import (
    READ_MAX,
    Comment,
    TooManyAnswers,
    comments_in,
    do_answers_wait,
    records_of,
    results_in,
)

PUBLISHED_MAX = 60
"""Publications of a survey in one answer: five years of months."""
WARNINGS_MAX = 20
NO_FIGURES = READ_MAX + 1
"""A minimum that no survey reaches: its results have n only."""


def surveys(desk: Desk, reader: Actor, min_position: int) -> Surveys:
    """Return all surveys of the policy in force. Blocks."""
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, min_position)
        records = records_of(desk.log, cursor, sorted(policy.surveys))
    now = desk.clock()
    return Surveys(
        items=[
            view_of(name, policy.surveys[name], record, reader, now)
            for name, record in records.items()
        ],
        zone=policy.desk.timezone,
        as_of=upto,
    )


def results(
    desk: Desk,
    reader: Actor,
    name: str,
    days: tuple[date | None, date | None],
    min_position: int,
) -> SurveyPeriod:
    """Return the results of [from, to); of this month without days. Blocks."""
    now = desk.clock()
    with snapshot(desk.log) as cursor:
        policy, upto = policy_now(desk, cursor, min_position)
        survey, zone = _survey(policy, name), ZoneInfo(policy.desk.timezone)
        start, end = _period(survey, days, now.astimezone(zone).date(), zone)
        record = records_of(desk.log, cursor, [name])[name]
        published = record.overlapping(start, end)
        if published and (published.start, published.end) != (start, end):
            published = None
        owns = _owns(reader, survey)
        least = published.min_answers if published else survey.min_answers
        is_for_owner = not owns and least < MIN_ANSWERS
        if is_for_owner:
            published, least = published and for_everybody(published), MIN_ANSWERS
        if least > 1 and not published and not _is_fixed(survey, start, end, now, zone):
            least = NO_FIGURES
        waits = do_answers_wait(cursor, name)
        try:
            found = results_in(desk.log, cursor, name, (start, end), least)
            comments, left_out = comments_in(
                desk.log, cursor, name, (start, end), named=owns
            )
        except TooManyAnswers as error:
            raise unwanted("to", f"this period has {error}: shorten it") from error
    shown = published.results if published else found
    return SurveyPeriod(
        survey=view_of(name, survey, record, reader, now),
        from_=start,
        to=end,
        zone=policy.desk.timezone,
        complete=end <= now,
        # Two figures of one period would tell by what a correction of the log differs.
        figures=SurveyFigures.of(shown, survey.questions),
        published=published_view(published, survey.questions) if published else None,
        comments=[_comment(each) for each in comments],
        withheld=[
            *(["comments"] if left_out else []),
            *(["figures"] if is_for_owner and _has_gaps(shown) else []),
        ],
        as_published=agree(published.results, found) if published else None,
        answers_wait=waits,
        as_of=upto,
    )


def _owns(reader: Actor, survey: Survey) -> bool:
    return reader == f"person:{survey.owner}"


def _has_gaps(shown: SurveyResults) -> bool:
    figures = [(shown.n, shown.satisfied)]
    figures += [(each.n, each.satisfied) for each in shown.groups]
    return any(n and satisfied is None for n, satisfied in figures)


def _survey(policy: Policy, name: str) -> Survey:
    survey = policy.surveys.get(name)
    if survey is None:
        raise HttpError(
            404, f"the policy has no survey `{name}`", code="unknown_survey"
        )
    return survey


def _period(
    survey: Survey, days: tuple[date | None, date | None], today: date, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    first = days[0] or today.replace(day=1)
    last = days[1] or next_month(first.replace(day=1)) or first
    start, end = day_begins(first, zone), day_begins(last, zone)
    require_order(("from", "to"), start, end)
    # Two periods that differ in a few days would tell what these few people answered.
    if survey.anonymous is not None and last != next_month(first):
        raise unwanted(
            "to",
            "an anonymous survey shows whole months: give the first day of a month, "
            "and of the next",
        )
    return start, end


def _is_fixed(
    survey: Survey, start: datetime, end: datetime, now: datetime, zone: ZoneInfo
) -> bool:
    """Return whether figures are shown of a period that is not published.

    Only of a whole month that is over: two periods that differ in a few days, or one
    before and after an answer, would tell what these few people answered. A survey that
    is published for any days has figures once it is.
    """
    first, last = (each.astimezone(zone).date() for each in (start, end))
    return survey.publish == "monthly" and end <= now and last == next_month(first)


def view_of(
    name: str, survey: Survey, record: SurveyRecord, reader: Actor, now: datetime
) -> SurveyView:
    """Return a survey with what was published and is to be done, for a reader."""
    published = record.published
    if not _owns(reader, survey):
        published = [for_everybody(each) for each in published]
    return SurveyView(
        survey=name,
        audience=survey.audience,
        anonymous=survey.anonymous is not None,
        version=version_in_use(survey),
        publish=survey.publish,
        min_answers=survey.min_answers,
        owner=survey.owner,
        published=newest(published, survey.questions),
        actions=[_action(each, now) for each in _in_order(record.actions.values())],
        warnings=[
            WarningView(
                kind=each.kind,
                at=each.at,
                from_=each.start,
                action=each.action,
                settled=record.is_settled(each),
            )
            for each in sorted(
                record.warnings.values(), key=lambda each: each.at, reverse=True
            )[:WARNINGS_MAX]
        ],
    )


def newest(
    published: Sequence[SurveyPublished], asked: QuestionsByVersion
) -> list[PublishedResults]:
    """Return the newest publications."""
    ordered = sorted(published, key=lambda each: each.start, reverse=True)
    return [published_view(each, asked) for each in ordered[:PUBLISHED_MAX]]


def published_view(
    event: SurveyPublished, asked: QuestionsByVersion
) -> PublishedResults:
    """Return results as they were published."""
    return PublishedResults(
        from_=event.start,
        to=event.end,
        published_at=event.at,
        by=event.by,
        min_answers=event.min_answers,
        figures=SurveyFigures.of(event.results, asked),
    )


def _comment(found: Comment) -> CommentView:
    return CommentView(
        at=found.at,
        person=found.person,
        incident=found.incident,
        words=None if found.words == FORGOTTEN else found.words,
    )


def _in_order(actions: Iterable[SurveyAction]) -> Sequence[SurveyAction]:
    return sorted(
        actions, key=lambda each: (each.done_at is not None, each.due_at, each.number)
    )


def _action(action: SurveyAction, now: datetime) -> ActionView:
    return ActionView(
        action=action.number,
        from_=action.start,
        owner=action.owner,
        task=action.task,
        opened_at=action.opened_at,
        due_at=action.due_at,
        done_at=action.done_at,
        overdue=action.is_overdue(now),
    )
