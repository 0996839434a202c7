"""The commands on escalations and hand-overs: the body of each request.

HTTP and NATS share them. The caller and the time are never in a body.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self, get_args

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from shared.domain.bounded_text import Reason, Title
from shared.domain.commands.incident import CommandBody
from shared.domain.identifiers import PageKey, ProblemRef
from shared.domain.policy.clause import Name
from shared.domain.policy.targets import SupportLevel


class Escalate(CommandBody):
    """Escalate the incident to the next support level; the desk stays its owner."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "escalate"
    reason: Reason
    team: Name | None = None
    """The team that is to work on it. Default: the next team of the service."""
    level: SupportLevel | None = None
    """Default: the next level that the service has."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.team and self.level:
            raise PydanticCustomError("target", "give `team` or `level`, not both")
        return self


class Accept(CommandBody):
    """Take on an escalated incident; nobody else is paged."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "accept"


class TakePage(CommandBody):
    """Accept the incident that a page is about, as somebody who was paged."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "take_page"
    page: PageKey
    via: Literal["link", "mail", "call"]
    """How the page was answered."""


class DeclinePage(CommandBody):
    """Answer a page with "not me": the next attempt is due at once."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "decline_page"
    page: PageKey


class PageAnother(CommandBody):
    """Have somebody else paged as well, at once."""

    aggregate: ClassVar[str] = "escalation"
    verb: ClassVar[str] = "page_another"
    page: PageKey


class Decline(CommandBody):
    """Decline a hand-over: it is not a problem; the breach stays."""

    aggregate: ClassVar[str] = "handover"
    verb: ClassVar[str] = "decline"
    reason: Reason


class DeclineService(CommandBody):
    """Decline the hand-over of a service: it is not a problem; the breaches stay."""

    aggregate: ClassVar[str] = "handover"
    verb: ClassVar[str] = "decline_service"
    reason: Reason


PageAnswer = TakePage | DeclinePage | PageAnother
EscalationCommand = Escalate | Accept | PageAnswer | Decline | DeclineService

BODIES: Mapping[str, type[EscalationCommand]] = {
    kind.verb: kind for kind in get_args(EscalationCommand)
}
"""The body of each verb."""


class AcceptHandover(CommandBody):
    """Accept a hand-over: identify a problem for the incident."""

    title: Title | None = None
    """The title of the problem. Default: that of the incident."""


class JoinHandover(CommandBody):
    """Answer a hand-over with a problem that is already known."""

    problem: ProblemRef
