"""Keeps the table of reminders up to date with the event log."""

from collections.abc import Sequence

from services.intake.reminders.store import (
    PendingReminder,
    Which,
    drop,
    keep,
    leave,
)
from shared.database.cursors import Cursors
from shared.domain import events
from shared.eventlog.entry import Entry


def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
    """Apply `entries`, in their order, inside the reader's transaction.

    A removal ends what was asked for before it, even if the person is back by now.
    """
    changes: dict[Which, PendingReminder | None] = {}
    removed: set[str] = set()
    for entry in entries:
        match entry.event:
            case events.IncidentReminderSet() as event:
                which = (event.incident, event.person, event.number)
                changes[which] = PendingReminder(event.due_at, *which)
            case events.IncidentReminded() | events.IncidentReminderCleared() as event:
                changes[event.incident, event.person, event.number] = None
            case events.PersonRemoved(person=person):
                removed.add(person)
                changes |= {
                    which: held._replace(has_left=True)
                    for which, held in changes.items()
                    if held is not None and held.person == person
                }
            case _:
                pass
    if removed:
        leave(cursor, removed)
    drop(cursor, [which for which, change in changes.items() if change is None])
    keep(cursor, [change for change in changes.values() if change is not None])
