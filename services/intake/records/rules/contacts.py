"""Rules for contacts with people, and for the pause in which an incident waits for one.

A user's reply ends the pause in which the incident waits for the user.
"""

from typing import Literal

from services.intake.records.rules.assignment import taken
from services.intake.records.rules.context import DecisionContext
from shared.domain import events
from shared.domain.commands.incident import Attach, Inform, Pause, Resume
from shared.domain.incident import Incident
from shared.domain.incident.possible import refused_by_pause
from shared.domain.refusal import Refused


def attached(
    command: Attach, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the contact, and the end of the pause if it is the user's reply."""
    now = context.at
    assert command.person is not None  # noqa: S101 # a new caller has an id by now
    if command.contacted_at and command.contacted_at > now:
        raise Refused(
            f"`contacted_at` lies ahead; it is {now:%Y-%m-%dT%H:%M:%SZ} now: leave it "
            "out to say now",
            "invalid",
        )
    contacted = events.IncidentContacted(
        **context.on(incident.ref, f"person:{command.person}"),
        person=command.person,
        direction=command.direction,
        channel=command.channel,
        contacted_at=command.contacted_at or now,
        words=command.words,
        waited_seconds=command.waited_seconds,
        abandoned=command.abandoned,
        unconfirmed=command.unconfirmed or None,
        sender_unconfirmed=command.sender_unconfirmed or None,
    )
    if contacted == incident.last_contact:
        return []
    ends = _is_reply(command, incident)
    return [contacted, *(_end_of_pause("reply", incident, context) if ends else ())]


def _is_reply(command: Attach, incident: Incident) -> bool:
    """Return whether this is the user's reply to the question that it is paused for."""
    inbound = command.direction == "inbound" and command.person in incident.reporters
    waits = incident.pause is not None and incident.pause.reason == "user"
    silent = command.abandoned and command.words is None
    doubtful = command.unconfirmed or command.sender_unconfirmed
    return inbound and waits and not silent and not doubtful


def informed(
    command: Inform, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the message to the users, unless it was just sent."""
    last = (incident.last_message, incident.last_informed_at)
    if last == (command.message, context.at):
        return []
    return [events.IncidentInformed(**context.about(incident), message=command.message)]


def paused(
    command: Pause, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the pause; the caller takes on an unassigned incident."""
    if command.reason == "user" and command.question is None:
        raise Refused("say in `question` what the user is asked", "invalid")
    held = incident.pause
    if held and (held.reason, held.question) == (command.reason, command.question):
        return []
    if why := refused_by_pause(incident):
        raise why
    pause = events.IncidentPaused(
        **context.about(incident),
        reason=command.reason,
        question=command.question,
        awaits_delivery=command.reason == "user",
    )
    return [*taken(incident, context), pause]


def resumed(
    _: Resume, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the end of the pause."""
    return _end_of_pause("agent", incident, context)


def unpaused(
    cause: Literal["resolved", "cancelled", "merged"],
    incident: Incident,
    context: DecisionContext,
) -> list[events.IncidentEvent]:
    """Return the end of the pause of an incident that ends, if there is one."""
    return [] if incident.pause is None else _end_of_pause(cause, incident, context)


def _end_of_pause(
    cause: Literal["reply", "agent", "resolved", "cancelled", "merged"],
    incident: Incident,
    context: DecisionContext,
) -> list[events.IncidentEvent]:
    return [events.IncidentResumed(**context.on(incident.ref), cause=cause)]
