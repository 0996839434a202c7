"""Rules for an incident that a person opens."""

from services.intake.commands.rules.assignment import taken
from services.intake.commands.rules.classification import settled
from services.intake.commands.rules.context import DecisionContext, Refused, known
from shared.domain.commands.incident import Open
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentContacted, IncidentOpened
from shared.domain.incident import evolve
from shared.domain.policy.contracts import UNKNOWN

LIVE_CHANNELS = frozenset({"phone", "chat", "in_person"})
"""Channels on which the reporter talks to the person who records it."""


def opened(wish: Open, circumstances: DecisionContext) -> list[IncidentEvent]:
    """Return the opening, the contact, and the acknowledgement if there is one.

    An agent who records it while talking to the reporter, or without a reporter, takes
    it on; an agent who copies a message, or records an abandoned call, does not.
    """
    opening = _opening(wish, circumstances)
    events: list[IncidentEvent] = [opening]
    if wish.reporter and wish.channel:
        events.append(
            IncidentContacted(
                **circumstances.on(opening.incident, opening.whose),
                person=wish.reporter,
                direction="inbound",
                channel=wish.channel,
                contacted_at=opening.reported_at,
                words=wish.description,
                waited_seconds=wish.waited_seconds,
                abandoned=wish.abandoned,
                sender_unconfirmed=wish.sender_unconfirmed or None,
            )
        )
    by_somebody_else = circumstances.person not in (None, wish.reporter)
    in_person = wish.channel in {None, *LIVE_CHANNELS} and not wish.abandoned
    if by_somebody_else and in_person:
        events += taken(evolve(None, opening), circumstances)
    return events


def _opening(wish: Open, circumstances: DecisionContext) -> IncidentOpened:
    policy, command = circumstances.policy, circumstances.command
    _not_backdated_silently(wish, circumstances)
    if wish.follows and circumstances.other is None:
        raise Refused(f"there is no incident {wish.follows}", "unknown_target")
    service = known("service", wish.service or UNKNOWN, policy.services)
    if wish.category:
        known("category", wish.category, policy.categories)
    impact = wish.impact or policy.service(service).criticality
    priority, override = settled(
        circumstances, impact, wish.urgency, wish.priority, wish.reason
    )
    whose = f"person:{wish.reporter}" if wish.reporter else command.by
    return IncidentOpened(
        **circumstances.on(command.incident, whose),
        origin="user" if wish.reporter else "agent",
        title=wish.title,
        service=service,
        category=wish.category,
        client=wish.client or command.client,
        impact=impact,
        urgency=wish.urgency,
        priority=priority,
        override=override,
        override_reason=wish.reason if override else None,
        team=policy.team_of_first_contact,
        reporter=wish.reporter,
        channel=wish.channel if wish.reporter else None,
        details=None if wish.reporter else wish.description,
        reported_at=wish.reported_at or command.at,
        backdated_because=wish.backdated_because,
        follows=wish.follows,
    )


def _not_backdated_silently(wish: Open, circumstances: DecisionContext) -> None:
    now, reported = circumstances.command.at, wish.reported_at
    if reported and reported > now:
        raise Refused(
            f"`reported_at` lies ahead; it is {now:%Y-%m-%dT%H:%M:%SZ} now: leave it "
            "out to say now",
            "invalid",
        )
    if reported and reported < now and wish.backdated_because is None:
        raise Refused(
            "it was reported before now: say in `backdated_because` why it is only "
            "recorded now, or leave `reported_at` out",
            "invalid",
        )
