"""What people may ask of who watches promises: the body of each request, one a verb.

HTTP and NATS share them. Whose wish it is and when is never in a body; which longer
delay is answered stands in `record` of the request, or in the path.
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
"""Events that show whose a breach is."""
POSITION_MAX = 2**63 - 1

Position = Annotated[int, Field(ge=1, le=POSITION_MAX)]


class ProposeExtension(CommandBody):
    """Ask the users for more time; until they accept, nothing changes."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "propose"
    target: SlaTarget = "ttr"
    """Only the time to resolve can be extended."""
    new_due_at: Instant
    """When it is to be due instead."""
    reason: Reason
    """Why what was promised cannot be held; the users read it."""
    answer_by: Instant | None = None
    """Without an answer by then it expires. Left out: `new_due_at`."""


class AcceptExtension(CommandBody):
    """Agree to a longer delay, or take down that somebody did."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "accept"
    accepted_by: Person | None = None
    """Whose word it is. Left out: who sends this."""
    channel: Channel
    """How they said so."""
    evidence: Reason | None = None
    """What they said, and how; needed where somebody else takes it down."""


class RefuseExtension(CommandBody):
    """Do not agree to a longer delay: everything stays as it was promised."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "refuse"
    refused_by: Person | None = None
    """Whose word it is. Left out: who sends this."""
    channel: Channel
    """How they said so."""
    evidence: Reason | None = None
    """What they said, and how."""


class AttributeBreach(CommandBody):
    """Say whose a breach is; the breach stays, and the last word counts."""

    aggregate: ClassVar[str] = "sla"
    verb: ClassVar[str] = "attribute"
    target: SlaTarget = "ttr"
    """Which promise was broken; over HTTP the path says it."""
    party: Party
    """`provider` is us."""
    who: Person | None = None
    """Which user or vendor, by id."""
    reason: Reason | None = None
    """Needed to say it is the user's where the clock never stood for the user."""
    evidence: Annotated[tuple[Position, ...], Field(max_length=EVIDENCE_MAX)] = ()
    """Positions in the log of contacts, questions and answers that show it."""
    cycle: Annotated[int, Field(ge=1)] | None = None
    round: Annotated[int, Field(ge=1)] | None = None
    """Of several promises of this kind. Left out: the last that was broken."""


SlaWish = ProposeExtension | AcceptExtension | RefuseExtension | AttributeBreach

BODIES: Mapping[str, type[SlaWish]] = {kind.verb: kind for kind in get_args(SlaWish)}
"""The body of each verb."""
