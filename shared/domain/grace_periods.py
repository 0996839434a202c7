"""How long the desk waits after an incident: in open hours, where there are any.

They are those of the calendar under which resolving it was promised; without a
promise those of the desk; without these, the wall clock's.
"""

from datetime import datetime, timedelta

from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.sla.promise import promised
from shared.domain.working_time import ALWAYS, Hours, due, elapsed, hours_of

HOLDS_DAYS = 7
"""How long a resolution must hold to count as one; earlier it was a quick fix."""


def hours_after(incident: Incident, policy: Policy) -> Hours:
    """Return the hours in which the windows after an incident are counted."""
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
    """Tell whether at `at` no more than `window` passed since `since`."""
    passed = elapsed(hours_after(incident, policy), since, at)
    return passed <= window.total_seconds()


def closes_at(incident: Incident, policy: Policy) -> datetime:
    """Return until when the users of a resolved incident may yet say something.

    ValueError where its hours never come, or it is not resolved.
    """
    if incident.resolved_at is None:
        raise ValueError(f"{incident.ref} is not resolved")
    seconds = int(policy.close_after.total_seconds())
    return due(hours_after(incident, policy), incident.resolved_at, seconds)
