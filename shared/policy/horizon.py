"""For which years closed days are written down as dates when a policy is applied."""

from datetime import date

YEARS_BACK = 1
YEARS_AHEAD = 5


def horizon(on: date) -> range:
    """Return the years that a policy applied on that day has dates for."""
    return range(on.year - YEARS_BACK, on.year + YEARS_AHEAD + 1)
