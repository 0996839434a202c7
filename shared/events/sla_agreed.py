"""What is agreed about a promise: a longer delay its users accept; whose a breach is.

In the streams `sla-<incident>`, written by the SLA watcher alone; a clock is named as
in the other events of promises. Only an acceptance moves what a clock is due at, and
nothing undoes a breach.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.event import Event, Text
from shared.events.incident import PersonId
from shared.events.sla import Target
from shared.policy.targets import Channel
from shared.references import ExtensionRef, IncidentRef

Party = Literal["user", "vendor", "provider"]


class SlaExtensionProposed(Event):
    """The users are asked for more time. Nothing changes until they accept."""

    type: Literal["sla.extension_proposed"] = "sla.extension_proposed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    extension: ExtensionRef
    proposed_at: AwareDatetime
    proposed_due_at: AwareDatetime
    was_due_at: AwareDatetime | None = None
    """When it was due then; None while it stood."""
    reason: Text
    """Why what was promised cannot be held, as the users are told."""
    expires_at: AwareDatetime
    """Without an answer by then, it is as if nobody had asked."""
    asked: tuple[PersonId, ...]
    """Who is told of it: by the contract, those who reported it or others it names."""


class SlaExtensionAccepted(Event):
    """`accepted_by` agrees to the longer delay; `by` took it down.

    From here on it is `seconds` of working time, so that later pauses move it; the
    instant that was agreed on is kept beside.
    """

    type: Literal["sla.extension_accepted"] = "sla.extension_accepted"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    extension: ExtensionRef
    accepted_by: PersonId
    channel: Channel
    evidence: Text | None = None
    """How they said so, where somebody else took it down."""
    accepted_at: AwareDatetime
    seconds: int
    """The target that is agreed on, in working time."""
    was_seconds: int
    due_at: AwareDatetime | None = None
    """When those are used up; None while it stands."""
    was_due_at: AwareDatetime | None = None
    agreed_due_at: AwareDatetime
    after_breach: bool = False
    """It was broken before: the breach stays, and so does what it is held to."""


class SlaExtensionRefused(Event):
    """`refused_by` does not agree: everything stays as it was promised."""

    type: Literal["sla.extension_refused"] = "sla.extension_refused"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    extension: ExtensionRef
    refused_by: PersonId
    channel: Channel
    evidence: Text | None = None
    refused_at: AwareDatetime


class SlaExtensionExpired(Event):
    """Nobody answered in time, or there is nothing left to agree on (`ended`)."""

    type: Literal["sla.extension_expired"] = "sla.extension_expired"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    extension: ExtensionRef
    expired_at: AwareDatetime
    cause: Literal["no_answer", "ended"]


class SlaBreachAttributed(Event):
    """A manager says whose a breach is; the last word counts, the breach stays."""

    type: Literal["sla.breach_attributed"] = "sla.breach_attributed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    party: Party
    """`provider` is us."""
    who: PersonId | None = None
    """Which user or vendor, where one is named."""
    reason: Text | None = None
    evidence: tuple[int, ...] = ()
    """Positions in the log of what shows it."""
