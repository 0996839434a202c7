"""The metrics of a period: of the whole, of its parts, of its groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.projections.metrics.asked import Asked
from services.projections.metrics.assembling import assembled, groups
from services.projections.metrics.figures import Figures
from services.projections.metrics.queries import Cursors, find

GROUPS_MAX = 100
"""How many groups one answer holds; the others are counted in `groups_left_off`."""


@dataclass(frozen=True)
class Metrics:
    """The numbers of a period; `parts` in the order of the bounds."""

    whole: Figures
    parts: Sequence[Figures]
    groups: Sequence[tuple[str | None, Figures]]
    groups_left_off: int


def metrics(cursor: Cursors, schema: str, asked: Asked) -> Metrics:
    """Return the numbers of a period from a generation of the read model."""
    ends = (asked.bounds[0], asked.bounds[-1])
    one = replace(asked, bounds=ends, group_by=None)
    (whole,) = assembled(one, find(cursor, schema, one), None)
    parts: Sequence[Figures] = ()
    if len(asked.bounds) > len(ends):
        cut = replace(asked, group_by=None)
        parts = tuple(assembled(cut, find(cursor, schema, cut), None))
    grouped: list[tuple[str | None, Figures]] = []
    left_off = 0
    if asked.group_by:
        by_group = replace(asked, bounds=ends)
        found = find(cursor, schema, by_group)
        names = groups(found)
        left_off = max(0, len(names) - GROUPS_MAX)
        for name in names[:GROUPS_MAX]:
            (figures,) = assembled(by_group, found, name)
            grouped.append((name, figures))
    return Metrics(whole, parts or (whole,), grouped, left_off)
