"""The events of SLA targets: each is a clock with one end.

The streams `sla-<incident>` are written only by the SLA watcher. A clock is identified
by `target`, `cycle` and `round`; it ends in exactly one of met, breached and cancelled,
unless service fails again within its cycle (`sla.continued`). `at` is when the watcher
noticed; the event has its own instant, which does not depend on the watcher's delay.
All instants except `at` are whole seconds; durations are working seconds of `calendar`.

Extensions and the attribution of breaches are in the same streams. Only an accepted
extension changes when a clock is due, and nothing undoes a breach.
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
"""Targets promised to users, and the OLA targets of the support levels."""


class Stop(BaseModel):
    """A period in which the clock was stopped, because of `why`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: AwareDatetime
    until: AwareDatetime
    why: PauseReason | Literal["over"]
    """`over`: the incident was considered over, but was not."""


class SlaArmed(Event):
    """A clock was started. `policy` is the policy version of its target."""

    type: Literal["sla.armed"] = "sla.armed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    """Number of the update interval within a cycle; 1 for the other targets."""
    contract: str
    candidates: tuple[str, ...]
    """All contracts that apply; `contract` is the strictest of them."""
    calendar: str
    seconds: int
    """The target, in working time."""
    original_seconds: int | None = None
    """The target of the contract, if a user has agreed to more."""
    agreed_seconds: int | None = None
    """What was agreed in the previous cycle."""
    started_at: AwareDatetime
    stopped: tuple[Stop, ...] = ()
    """Stopped periods of earlier cycles: TTR continues with the remaining time."""
    warn: tuple[int, ...] = ()
    """Percentages of the target at which the desk is warned."""
    warn_offsets: tuple[int, ...] | None = None
    """Further warnings, in working seconds relative to the due time; negative is
    before."""
    stops_at: Literal["restored", "resolved"] = "restored"
    paused_by: tuple[PauseReason, ...] = ()
    due_at: AwareDatetime
    kept_by: Literal["delivery"] | None = None
    """What meets `update`: `delivery`, a message delivered to a user or an outbound
    contact. None in earlier events: any change that users are sent a message about."""


class SlaWarned(Event):
    """A warning point of a target was reached.

    Once for each point of each target; exactly one of `percent`, `before_seconds` and
    `after_seconds` says which.
    """

    type: Literal["sla.warned"] = "sla.warned"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    percent: int | None = None
    """Percentage of the target; above 100 it is overdue."""
    before_seconds: int | None = None
    """Working time that was left."""
    after_seconds: int | None = None
    """Working time since it was due."""
    warned_at: AwareDatetime
    due_at: AwareDatetime
    retargets: int | None = None
    """How often its target was changed before; None means never."""


class SlaBreached(Event):
    """More working time passed than the target allows; this is permanent."""

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
    """The instant of the breach; `at` is when it was noticed."""


class SlaMet(Event):
    """The target was met."""

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
    """The target of the contract, if a user has agreed to more."""


class SlaOverran(Event):
    """The work was completed late, by `overrun_seconds` of working time."""

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
    """The clock was cancelled: nothing is left to measure."""

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
    """`escalated`: it left the level before anybody there had taken it on. `resolved`:
    it is over, and no message about that can be delivered."""


class SlaPaused(Event):
    """The clock was paused: it has no due time, and the remaining time is kept."""

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
    """The clock continues after a pause."""

    type: Literal["sla.resumed"] = "sla.resumed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    resumed_at: AwareDatetime
    due_at: AwareDatetime


class SlaContinued(Event):
    """An ended clock continues: service failed again; the time between is excluded.

    After an unmerge, the time between counts, since the incident was not over.
    """

    type: Literal["sla.continued"] = "sla.continued"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    cause: Literal["relapsed", "unmerged", "covered"]
    """`covered`: after a reclassification a contract covers it again."""
    continued_at: AwareDatetime
    due_at: AwareDatetime
    stopped: tuple[Stop, ...] | None = None
    """All stopped periods, if some ended while no contract covered it."""


class SlaRetargeted(Event):
    """Priority, service or client changed: another target, from the original start.

    Stopped periods are kept. `was_due_at` is None if the clock is paused.
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
    """The target of the contract, if a user has agreed to more."""
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
    """An extension was proposed to the users. Nothing changes until they accept."""

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
    """When it was due then; None if the clock was paused."""
    reason: Text
    """Why the target cannot be met, as told to the users."""
    expires_at: AwareDatetime
    """Without an answer by then, the proposal has no effect."""
    asked: tuple[PersonId, ...]
    """The people who are asked: the reporters, or others named by the contract."""


class SlaExtensionAccepted(Event):
    """`accepted_by` accepted the extension; `by` recorded it.

    From here on the target is `seconds` of working time, so that later pauses move it;
    the agreed instant is kept in `agreed_due_at`.
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
    """How they said so, if somebody else recorded it."""
    accepted_at: AwareDatetime
    seconds: int
    """The agreed target, in working time."""
    was_seconds: int
    due_at: AwareDatetime | None = None
    """When it is used up; None while the clock is paused."""
    was_due_at: AwareDatetime | None = None
    agreed_due_at: AwareDatetime
    after_breach: bool = False
    """It was breached before: the breach and the target for it stay."""


class SlaExtensionRefused(Event):
    """`refused_by` refused the extension: the target stays as it was."""

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
    """The extension expired without an answer, or the clock ended (`ended`)."""

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
    """A manager attributed a breach; the last event counts, the breach stays."""

    type: Literal["sla.breach_attributed"] = "sla.breach_attributed"
    incident: IncidentRef
    policy: int
    target: Target
    cycle: int
    round: int = 1
    party: Party
    """`provider` is us."""
    who: PersonId | None = None
    """The user or vendor, if one is named."""
    reason: Text | None = None
    evidence: tuple[int, ...] = ()
    """Log positions of the supporting events."""


SlaAgreement = (
    SlaExtensionProposed
    | SlaExtensionAccepted
    | SlaExtensionRefused
    | SlaExtensionExpired
    | SlaBreachAttributed
)
SlaEvent = (
    SlaArmed
    | SlaWarned
    | SlaBreached
    | SlaMet
    | SlaOverran
    | SlaCancelled
    | SlaPaused
    | SlaResumed
    | SlaContinued
    | SlaRetargeted
    | SlaAgreement
)
