"""Keeps the last turn of each target that is paged by turns.

Follows from the log, so that it can be rebuilt.
"""

from services.escalation.round_robin.rules import Turn, turn_in
from shared.database.cursors import Cursors
from shared.domain import events

# Cases are locked first, then this, then a turn: two escalations that page several
# targets in different orders do not wait for each other, nor have the same turn.
_ALONE = "LOCK TABLE escalation.turn_lock IN EXCLUSIVE MODE"
_NOTE = """
INSERT INTO escalation.turns AS held (target, number, person)
VALUES (%(target)s, %(number)s, %(person)s)
ON CONFLICT (target) DO UPDATE SET number = excluded.number, person = excluded.person
WHERE excluded.number > held.number
"""
_LAST = "SELECT number, person FROM escalation.turns WHERE target = %s"


def note(cursor: Cursors, event: events.AnyEvent) -> None:
    """Remember the turn that a page was, as the transaction stores it with its case.

    A decision that a case had lost may come after later ones: the highest number
    counts.
    """
    if isinstance(event, events.EscalationPaged) and (turn := turn_in(event)):
        key, (number, person) = turn
        cursor.execute(_ALONE)
        cursor.execute(_NOTE, {"target": key, "number": number, "person": person})


def turn_before(cursor: Cursors, target: str) -> Turn | None:
    """Return the last turn of a target; no other is made before the transaction ends.

    The cases that are decided are locked before.
    """
    cursor.execute(_ALONE)
    return last_turn(cursor, target)


def last_turn(cursor: Cursors, target: str) -> Turn | None:
    """Return the last turn of a target, by its key; None before the first."""
    row = cursor.execute(_LAST, (target,)).fetchone()
    return None if row is None else Turn(*row)
