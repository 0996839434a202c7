"""Who can own an action, and until when it can be due. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.domain.survey.periods import day_begins


def require_staff(policy: Policy, person: str) -> None:
    """Raise `Refused` unless a person is in a team, or manages one."""
    if not any(
        person == team.manager or person in team.members
        for team in policy.teams.values()
    ):
        raise Refused(
            f"`{person}` is in no team: name somebody of the desk", "invalid", "owner"
        )


def overdue_from(due: date, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when something due on a day is overdue. Raises `Refused` for the past."""
    due_at = day_begins(due + timedelta(days=1), zone)
    if due_at <= now:
        raise Refused("this day is over: name a later one", "invalid", "due")
    return due_at
