"""Lets a desk on a lever come to rest, and walks it from due instant to due instant.

At rest means: every reader that decides is at the head of the log, no timer is overdue,
nothing waits to leave. It is read in one statement, so in one snapshot.
"""

from collections.abc import Sequence
from datetime import datetime

import psycopg

from shared.clock import clock_from
from tests.support.desks.running import Desk
from tests.support.patience import until

_DUE = """
    SELECT min(next_at) AS at, 'sla' AS what FROM sla.cases
    UNION ALL SELECT min(next_at), 'escalation' FROM escalation.cases
    UNION ALL SELECT min(next_at), 'outbox' FROM escalation.outbox
    UNION ALL SELECT min(due_at), 'closing' FROM intake.silences
    UNION ALL SELECT min(due_at), 'reminders' FROM intake.reminders
    UNION ALL SELECT min(due_at), 'accepted pages' FROM intake.accepted_pages
"""
_RESTLESS = f"""
    SELECT what FROM ({_DUE}) AS due WHERE at <= %(now)s
    UNION ALL SELECT reader FROM (
        SELECT * FROM sla.tracking UNION ALL SELECT * FROM escalation.tracking
        UNION ALL SELECT * FROM intake.tracking
    ) AS readers
    WHERE reader = ANY(%(readers)s)
      AND position < (SELECT max(notification_id) FROM log.events)
    UNION ALL SELECT 'unsent' FROM escalation.outbox WHERE %(sent)s
"""
_NEXT = f"SELECT min(at) FROM ({_DUE}) AS due WHERE at > %(now)s"
DECIDING = ("sla_watcher", "escalation", "closing")


def settle(
    desk: Desk, readers: tuple[str, ...] = DECIDING, *, sent: bool = False
) -> None:
    """Return once the desk is at rest.

    With `sent` also no message may wait for an attempt later on.
    """
    restless: list[str] = []

    def at_rest() -> bool:
        restless[:] = _restless(desk, readers, sent=sent)
        return not restless

    until(at_rest, lambda: f"the desk comes to rest\n{_state(desk, restless)}")


def _state(desk: Desk, restless: Sequence[str]) -> str:
    """Say what is not at rest, and what each process wrote last."""
    ends = [f"{name}: {desk.output(name)[-1500:]}" for name in desk.services]
    return "\n".join([f"not at rest: {', '.join(restless)}", *ends])


def desk_until(
    desk: Desk, instant: datetime, readers: tuple[str, ...] = DECIDING
) -> None:
    """Move the lever from due instant to due instant, and last to `instant`."""
    settle(desk, readers)
    while (due := next_due(desk)) is not None and due < instant:
        desk.move_to(due)
        settle(desk, readers)
    desk.move_to(instant)
    settle(desk, readers)


def next_due(desk: Desk) -> datetime | None:
    """Return the first instant ahead at which somebody has to do something."""
    with psycopg.connect(desk.database.owner_dsn) as connection:
        row = connection.execute(_NEXT, {"now": clock_from(desk.lever)()}).fetchone()
    return row[0] if row else None


def _restless(desk: Desk, readers: tuple[str, ...], *, sent: bool) -> list[str]:
    now = clock_from(desk.lever)()
    given = {"now": now, "readers": list(readers), "sent": sent}
    try:
        with psycopg.connect(desk.database.owner_dsn) as connection:
            return [what for (what,) in connection.execute(_RESTLESS, given)]
    except psycopg.OperationalError as error:
        return [f"PostgreSQL: {error}"]
