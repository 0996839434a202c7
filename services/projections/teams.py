"""The teams of the policy in force: each has a queue, also while it is empty."""

from typing import Any

from psycopg import Cursor

from services.projections.log_rows import newest_row
from shared.event_log import EventLog
from shared.events.policy import STREAM, PolicyApplied


def teams(log: EventLog, cursor: Cursor[tuple[Any, ...]]) -> frozenset[str]:
    """Return the names of the teams; none before a policy was applied."""
    row = newest_row(cursor, STREAM)
    if row is None:
        return frozenset()
    match log.entry(row).event:
        case PolicyApplied(document={"teams": dict(named)}):
            return frozenset(named)
        case _:
            return frozenset()
