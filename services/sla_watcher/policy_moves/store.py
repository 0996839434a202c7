"""Queries for moves: which incidents a move covers, and how far it has come."""

from collections.abc import Sequence

from shared.database.cursors import Cursors
from shared.domain.commands.policy_moves import MoveScope, MoveSeen
from shared.domain.events.administration import PromisesMoved
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

# Open incidents with promises under another version.
_LIVE = """
FROM sla.cases
WHERE state ->> 'gone' IS NULL AND state ->> 'resolved_at' IS NULL
  AND (state ->> 'policy')::int <> %(to)s
  AND (%(service)s::text IS NULL OR state ->> 'service' = %(service)s)
  AND (%(clock)s::text IS NULL OR state @? %(clock)s::jsonpath)
"""
_AFTER = (
    "SELECT incident"
    + _LIVE
    + """
  AND incident > %(after)s AND (%(incident)s::text IS NULL OR incident = %(incident)s)
ORDER BY incident LIMIT %(limit)s
"""
)
_LEFT = "SELECT count(*)" + _LIVE
_MOVED = """
SELECT count(*), min(recorded_at), max(recorded_at) FROM log.events
WHERE topic = 'promises.moved'
  AND log.said(state, 'operation') = %s
"""
_FIRST = (
    SELECT_ROWS
    + """
WHERE topic = 'promises.moved'
  AND log.said(state, 'operation') = %s
ORDER BY notification_id LIMIT 1
"""
)


def incidents_of(cursor: Cursors, which: MoveScope) -> Sequence[str]:
    """Return the incidents of a page in order, and one more if there are more."""
    given = _asked(which.to, which.contract, which.service) | {
        "after": which.after or "",
        "incident": which.incident,
        "limit": which.limit + 1,
    }
    return [name for (name,) in cursor.execute(_AFTER, given)]


def first_of(log: EventLog, cursor: Cursors, operation: str) -> PromisesMoved | None:
    """Return the first event of a move, or None."""
    rows = cursor.execute(_FIRST, (operation,), binary=True).fetchall()
    for entry in log.entries([Row(*row) for row in rows]):
        if isinstance(entry.event, PromisesMoved):
            return entry.event
    return None


def seen(log: EventLog, cursor: Cursors, operation: str) -> MoveSeen | None:
    """Return the progress of a move; None if it moved nothing."""
    first = first_of(log, cursor, operation)
    row = cursor.execute(_MOVED, (operation,)).fetchone()
    if first is None or row is None:
        return None
    moved, first_at, last_at = row
    return MoveSeen(
        operation=operation,
        to=first.policy,
        by=first.by,
        reason=first.reason,
        contract=first.contract,
        service=first.service,
        moved=moved,
        left=0 if first.alone else _left(cursor, first),
        first_moved_at=first_at,
        last_moved_at=last_at,
    )


def _left(cursor: Cursors, first: PromisesMoved) -> int:
    given = _asked(first.policy, first.contract, first.service)
    row = cursor.execute(_LEFT, given).fetchone()
    return int(row[0]) if row else 0


def _asked(to: int, contract: str | None, service: str | None) -> dict[str, object]:
    own, also = f'@.contract == "{contract}"', f'@.contract starts with "{contract}."'
    clock = f"$.clocks[*] ? ({own} || {also})" if contract else None
    return {"to": to, "service": service, "clock": clock}
