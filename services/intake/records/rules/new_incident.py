"""Rules for an incident that a person opens."""

from services.intake.records.rules.assignment import taken
from services.intake.records.rules.classification import priority_of
from services.intake.records.rules.context import DecisionContext
from shared.domain.commands.incident import Open
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentContacted, IncidentOpened
from shared.domain.incident import Incident, evolve
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.refusal import Refused, require_in_policy

LIVE_CHANNELS = frozenset({"phone", "chat", "in_person"})
"""Channels on which the reporter talks to the person who records it."""


def opened(command: Open, context: DecisionContext) -> list[IncidentEvent]:
    """Return the opening, the contact, and the acknowledgement if there is one.

    An agent who records it while talking to the reporter, or without a reporter, takes
    it on; an agent who copies a message, or records an abandoned call, does not.
    """
    opening = _opening(command, context)
    events: list[IncidentEvent] = [opening]
    if command.reporter and command.channel:
        events.append(
            IncidentContacted(
                **context.on(opening.incident, opening.whose),
                person=command.reporter,
                direction="inbound",
                channel=command.channel,
                contacted_at=opening.reported_at,
                words=command.description,
                waited_seconds=command.waited_seconds,
                abandoned=command.abandoned,
                sender_unconfirmed=command.sender_unconfirmed or None,
            )
        )
    by_somebody_else = context.person not in (None, command.reporter)
    in_person = command.channel in {None, *LIVE_CHANNELS} and not command.abandoned
    if by_somebody_else and in_person:
        events += taken(evolve(None, opening), context)
    return events


def _opening(command: Open, context: DecisionContext) -> IncidentOpened:
    policy = context.policy
    _not_backdated_silently(command, context)
    if command.follows:
        context.require(Incident, command.follows)
    service = require_in_policy("service", command.service or UNKNOWN, policy.services)
    if command.category:
        require_in_policy("category", command.category, policy.categories)
    impact = command.impact or policy.service(service).criticality
    priority, override = priority_of(
        context, impact, command.urgency, command.priority, command.reason
    )
    whose = f"person:{command.reporter}" if command.reporter else context.by
    return IncidentOpened(
        **context.on(context.ref, whose),
        origin="user" if command.reporter else "agent",
        title=command.title,
        service=service,
        category=command.category,
        client=command.client or context.client,
        impact=impact,
        urgency=command.urgency,
        priority=priority,
        override=override,
        override_reason=command.reason if override else None,
        team=policy.team_of_first_contact,
        reporter=command.reporter,
        channel=command.channel if command.reporter else None,
        details=None if command.reporter else command.description,
        reported_at=command.reported_at or context.at,
        backdated_because=command.backdated_because,
        follows=command.follows,
    )


def _not_backdated_silently(command: Open, context: DecisionContext) -> None:
    now, reported = context.at, command.reported_at
    if reported and reported > now:
        raise Refused(
            f"`reported_at` lies ahead; it is {now:%Y-%m-%dT%H:%M:%SZ} now: leave it "
            "out to say now",
            "invalid",
        )
    if reported and reported < now and command.backdated_because is None:
        raise Refused(
            "it was reported before now: say in `backdated_because` why it is only "
            "recorded now, or leave `reported_at` out",
            "invalid",
        )
