"""Announced work: signals inside are recorded and open nothing."""

from typing import Annotated

from pydantic import StringConstraints

from shared.policy.clause import Clause
from shared.policy.durations import Duration
from shared.policy.local_times import LocalTime, Zone
from shared.policy.names import Name


class Maintenance(Clause):
    """A window of announced work on a service, once or by a recurrence rule."""

    service: Name
    start: LocalTime
    duration: Duration
    rrule: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Recurrence as in iCalendar (RFC 5545): `FREQ=MONTHLY;BYDAY=-1MO`."""
    timezone: Zone
