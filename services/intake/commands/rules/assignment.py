"""Rules for the work on an open incident: contact, assignment, pause, messages.

A person who pauses, restores or resolves an unassigned incident takes it on.
"""

from typing import NamedTuple, assert_never

from services.intake.commands.rules.classification import described
from services.intake.commands.rules.context import DecisionContext, Refused, known
from shared.domain.commands.incident import (
    Acknowledge,
    Assign,
    Attach,
    Classify,
    Edit,
    Inform,
    Pause,
    Resume,
    Return,
)
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentContacted,
    IncidentInformed,
    IncidentPaused,
    IncidentResumed,
)
from shared.domain.incident import Incident
from shared.domain.policy.document import unskilled
from shared.domain.policy.targets import RANK, SupportLevel


class Place(NamedTuple):
    """The team that has an incident, and its support level."""

    team: str
    level: SupportLevel


def given(
    wish: Assign | Return, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a command that the status table allows.

    The escalation service changes the level once it has read that the team changed.
    """
    here = place(incident, circumstances)
    match wish:
        case Assign():
            return _assigned(wish, incident, here, circumstances)
        case Return():
            return _returned(wish, incident, here, circumstances)
        case _:
            assert_never(wish)


def place(incident: Incident, circumstances: DecisionContext) -> Place:
    """Return the team and level that have an incident.

    This is what its escalation says, or a later assignment: an assignment takes effect
    before the escalation service has read it.
    """
    helper = circumstances.helper
    if helper is not None and not helper.given_since:
        return Place(helper.team, helper.level)
    level = helper.level if helper else "n1"
    if not incident.given:
        return Place(incident.team, level)
    return _at(incident.team, level, incident, circumstances)


def _at(
    team: str, level: SupportLevel, incident: Incident, circumstances: DecisionContext
) -> Place:
    """Return the place for a team; a team without a level keeps the current one."""
    found = circumstances.policy.teams.get(team)
    own = found.level if found else None
    if own is None and team == incident.desk_team:
        own = "n1"
    return Place(team, own or level)


def back_at_the_desk(
    incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the event that assigns a reopened incident to the first-contact team.

    Nothing if a team at N1 already has it.
    """
    team = circumstances.policy.teams.get(incident.team)
    at_n1 = team is not None and team.level == "n1"
    if at_n1 or incident.team == incident.desk_team:
        return []
    return [_gives(incident.desk_team, None, None, incident, circumstances)]


def _assigned(
    wish: Assign, incident: Incident, here: Place, circumstances: DecisionContext
) -> list[IncidentEvent]:
    if wish.team is None and wish.assignee is None:
        raise Refused("say whom to give it to: `team`, `assignee` or both", "invalid")
    team = wish.team or here.team
    known("team", team, circumstances.policy.teams)
    there = _at(team, here.level, incident, circumstances)
    if (there, wish.assignee) == (here, incident.assignee):
        return []
    if RANK[there.level] < RANK[here.level] and wish.reason is None:
        raise Refused(
            f"{incident.ref} is at {here.level}: say in `reason` why it goes back to "
            f"{team}",
            "invalid",
        )
    return [_gives(team, wish.assignee, wish.reason, incident, circumstances)]


def _returned(
    wish: Return, incident: Incident, here: Place, circumstances: DecisionContext
) -> list[IncidentEvent]:
    team = wish.team or incident.desk_team
    known("team", team, circumstances.policy.teams)
    there = _at(team, here.level, incident, circumstances)
    if there == here or (wish.team is None and here.level == "n1"):
        return []
    if RANK[there.level] >= RANK[here.level]:
        raise Refused(
            f"{incident.ref} is at {here.level}, and {team} is not below that: assign "
            "it to them instead",
            "state",
        )
    return [_gives(team, None, wish.reason, incident, circumstances)]


def _gives(
    team: str,
    assignee: str | None,
    reason: str | None,
    incident: Incident,
    circumstances: DecisionContext,
) -> IncidentAssigned:
    common = circumstances.on(incident.ref)
    if reason is not None:
        common = circumstances.on(incident.ref, circumstances.command.by)
    return IncidentAssigned(
        **common,
        team=team,
        assignee=assignee,
        reason=reason,
        unskilled=unskilled(
            circumstances.policy, team, incident.service, [assignee] if assignee else ()
        ),
    )


def taken(incident: Incident, circumstances: DecisionContext) -> list[IncidentEvent]:
    """Return the events with which the caller takes on an unacknowledged incident.

    Empty for a machine: TTO is met by people. The caller becomes the assignee, unless
    the incident was assigned to somebody else, or people above N1 work on it: then it
    stays with them.
    """
    person = circumstances.person
    if incident.acknowledged_at is not None or person is None:
        return []
    common = circumstances.on(incident.ref)
    acknowledged = IncidentAcknowledged(**common)
    team = _team(incident, circumstances, person)
    if team is None:
        return [acknowledged]
    lacks = unskilled(circumstances.policy, team, incident.service, [person])
    assigned = IncidentAssigned(**common, team=team, assignee=person, unskilled=lacks)
    return [acknowledged, assigned]


def _team(
    incident: Incident, circumstances: DecisionContext, person: str
) -> str | None:
    """Return the team in which the caller takes it on; None if they do not."""
    if incident.assignee is not None:
        return None
    helper = circumstances.helper
    if helper is None or helper.level == "n1":
        return incident.team
    team = circumstances.policy.teams.get(helper.team)
    belongs = team is not None and person in team.members
    helps = person == helper.person or (helper.person is None and belongs)
    return helper.team if helps else None


WorkWish = (
    Attach | Classify | Edit | Assign | Return | Acknowledge | Pause | Resume | Inform
)


def worked(  # noqa: PLR0911 # one return for each case
    wish: WorkWish, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a command that the status table allows."""
    match wish:
        case Attach():
            return _attached(wish, incident, circumstances)
        case Classify() | Edit():
            return described(wish, incident, circumstances)
        case Assign() | Return():
            return given(wish, incident, circumstances)
        case Acknowledge():
            return taken(incident, circumstances)
        case Pause():
            return _paused(wish, incident, circumstances)
        case Resume():
            common = circumstances.on(incident.ref)
            return [IncidentResumed(**common, cause="agent")]
        case Inform():
            return _informed(wish, incident, circumstances)
        case _:
            assert_never(wish)


def _attached(
    wish: Attach, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    now = circumstances.command.at
    if wish.contacted_at and wish.contacted_at > now:
        raise Refused(
            f"`contacted_at` lies ahead; it is {now:%Y-%m-%dT%H:%M:%SZ} now: leave it "
            "out to say now",
            "invalid",
        )
    contacted = IncidentContacted(
        **circumstances.on(incident.ref, f"person:{wish.person}"),
        person=wish.person,
        direction=wish.direction,
        channel=wish.channel,
        contacted_at=wish.contacted_at or now,
        words=wish.words,
        waited_seconds=wish.waited_seconds,
        abandoned=wish.abandoned,
        unconfirmed=wish.unconfirmed or None,
        sender_unconfirmed=wish.sender_unconfirmed or None,
    )
    if contacted == incident.last_contact:
        return []
    inbound = wish.direction == "inbound" and wish.person in incident.reporters
    asked = incident.pause is not None and incident.pause.reason == "user"
    silent = wish.abandoned and wish.words is None
    doubtful = wish.unconfirmed or wish.sender_unconfirmed
    if silent or doubtful or not (inbound and asked):
        return [contacted]
    # The user's reply ends the pause automatically.
    resumed = IncidentResumed(**circumstances.on(incident.ref), cause="reply")
    return [contacted, resumed]


def _paused(
    wish: Pause, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    if wish.reason == "user" and wish.question is None:
        raise Refused("say in `question` what the user is asked", "invalid")
    held = incident.pause
    if held and (held.reason, held.question) == (wish.reason, wish.question):
        return []
    if held:
        raise Refused(
            f"{incident.ref} waits already, for the {held.reason}: resume it first",
            "state",
        )
    paused = IncidentPaused(
        **circumstances.about(incident), reason=wish.reason, question=wish.question
    )
    return [*taken(incident, circumstances), paused]


def _informed(
    wish: Inform, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    last = (incident.last_message, incident.last_informed_at)
    if last == (wish.message, circumstances.command.at):
        return []
    return [IncidentInformed(**circumstances.about(incident), message=wish.message)]
