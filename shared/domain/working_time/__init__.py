"""Working time: how much of it passes between two instants, and when it is used up.

Pure arithmetic over coverage calendars. Instants are aware; what comes back is in UTC.
All is counted in whole seconds: an instant within a second counts as its beginning.

A local time that does not exist moves forward by as much as the clocks do; one that
comes twice means the first. A closed day closes what lies on that local date: of a
window across midnight only the part before it or after it. An extra opening wins over
the week and over every closed day. A date that a zone left out has no hours.
"""

from shared.domain.working_time.duration import (
    Span,
    Window,
    account,
    due,
    elapsed,
    is_open,
    last_instant,
    next_opening,
)
from shared.domain.working_time.hours import ALWAYS, Hours, hours_of

__all__ = [
    "ALWAYS",
    "Hours",
    "Span",
    "Window",
    "account",
    "due",
    "elapsed",
    "hours_of",
    "is_open",
    "last_instant",
    "next_opening",
]
