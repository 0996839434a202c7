"""Working time: how much passes between two instants, and when it is used up.

Pure arithmetic over coverage calendars. Instants are aware; results are in UTC. All is
counted in whole seconds: an instant within a second counts as its beginning.

A local time that does not exist is moved forward by the change of the clocks; one that
occurs twice means the first. A closed day closes only its own local date: of a window
across midnight only the part before or after it. An extra opening takes precedence over
the week and over every closed day. A date that a zone skipped has no hours.
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
