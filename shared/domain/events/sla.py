"""What happens to the promises about an incident: each a clock with one end.

Streams `sla-<incident>` are written by the SLA watcher alone. A clock is named by
`target`, `cycle` and `round`; it ends in exactly one of met, breached and cancelled,
unless the trouble comes back within its cycle (`sla.continued`). `at` is when the
watcher noticed; what it noticed has its own instant, the same however late it was.
All instants but `at` are whole seconds; durations are working seconds of `calendar`.

What is agreed about a promise: a longer delay its users accept; whose a breach is.

In the streams `sla-<incident>`, written by the SLA watcher alone; a clock is named as
in the other events of promises. Only an acceptance moves what a clock is due at, and
nothing undoes a breach.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import ExtensionRef, IncidentRef
from shared.domain.policy.targets import Channel, PauseReason

SlaTarget = Literal["tto", "ttr", "update"]
OlaTarget = Literal[
    "ola_n1_own",
    "ola_n1_work",
    "ola_n2_own",
    "ola_n2_work",
    "ola_n3_own",
    "ola_n3_work",
]
Target = Literal[SlaTarget, OlaTarget]
"""What is promised to users, and what support levels owe the desk beside."""


class Stop(BaseModel):
    """A time in which the clock stood, because of `why`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: AwareDatetime
    until: AwareDatetime
    why: PauseReason | Literal["over"]
    """`over`: the trouble was taken to be over, and was not."""


class SlaArmed(Event):
    """A clock starts: this was promised. `policy` is the version that promises it."""

    type: Literal["sla.armed"] = "sla.armed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    """Counts the promises to tell the user within a cycle; 1 for the other targets."""
    contract: str
    candidates: tuple[str, ...]
    """All contracts that promise something; `contract` is the strictest of them."""
    calendar: str
    seconds: int
    """The target, in working time."""
    original_seconds: int | None = None
    """What the contract promises, where a user has agreed to more."""
    agreed_seconds: int | None = None
    """What was agreed in the cycle before."""
    started_at: AwareDatetime
    stopped: tuple[Stop, ...] = ()
    """When it stood in earlier cycles: TTR goes on with what was left."""
    warn: tuple[int, ...] = ()
    """Shares of the target, in percent, at which the desk is warned."""
    warn_offsets: tuple[int, ...] | None = None
    """Working seconds from where it is due at which it is, too; negative: before."""
    stops_at: Literal["restored", "resolved"] = "restored"
    paused_by: tuple[PauseReason, ...] = ()
    due_at: AwareDatetime


class SlaWarned(Event):
    """So much of a target is consumed, or it is due so soon, or was so long ago.

    Once for each point of each target; one of the three says which.
    """

    type: Literal["sla.warned"] = "sla.warned"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    percent: int | None = None
    """Share of the target; above 100 it is late."""
    before_seconds: int | None = None
    """Working time that was left."""
    after_seconds: int | None = None
    """Working time since it was due."""
    warned_at: AwareDatetime
    due_at: AwareDatetime
    retargets: int | None = None
    """How often its target was reset before; None: never."""


class SlaBreached(Event):
    """More working time passed than was promised: a fact that stays."""

    type: Literal["sla.breached"] = "sla.breached"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    contract: str
    seconds: int
    due_at: AwareDatetime
    breached_at: AwareDatetime
    """The instant from which it is true; `at` is when it was noticed."""


class SlaMet(Event):
    """What was promised was done in time."""

    type: Literal["sla.met"] = "sla.met"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    met_at: AwareDatetime
    elapsed_seconds: int
    seconds: int
    original_seconds: int | None = None
    """What the contract promises, where a user has agreed to more."""


class SlaOverran(Event):
    """What was promised was done, so much working time too late."""

    type: Literal["sla.overran"] = "sla.overran"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    done_at: AwareDatetime
    elapsed_seconds: int
    overrun_seconds: int
    agreed_seconds: int | None = None
    """What a user agreed to after the breach, from the same start."""


class SlaCancelled(Event):
    """Nothing is left to keep of a promise."""

    type: Literal["sla.cancelled"] = "sla.cancelled"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    cancelled_at: AwareDatetime
    reason: Literal[
        "recovered", "resolved", "cancelled", "merged", "no_contract", "escalated"
    ]
    """`escalated`: it left the level before anybody there had taken it on."""


class SlaPaused(Event):
    """The clock stands: no due instant, what is left stays as it is."""

    type: Literal["sla.paused"] = "sla.paused"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    paused_at: AwareDatetime
    reason: PauseReason
    elapsed_seconds: int
    left_seconds: int


class SlaResumed(Event):
    """The clock goes on from where it stood."""

    type: Literal["sla.resumed"] = "sla.resumed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    resumed_at: AwareDatetime
    due_at: AwareDatetime


class SlaContinued(Event):
    """The trouble is back: an ended clock goes on; the time between is not ours.

    After merging was undone, the time between counts: the trouble went on.
    """

    type: Literal["sla.continued"] = "sla.continued"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    cause: Literal["relapsed", "unmerged", "covered"]
    """`covered`: after another classification a contract promises it again."""
    continued_at: AwareDatetime
    due_at: AwareDatetime
    stopped: tuple[Stop, ...] | None = None
    """All times it stood, where some ended while no contract covered it."""


class SlaRetargeted(Event):
    """Priority, service or client changed: another target, from the original start.

    Times it stood are kept. `was_due_at` is None where the clock stands.
    """

    type: Literal["sla.retargeted"] = "sla.retargeted"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    contract: str
    candidates: tuple[str, ...]
    calendar: str
    seconds: int
    original_seconds: int | None = None
    """What the contract promises, where a user has agreed to more."""
    agreed_seconds: int | None = None
    """What a user has agreed to, in working time of this calendar."""
    was_seconds: int
    warn: tuple[int, ...] = ()
    warn_offsets: tuple[int, ...] | None = None
    stops_at: Literal["restored", "resolved"] = "restored"
    paused_by: tuple[PauseReason, ...] = ()
    retargeted_at: AwareDatetime
    due_at: AwareDatetime | None = None
    was_due_at: AwareDatetime | None = None


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
