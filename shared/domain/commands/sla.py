"""The commands on SLA targets: the body of each request, one class for each verb.

HTTP and NATS share them. The caller and the time are never in a body; the extension
that is answered is in `record` of the request, or in the path.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, get_args

from pydantic import Field

from shared.domain.bounded_text import Instant, Reason
from shared.domain.commands.incident import CommandBody
from shared.domain.events.sla import Party, SlaTarget
from shared.domain.policy.clause import Person
from shared.domain.policy.targets import Channel

EVIDENCE_MAX = 20
"""Log events that support the attribution of a breach."""
POSITION_MAX = 2**63 - 1

Position = Annotated[int, Field(ge=1, le=POSITION_MAX)]


class ProposeExtension(CommandBody):
    """Propose an extension to the users; until they accept, nothing changes."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "propose"
    target: SlaTarget = "ttr"
    """Only the time to resolve can be extended."""
    new_due_at: Instant
    """The new due time."""
    reason: Reason
    """Why the target cannot be met; the users read it."""
    answer_by: Instant | None = None
    """It expires without an answer by then. Default: `new_due_at`."""


class AcceptExtension(CommandBody):
    """Accept an extension, or record that somebody accepted it."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "accept"
    accepted_by: Person | None = None
    """Who accepts it. Default: the caller."""
    channel: Channel
    """How they said so."""
    evidence: Reason | None = None
    """What they said, and how; required if somebody else records it."""


class RefuseExtension(CommandBody):
    """Refuse an extension: the target stays as it was."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "refuse"
    refused_by: Person | None = None
    """Who refuses it. Default: the caller."""
    channel: Channel
    """How they said so."""
    evidence: Reason | None = None
    """What they said, and how."""


class AttributeBreach(CommandBody):
    """Attribute a breach to a party; the breach stays, and the last command counts."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "attribute"
    target: SlaTarget = "ttr"
    """The target that was breached; over HTTP it is in the path."""
    party: Party
    """`provider` is us."""
    who: Person | None = None
    """The user or vendor, by id."""
    reason: Reason | None = None
    """Required to attribute it to the user if the clock was never paused for the
    user."""
    evidence: Annotated[tuple[Position, ...], Field(max_length=EVIDENCE_MAX)] = ()
    """Log positions of contacts, questions and answers that support it."""
    cycle: Annotated[int, Field(ge=1)] | None = None
    round: Annotated[int, Field(ge=1)] | None = None
    """Which of several targets of this kind. Default: the last that was breached."""


SlaCommand = ProposeExtension | AcceptExtension | RefuseExtension | AttributeBreach

BODIES: Mapping[str, type[SlaCommand]] = {
    kind.verb: kind for kind in get_args(SlaCommand)
}
"""The body of each verb."""
