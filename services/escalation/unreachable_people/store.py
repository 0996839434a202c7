"""Keeps whose managers know that they have no verified contact method: once until then.

Follows from the log, so that it can be rebuilt.
"""

from shared.database.cursors import Cursors
from shared.domain import events

_ADD = """
INSERT INTO escalation.unreachable_people (person) VALUES (%s)
ON CONFLICT DO NOTHING
"""
_DELETE = "DELETE FROM escalation.unreachable_people WHERE person = %s"
_KNOWN = "SELECT FROM escalation.unreachable_people WHERE person = %s"


def note(cursor: Cursors, event: events.AnyEvent) -> None:
    """Remember what an event says of people without a verified contact method.

    A decision is noted when it is made and when it is read back: until then a flood of
    incidents would alarm the manager of each.
    """
    match event:
        case events.EscalationUnreachable(person=person):
            cursor.execute(_ADD, (person,))
        case (
            events.PersonContactMethodVerified(person=person)
            | events.PersonRemoved(person=person)
        ):
            cursor.execute(_DELETE, (person,))
        case _:
            pass


def is_alarmed(cursor: Cursors, person: str) -> bool:
    """Return whether managers were informed about a person since the last change."""
    return cursor.execute(_KNOWN, (person,)).fetchone() is not None
