"""From counted cells to what an answer shows."""

from collections import Counter
from collections.abc import Iterable

from services.projections.api.answers import Counts


def counts_of(cells: Iterable[tuple[str, str, int]]) -> Counts:
    """Return the sums of (status, priority, number)."""
    status: Counter[str] = Counter()
    priority: Counter[str] = Counter()
    for of_status, of_priority, number in cells:
        status[of_status] += number
        priority[of_priority] += number
    return Counts(
        open=status.total(),
        status=dict(sorted(status.items())),
        priority=dict(sorted(priority.items())),
    )
