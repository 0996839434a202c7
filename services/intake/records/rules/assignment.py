"""Rules for who works on an incident: acknowledge, assign and return.

A person who pauses, restores or resolves an unassigned incident takes it on.
"""

from typing import NamedTuple

from services.intake.records.rules.context import DecisionContext
from services.intake.records.system_command import AcknowledgeAccepted
from shared.domain.commands.incident import Acknowledge, Assign, Return
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentAcknowledged, IncidentAssigned
from shared.domain.incident import Incident
from shared.domain.policy.document import people_named, unskilled
from shared.domain.policy.targets import RANK, SupportLevel
from shared.domain.refusal import Refused, require_in_policy


class Place(NamedTuple):
    """The team that has an incident, and its support level."""

    team: str
    level: SupportLevel


def acknowledged(
    _: Acknowledge, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the events with which the caller takes on the incident."""
    return taken(incident, context)


def acknowledged_as_accepted(
    command: AcknowledgeAccepted, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the same for somebody who accepted it by a page and still has it."""
    if incident.cycle != command.cycle or not _still_has(incident, context):
        return []
    return taken(incident, context)


def _still_has(incident: Incident, context: DecisionContext) -> bool:
    """Return whether nobody else was given it since the caller accepted it."""
    if incident.assignee is not None:
        return incident.assignee == context.person
    helper = context.helper
    return helper is None or (
        helper.person == context.person and not helper.given_since
    )


def assigned(
    command: Assign, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the assignment to a team or person.

    The escalation service changes the level once it has read that the team changed.
    """
    if command.team is None and command.assignee is None:
        raise Refused("say whom to give it to: `team`, `assignee` or both", "invalid")
    here = place(incident, context)
    team = command.team or here.team
    require_in_policy("team", team, context.policy.teams)
    there = _place_of(team, here.level, incident, context)
    is_sought = context.helper is not None and context.helper.has_lapsed
    if (there, command.assignee) == (here, incident.assignee) and not is_sought:
        return []
    _require_known(command.assignee, context)
    if RANK[there.level] < RANK[here.level] and command.reason is None:
        raise Refused(
            f"{incident.ref} is at {here.level}: say in `reason` why it goes back to "
            f"{team}",
            "invalid",
        )
    return [_assignment(team, command.assignee, command.reason, incident, context)]


def returned(
    command: Return, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the assignment to the desk, or to a team at a lower level."""
    here = place(incident, context)
    team = command.team or _desk_of(incident, context)
    require_in_policy("team", team, context.policy.teams)
    there = _place_of(team, here.level, incident, context)
    if there == here or (command.team is None and here.level == "n1"):
        return []
    if RANK[there.level] >= RANK[here.level]:
        raise Refused(
            f"{incident.ref} is at {here.level}, and {team} is not below that: assign "
            "it to them instead",
            "state",
        )
    return [_assignment(team, None, command.reason, incident, context)]


def place(incident: Incident, context: DecisionContext) -> Place:
    """Return the team and level that have an incident.

    This is what its escalation says, or a later assignment: an assignment takes effect
    before the escalation service has read it.
    """
    helper = context.helper
    if helper is not None and not helper.given_since:
        return Place(helper.team, helper.level)
    level = helper.level if helper else "n1"
    if not incident.given:
        return Place(incident.team, level)
    return _place_of(incident.team, level, incident, context)


def _place_of(
    team: str, level: SupportLevel, incident: Incident, context: DecisionContext
) -> Place:
    """Return the place for a team; a team without a level keeps the current one."""
    entry = context.policy.teams.get(team)
    own = entry.level if entry else None
    if own is None and team == incident.desk_team:
        own = "n1"
    return Place(team, own or level)


def back_at_the_desk(
    incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the event that assigns a reopened incident to the first-contact team.

    Nothing if a team at N1 already has it.
    """
    team = context.policy.teams.get(incident.team)
    at_n1 = team is not None and team.level == "n1"
    desk = _desk_of(incident, context)
    if at_n1 or incident.team == desk:
        return []
    return [_assignment(desk, None, None, incident, context)]


def _desk_of(incident: Incident, context: DecisionContext) -> str:
    """Return the team that opened it; if no policy has that now, the one of today."""
    own, policy = incident.desk_team, context.policy
    return own if own in policy.teams else policy.team_of_first_contact


def _require_known(person: str | None, context: DecisionContext) -> None:
    """Raise `Refused` if the desk knows nobody with this id."""
    if person not in context.strangers or person == context.person:
        return
    if person not in people_named(context.policy):
        raise Refused(
            f"nobody here has the id `{person}`: look them up with GET /v1/people?q=… "
            "and give the `id` found there",
            "unknown_assignee",
        )


def _assignment(
    team: str,
    assignee: str | None,
    reason: str | None,
    incident: Incident,
    context: DecisionContext,
) -> IncidentAssigned:
    people = [assignee] if assignee else ()
    return IncidentAssigned(
        **context.on(incident.ref, None if reason is None else context.by),
        team=team,
        assignee=assignee,
        reason=reason,
        unskilled=unskilled(context.policy, team, incident.service, people),
    )


def taken(incident: Incident, context: DecisionContext) -> list[IncidentEvent]:
    """Return the events with which the caller takes on an unacknowledged incident.

    Empty for a machine: TTO is met by people. The caller becomes the assignee, unless
    the incident was assigned to somebody else, or people above N1 work on it: then it
    stays with them.
    """
    person = context.person
    if incident.acknowledged_at is not None or person is None:
        return []
    acknowledgement = IncidentAcknowledged(**context.on(incident.ref))
    team = _team_taking(person, incident, context)
    if team is None:
        return [acknowledgement]
    return [acknowledgement, _assignment(team, person, None, incident, context)]


def _team_taking(
    person: str, incident: Incident, context: DecisionContext
) -> str | None:
    """Return the team in which the caller takes it on; None if they do not."""
    if incident.assignee is not None:
        return None
    helper = context.helper
    if helper is None or helper.level == "n1":
        return incident.team
    team = context.policy.teams.get(helper.team)
    belongs = team is not None and person in team.members
    helps = person == helper.person or (helper.person is None and belongs)
    return helper.team if helps else None
