"""The waiting times after an incident, measured in open hours if there are any.

The hours are those of the calendar of its TTR; without a TTR those of the desk; without
these, the wall clock applies.
"""

from datetime import datetime, timedelta

from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.sla.promise import promised
from shared.domain.working_time import ALWAYS, Hours, due, elapsed, hours_of

HOLDS_DAYS = 7
"""How many days a resolution must last; otherwise it was a quick fix."""


def hours_after(incident: Incident, policy: Policy) -> Hours:
    """Return the hours in which the periods after an incident are measured."""
    pledges = promised(
        policy,
        incident.service,
        incident.client,
        incident.priority,
        incident.reported_at,
        incident.noticed,
    )
    pledge = pledges.get("ttr")
    name = pledge.calendar if pledge else policy.desk.calendar
    return hours_of(policy.calendars[name]) if name else ALWAYS


def is_within(
    window: timedelta, incident: Incident, since: datetime, at: datetime, policy: Policy
) -> bool:
    """Return whether at `at` no more than `window` has passed since `since`."""
    passed = elapsed(hours_after(incident, policy), since, at)
    return passed <= window.total_seconds()


def closes_at(incident: Incident, policy: Policy) -> datetime:
    """Return until when the users of a resolved incident may respond.

    Raises ValueError if the calendar has no open hours, or it is not resolved.
    """
    if incident.resolved_at is None:
        raise ValueError(f"{incident.ref} is not resolved")
    seconds = int(policy.close_after.total_seconds())
    return due(hours_after(incident, policy), incident.resolved_at, seconds)
