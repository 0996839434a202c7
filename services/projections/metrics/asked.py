"""What is asked of the metrics: which period, cut where, by what, up to when known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

GroupBy = Literal["service", "client", "priority", "team", "category", "channel"]
GROUPS = get_args(GroupBy)


@dataclass(frozen=True)
class Asked:
    """A period by its `bounds`, each part from one to the next; at least two.

    `within` are delays in seconds; `known` is when the newest event that counts was
    recorded.
    """

    bounds: Sequence[datetime]
    within: Sequence[int]
    group_by: GroupBy | None
    known: datetime

    @property
    def group(self) -> str:
        """The column to group by, in SQL."""
        return self.group_by or "NULL::text"
