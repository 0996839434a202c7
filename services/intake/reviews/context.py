"""Who acts on a review, and what the log and the policy say then. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.domain.events.event import Actor
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.domain.review.state import Review
from shared.messaging.commands import Scope
from shared.security.sender import GIVERS

_PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts on a review, when, by which policy, and what the log has of it."""

    by: Actor
    at: datetime
    scopes: frozenset[Scope]
    policy: Policy
    version: int
    incident: Incident
    facts: tuple[int, ...] = ()
    """The positions of the facts, where the command needs them."""
    upto: int = 0
    """The position up to which the log was read."""

    @property
    def person(self) -> str:
        """The id of the person; the actor itself for a machine."""
        return self.by.removeprefix(_PERSON)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the desk."""
        return ZoneInfo(self.policy.desk.timezone)

    @property
    def leads(self) -> bool:
        """Whether they manage the desk, or the team of the incident."""
        team = self.policy.teams.get(self.incident.team)
        is_theirs = team is not None and self.by == f"{_PERSON}{team.manager}"
        return is_theirs or not self.scopes.isdisjoint(GIVERS)


def require_responsible(held: Review, who: Author) -> None:
    """Raise `Refused` unless somebody owns the review, or leads."""
    if who.person != held.owner and not who.leads:
        raise Refused(
            f"only the owner of the review, {held.owner}, or a manager may do this: "
            "ask one of them",
            "role",
        )
