"""What the rules of problems and changes have in common: names, teams, incidents."""

from dataclasses import dataclass
from typing import Any, Literal

from services.intake.commands.command import RecordCommand
from services.intake.commands.rules.context import Refused, known
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy

LISTED_MAX = 200
"""Incidents that a team is given a record with: an event has its size."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The command and the policy it is decided under."""

    command: RecordCommand[Any]
    policy: Policy
    policy_version: int

    def common(self, *, words: bool = False) -> dict[str, Any]:
        """Return what every event has in common; `words` have an owner: who wrote."""
        by = self.command.by
        return {
            "at": self.command.at,
            "by": by,
            "policy": self.policy_version,
            "whose": by if words else None,
        }

    def team(self, kind: Literal["problem", "change"], name: str) -> str:
        """Return `name` if that team takes such records; else raise `Refused`."""
        found = self.policy.teams[known("team", name, self.policy.teams)]
        if kind in found.takes or name == self.usual_team(kind):
            return name
        takers = {n for n, each in self.policy.teams.items() if kind in each.takes}
        shown = ", ".join(sorted(takers | {self.usual_team(kind)}))
        raise Refused(
            f"the team `{name}` takes no {kind}s: choose one of {shown}, or have "
            f"`{kind}` added to what it `takes` in the policy",
            "invalid",
        )

    def usual_team(self, kind: Literal["problem", "change"]) -> str:
        """Return who gets a record of this kind where nobody is named."""
        rules = self.policy.problems
        if kind == "problem" and rules is not None:
            return rules.team
        return self.policy.team_of_first_contact


def require_known(ref: str, incident: Incident | None) -> Incident:
    """Return the incident a command names; raise `Refused` if there is none."""
    if incident is None:
        raise Refused(f"there is no incident {ref}", "unknown_target")
    return incident


def require_incident(ref: str, incident: Incident | None) -> Incident:
    """Return the incident a command names, if it can be linked; or raise `Refused`."""
    incident = require_known(ref, incident)
    if incident.status is Status.MERGED:
        raise Refused(
            f"{ref} was merged: link to {incident.merged_into} instead", "state"
        )
    return incident
