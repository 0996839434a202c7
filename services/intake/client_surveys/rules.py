"""Decides when a survey of clients opens and closes, and who is asked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.events.survey import SurveyContactInvited
from shared.domain.events.survey.results import SurveyClosed, SurveyOpened
from shared.domain.identifiers import contact_invitation
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import ClientSurvey, version_in_use
from shared.domain.survey.periods import day_begins
from shared.domain.survey.record import SurveyRecord

ACTOR = "system:intake"
_MONTHS = 12
_ZONES_APART = timedelta(hours=26)
"""At most so long after another zone does a day begin in a zone."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a survey of clients, whole days of a zone, and when it closes."""

    first: date
    start: datetime
    end: datetime
    closes_at: datetime


def period_at(survey: ClientSurvey, now: datetime, zone: ZoneInfo) -> Period | None:
    """Return the period that is asked about at an instant, None if it is closed.

    Who is asked long after the beginning would be asked about another period: a desk
    that was down for all of it leaves it out.
    """
    today, begins = now.astimezone(zone).date(), survey.when.from_
    if today < begins:
        return None
    months = (today.year - begins.year) * _MONTHS + today.month - begins.month
    steps = months // survey.when.every_months
    if _later(begins, steps * survey.when.every_months) > today:
        steps -= 1
    first = _later(begins, steps * survey.when.every_months)
    following = _later(begins, (steps + 1) * survey.when.every_months)
    closes = min(first + timedelta(days=survey.expires_days), following)
    if closes <= today:
        return None
    start, end, closes_at = (
        day_begins(day, zone) for day in (first, following, closes)
    )
    return Period(first, start, end, closes_at)


def was_opened(period: Period, held: SurveyRecord) -> bool:
    """Return whether contacts were asked about a period, in any time zone of the desk.

    Its first day begins at another instant once the policy names another time zone.
    """
    return any(abs(start - period.start) <= _ZONES_APART for start in held.opened)


def _later(day: date, months: int) -> date:
    """Return the same day of a later month, or the first of the month after it."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return _later(date(year, month + 1, 1), 1)


def contacts(survey: ClientSurvey, policy: Policy) -> Mapping[str, str]:
    """Return the client of each contact who is asked.

    A contact of several clients is asked once, for the first by name.
    """
    found: dict[str, str] = {}
    for client, people in sorted(survey.contacts.items()):
        if _is_in_scope(survey, client, policy):
            for person in people:
                found.setdefault(person, client)
    return found


def _is_in_scope(survey: ClientSurvey, client: str, policy: Policy) -> bool:
    scope = survey.scope
    if scope is None:
        return True
    services = {
        service
        for contract in policy.contracts.values()
        if contract.client == client
        for service in contract.services
    }
    return (scope.clients is None or client in scope.clients) and (
        scope.services is None or not services.isdisjoint(scope.services)
    )


def opened(
    name: str,
    survey: ClientSurvey,
    period: Period,
    asked: Mapping[str, str],
    policy: int,
    now: datetime,
) -> tuple[SurveyOpened, Sequence[SurveyContactInvited]]:
    """Return the beginning of a period, and the invitations of those who are asked."""
    remind_at = _reminded_at(survey, period, now)
    version = version_in_use(survey)
    invitations = [
        SurveyContactInvited(
            at=now,
            by=ACTOR,
            survey=name,
            version=version,
            policy=policy,
            invitation=contact_invitation(name, period.first, person),
            person=person,
            client=client,
            expires_at=period.closes_at,
            remind_at=remind_at,
        )
        for person, client in sorted(asked.items())
    ]
    begins = SurveyOpened(
        at=now,
        by=ACTOR,
        survey=name,
        version=version,
        policy=policy,
        start=period.start,
        end=period.end,
        closes_at=period.closes_at,
        invited=len(invitations),
    )
    return begins, invitations


def _reminded_at(
    survey: ClientSurvey, period: Period, now: datetime
) -> datetime | None:
    """Return when those who have not answered are reminded, if before the end."""
    if survey.remind_days is None:
        return None
    at = now + timedelta(days=survey.remind_days)
    return at if at < period.closes_at else None


def closed(name: str, held: SurveyRecord, now: datetime) -> Sequence[SurveyClosed]:
    """Return the ends of the periods that take no more answers."""
    return [
        SurveyClosed(at=now, by=ACTOR, survey=name, start=start)
        for start, period in sorted(held.opened.items())
        if period.closes_at <= now and start not in held.closed
    ]
