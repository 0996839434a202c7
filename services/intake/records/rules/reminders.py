"""Rules for reminders: each person may have some on an incident.

A reminder becomes due once; then its number is free for the next one. On an incident
that has ended by then it is dropped; until then an incident may end and be reopened
without losing it. Those of somebody who was removed end at once.
"""

from datetime import timedelta
from typing import Literal, assert_never

from services.intake.records.rules.context import DecisionContext
from services.intake.records.system_command import FireReminder
from shared.domain.commands.incident import REMINDERS_MAX, Note, Remind, Unremind
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentNoted,
    IncidentReminded,
    IncidentReminderCleared,
    IncidentReminderSet,
)
from shared.domain.incident import Incident, Reminder, Status
from shared.domain.refusal import Refused

FARTHEST = timedelta(days=366)


def noted(
    command: Note, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the internal note."""
    return [IncidentNoted(**context.about(incident), note=command.note)]


def reminder_set(
    command: Remind, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return another reminder of the caller, unless they have the same one already."""
    person = _person(context)
    due_at = command.at or context.at + (command.for_ or timedelta())
    if due_at <= context.at:
        raise Refused("that is past: name an instant in the future", "invalid")
    if due_at - context.at > FARTHEST:
        raise Refused(
            f"at most {FARTHEST.days} days ahead: name an earlier instant", "invalid"
        )
    held = incident.reminders.get(person, {})
    if Reminder(due_at, command.note) in held.values():
        return []
    waiting = {number for number, each in held.items() if not each.reminded}
    number = next((n for n in range(1, REMINDERS_MAX + 1) if n not in waiting), None)
    if number is None:
        raise Refused(
            f"you have {REMINDERS_MAX} reminders of {incident.ref}: clear one first",
            "state",
        )
    return [
        IncidentReminderSet(
            **context.about(incident),
            person=person,
            due_at=due_at,
            note=command.note,
            number=number,
        )
    ]


def reminder_cleared(
    command: Unremind, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the end of the caller's reminder, or of all of theirs."""
    person = _person(context)
    held = sorted(incident.reminders.get(person, {}))
    numbers = held if command.number is None else [command.number]
    return [
        _cleared(person, number, "agent", incident, context)
        for number in numbers
        if number in held
    ]


def reminder_fired(
    command: FireReminder, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the reminder that is due, or its end if nobody needs it.

    Empty if it was replaced, cleared or became due before.
    """
    person, number = command.person, command.number
    held = incident.reminders.get(person, {}).get(number)
    if held is None or held.reminded or held.due_at != command.due_at:
        return []
    if command.has_left:
        return [_cleared(person, number, "removed", incident, context)]
    match incident.status:
        case Status.NEW | Status.ACKNOWLEDGED | Status.PAUSED | Status.RESOLVED:
            common = context.on(incident.ref)
            return [
                IncidentReminded(
                    **common, person=person, due_at=held.due_at, number=number
                )
            ]
        case Status.CLOSED:
            return [_cleared(person, number, "closed", incident, context)]
        case Status.CANCELLED:
            return [_cleared(person, number, "cancelled", incident, context)]
        case Status.MERGED:
            return [_cleared(person, number, "merged", incident, context)]
        case _:
            assert_never(incident.status)


def _cleared(
    person: str,
    number: int,
    cause: Literal["agent", "closed", "cancelled", "merged", "removed"],
    incident: Incident,
    context: DecisionContext,
) -> IncidentReminderCleared:
    common = context.on(incident.ref)
    return IncidentReminderCleared(**common, person=person, cause=cause, number=number)


def _person(context: DecisionContext) -> str:
    if context.person is None:
        raise Refused("only a person can be reminded: use a person's token", "role")
    return context.person
