"""What the rules for problems and changes share: names, teams and incidents."""

from dataclasses import dataclass
from typing import Any, Literal

from services.intake.commands.command import RecordCommand
from services.intake.commands.rules.context import Refused, known
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy

LISTED_MAX = 200
"""Incidents listed in an assignment event, whose size is limited."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The command and the policy under which it is decided."""

    command: RecordCommand[Any]
    policy: Policy
    policy_version: int

    def common(self, *, words: bool = False) -> dict[str, Any]:
        """Return the common fields of events; text is owned by its author (`words`)."""
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
        """Return the team that gets records of this kind by default."""
        rules = self.policy.problems
        if kind == "problem" and rules is not None:
            return rules.team
        return self.policy.team_of_first_contact


def require_known(ref: str, incident: Incident | None) -> Incident:
    """Return the incident that a command names; raise `Refused` if it is missing."""
    if incident is None:
        raise Refused(f"there is no incident {ref}", "unknown_target")
    return incident


def require_incident(ref: str, incident: Incident | None) -> Incident:
    """Return the incident that a command names; raise `Refused` if not linkable."""
    incident = require_known(ref, incident)
    if incident.status is Status.MERGED:
        raise Refused(
            f"{ref} was merged: link to {incident.merged_into} instead", "state"
        )
    return incident
