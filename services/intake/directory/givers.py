"""Who gives and withdraws rights, or changes entries of the directory. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.events.event import Actor
from shared.domain.limits import Limits, Within
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.messaging.commands import Scope


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives or withdraws roles: their scopes, with the limits of each."""

    by: Actor
    at: datetime
    scopes: Sequence[Scope]
    limits: Mapping[Scope, tuple[Limits, ...]]
    policy: Policy

    @property
    def person(self) -> str:
        """Their id; empty for the desk itself."""
        kind, _, id_ = self.by.partition(":")
        return id_ if kind == "person" else ""

    def within(self, scope: Scope) -> Within:
        """Return the limits of one of their scopes."""
        return self.limits.get(scope)

    def own_teams(self) -> frozenset[str]:
        """Return the teams they manage, by the policy or by a limit of their role."""
        by_policy = {
            name
            for name, team in self.policy.teams.items()
            if team.manager == self.person
        }
        named = (each.teams or () for each in self.within("manager") or ())
        return frozenset(by_policy).union(*named)


def require_administrator(giver: Giver) -> None:
    """Raise `Refused` unless an administrator without limits acts."""
    if "admin" not in giver.scopes or giver.within("admin") is not None:
        raise Refused("it takes an administrator without limits", "role")


def unknown_person(person: str) -> Refused:
    """Return the refusal of a command about somebody who is not in the directory."""
    return Refused(
        f"nobody is called {person} in the directory: add them with "
        "`permanence people import`",
        "unknown_person",
    )
