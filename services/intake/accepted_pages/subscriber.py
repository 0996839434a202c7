"""Keeps the table of accepted pages up to date with the event log.

To take an incident by its page is two commands. If a process dies between them, the
incident is accepted, nobody else is paged, and TTO runs on: then the second command
follows from here.
"""

from collections.abc import Sequence
from datetime import timedelta

from services.intake.accepted_pages.store import AcceptedPage, drop, keep
from shared.database.cursors import Cursors
from shared.domain import events
from shared.eventlog.entry import Entry

PATIENCE = timedelta(seconds=30)
"""How long the process that takes the incident has to acknowledge it."""


def apply(cursor: Cursors, entries: Sequence[Entry]) -> None:
    """Apply `entries`, in their order, inside the reader's transaction."""
    accepted: dict[str, AcceptedPage] = {}
    over: set[str] = set()
    given: dict[str, str] = {}
    removed: set[str] = set()
    for entry in entries:
        match entry.event:
            case events.EscalationAccepted(via=str()) as event:
                accepted[event.incident] = AcceptedPage(
                    event.at + PATIENCE, event.incident, event.cycle, event.person
                )
            case (
                events.IncidentAcknowledged(incident=incident)
                | events.Escalated(incident=incident)
                | events.EscalationReturned(incident=incident)
            ):
                over.add(incident)
                accepted.pop(incident, None)
            case events.IncidentAssigned(incident=incident, assignee=assignee):
                given[incident] = assignee or ""
                if incident in accepted and accepted[incident].person != assignee:
                    del accepted[incident]
            case events.PersonRemoved(person=person):
                removed.add(person)
                accepted = {
                    ref: each for ref, each in accepted.items() if each.person != person
                }
            case _:
                pass
    if over or given or removed:
        drop(cursor, over, given, removed)
    keep(cursor, accepted.values())
