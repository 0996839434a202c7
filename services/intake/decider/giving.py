"""Giving an incident to a team or a person: where it is, and where it goes."""

from typing import NamedTuple, assert_never

from services.intake.decider.circumstances import Circumstances
from services.intake.decider.names import known
from services.intake.decider.refused import Refused
from shared.domain.commands.incident import Assign, Return
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentAssigned
from shared.domain.incident import Incident
from shared.domain.policy.document import unskilled
from shared.domain.policy.targets import RANK, SupportLevel


class Place(NamedTuple):
    """Who has an incident, and at which support level."""

    team: str
    level: SupportLevel


def given(
    wish: Assign | Return, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    """Return the events of a wish the table lets through.

    The escalation service moves the level, once it has read that the team changed.
    """
    here = place(incident, circumstances)
    match wish:
        case Assign():
            return _assigned(wish, incident, here, circumstances)
        case Return():
            return _returned(wish, incident, here, circumstances)
        case _:
            assert_never(wish)


def place(incident: Incident, circumstances: Circumstances) -> Place:
    """Return where an incident is: by its escalation, or by what was said since.

    What an assignment means for the level counts before the escalation has read it.
    """
    helper = circumstances.helper
    if helper is not None and not helper.given_since:
        return Place(helper.team, helper.level)
    level = helper.level if helper else "n1"
    if not incident.given:
        return Place(incident.team, level)
    return _at(incident.team, level, incident, circumstances)


def _at(
    team: str, level: SupportLevel, incident: Incident, circumstances: Circumstances
) -> Place:
    """Return where an incident is with a team; one without a level leaves it there."""
    found = circumstances.policy.teams.get(team)
    own = found.level if found else None
    if own is None and team == incident.desk_team:
        own = "n1"
    return Place(team, own or level)


def back_at_the_desk(
    incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    """Return what gives a reopened incident to the desk: it begins at N1 again.

    Another team at N1 keeps it.
    """
    team = circumstances.policy.teams.get(incident.team)
    at_n1 = team is not None and team.level == "n1"
    if at_n1 or incident.team == incident.desk_team:
        return []
    return [_gives(incident.desk_team, None, None, incident, circumstances)]


def _assigned(
    wish: Assign, incident: Incident, here: Place, circumstances: Circumstances
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
    wish: Return, incident: Incident, here: Place, circumstances: Circumstances
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
    circumstances: Circumstances,
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
