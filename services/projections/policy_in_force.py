"""The policy that was in force at a position of the log."""

from typing import Any

from psycopg import Cursor

from services.projections.log_rows import newest_row
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.eventlog.policies import policy_of

_UPTO = f"""
{SELECT_ROWS} WHERE originator_id = %s AND notification_id <= %s
ORDER BY originator_version DESC LIMIT 1
"""
_Cursor = Cursor[tuple[Any, ...]]


def policy_at(
    log: EventLog, cursor: _Cursor, position: int
) -> tuple[int, Policy] | None:
    """Return the version and the policy; None where none was applied by then."""
    row = cursor.execute(_UPTO, (STREAM, position), binary=True).fetchone()
    if row is None:
        return None
    entry = log.entry(Row(*row))
    match entry.event:
        case PolicyApplied() as applied:
            return entry.version, policy_of(cursor, applied)
        case _:
            return None


def policy_in_force(log: EventLog, cursor: _Cursor) -> Policy | None:
    """Return the newest policy, None where none was applied."""
    row = newest_row(cursor, STREAM)
    event = log.entry(row).event if row else None
    match event:
        case PolicyApplied() as applied:
            return policy_of(cursor, applied)
        case _:
            return None


def desk_zone(log: EventLog, cursor: _Cursor) -> str:
    """Return the zone of the desk, as the policy in force has it; UTC without one."""
    policy = policy_in_force(log, cursor)
    return policy.desk.timezone if policy else "UTC"
