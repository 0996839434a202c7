"""What people may ask of who looks for help: the body of each request, one a verb.

HTTP and NATS share them. Whose wish it is and when is never in a body.

How Problem Management answers a hand-over, beside declining it: the bodies.
"""

from collections.abc import Mapping
from typing import ClassVar, Self, get_args

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Reason, Title
from shared.domain.commands.incident import CommandBody
from shared.domain.identifiers import ProblemRef
from shared.domain.policy.clause import Name
from shared.domain.policy.targets import SupportLevel


class Escalate(CommandBody):
    """Let the next support level work on it; the desk stays its owner."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "escalate"
    reason: Reason
    team: Name | None = None
    """Who is to work on it. Left out: the next team of the service."""
    level: SupportLevel | None = None
    """Left out: the next one its service has."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.team and self.level:
            raise PydanticCustomError("target", "give `team` or `level`, not both")
        return self


class Accept(CommandBody):
    """Take an escalated incident on; nobody else is paged."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "accept"


class Decline(CommandBody):
    """It is no problem: the hand-over ends, the breach stays."""

    aggregate: ClassVar[str] = "handover"
    verb: ClassVar[str] = "decline"
    reason: Reason


class DeclineService(CommandBody):
    """The service has no problem: its hand-over ends, the breaches stay."""

    aggregate: ClassVar[str] = "handover"
    verb: ClassVar[str] = "decline_service"
    reason: Reason


HelpWish = Escalate | Accept | Decline | DeclineService

BODIES: Mapping[str, type[HelpWish]] = {kind.verb: kind for kind in get_args(HelpWish)}
"""The body of each verb."""


class AcceptHandover(CommandBody):
    """Take a problem on record for the incident that was handed over."""

    title: Title | None = None
    """What the problem is called. Left out: as the incident is."""


class JoinHandover(CommandBody):
    """The incident has a cause that is known already."""

    problem: ProblemRef
