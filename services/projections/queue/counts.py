"""How many open incidents each queue holds: by status, priority, broken promise.

Always the difference of what two states contribute, never a free increment: a repeat
or a restart cannot make a count drift from the rows it counts.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from services.projections.queue.row import BREACHED, QueueRow, in_stock, rank


class Cell(NamedTuple):
    """One count: a queue's stored name, a status, a priority.

    `breached`: a promise was broken, and there is still work to do.
    """

    queue: str
    status: str
    priority: str
    breached: bool


ALL = "all"
UNASSIGNED = "unassigned"


def team_queue(team: str) -> str:
    """Return the stored name of a team's queue."""
    return f"team:{team}"


def person_queue(person: str) -> str:
    """Return the stored name of the queue of what is assigned to `person`."""
    return f"person:{person}"


def cells(row: QueueRow | None) -> tuple[Cell, ...]:
    """Return where a row counts one; nowhere once it left the stock."""
    if row is None or not in_stock(row):
        return ()
    own = person_queue(row.assignee) if row.assignee else UNASSIGNED
    breached = rank(row) == BREACHED
    return tuple(
        Cell(queue, row.status, row.priority, breached)
        for queue in (ALL, team_queue(row.team), own)
    )


def difference(
    changes: Iterable[tuple[QueueRow | None, QueueRow | None]],
) -> Counter[Cell]:
    """Return by how much each count moves when rows go from old to new."""
    moved: Counter[Cell] = Counter()
    for old, new in changes:
        was, now = cells(old), cells(new)
        if was != now:
            moved.subtract(was)
            moved.update(now)
    return Counter({cell: n for cell, n in moved.items() if n})
