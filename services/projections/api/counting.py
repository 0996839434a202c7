"""From counted cells to what an answer shows."""

from collections import Counter
from collections.abc import Iterable

from services.projections.api.answers import Counts


def counts_of(cells: Iterable[tuple[str, str, bool, int]]) -> Counts:
    """Return the sums of (status, priority, breached, number)."""
    status: Counter[str] = Counter()
    priority: Counter[str] = Counter()
    breached: Counter[bool] = Counter()
    for of_status, of_priority, of_breached, number in cells:
        status[of_status] += number
        priority[of_priority] += number
        breached[of_breached] += number
    return Counts(
        open=status.total(),
        breached=breached[True],
        status=dict(sorted(status.items())),
        priority=dict(sorted(priority.items())),
    )
