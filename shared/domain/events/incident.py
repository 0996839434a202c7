"""What can happen to an incident: the events of its life.

Streams are written by intake alone. `policy` is the version of the policy the decision
was made under; `by` says who acted: a person, a monitoring source or a service.
What machines said about it is in `incident_signals`, what ties it to other records in
`incident_ties`.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Labels, Text
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.priorities import Impact, Priority, Severity, Urgency
from shared.domain.policy.targets import Channel, PauseReason, SupportLevel

PersonId = str
SignalState = Literal["firing", "recovered"]
Origin = Literal["monitoring", "user", "agent", "split"]


class IncidentOpened(Event):
    """The desk took an incident on record. Counts as recorded, `split` apart.

    `reported_at` ≤ `at` starts the SLA clocks; for signals it is `received_at`, and
    `occurred_at` is what the source claims. An incident split off keeps the
    `reported_at` of the one it came from, whose TTO was its own.
    """

    type: Literal["incident.opened"] = "incident.opened"
    incident: IncidentRef
    policy: int
    origin: Origin
    title: Text
    service: str
    claimed_service: Text | None = None
    """What the source calls a service that the policy does not know."""
    category: str | None = None
    client: str | None = None
    """The contract party, where it is known; never the same as the reporter."""
    impact: Impact
    urgency: Urgency
    severity: Severity | None = None
    priority: Priority
    override: bool = False
    """A manager set the priority, not the matrix."""
    override_reason: Text | None = None
    team: str
    reporter: PersonId | None = None
    channel: Channel | None = None
    """On which the reporter was in touch, where somebody reported it."""
    source: str | None = None
    signal_key: str | None = None
    """SHA-256, in hex, of source and dedup key."""
    dedup_key: Text | None = None
    labels: Labels | None = None
    details: Text | None = None
    """What else the source or the agent said; JSON where a machine said it."""
    reported_at: AwareDatetime
    backdated_because: Text | None = None
    """Why `reported_at` is earlier than `at`, where a person says so."""
    received_at: AwareDatetime | None = None
    occurred_at: AwareDatetime | None = None
    follows: IncidentRef | None = None
    """An older incident of the same trouble that may no longer be reopened."""
    split_from: IncidentRef | None = None
    split_signals: dict[str, SignalState] | None = None
    """Keys that came over from `split_from`, and how they stood."""
    rule: str | None = None
    """By which rule of the pipeline a signal opened it."""
    rule_of: str | None = None
    """What that rule goes by: the name of a window, the setting of the source."""


class IncidentContacted(Event):
    """A person and the desk were in touch about the incident. `words` are verbatim.

    The first inbound contact makes the incident reported by a user.
    """

    type: Literal["incident.contacted"] = "incident.contacted"
    incident: IncidentRef
    policy: int
    person: PersonId
    direction: Literal["inbound", "outbound"]
    channel: Channel
    contacted_at: AwareDatetime
    """When they were in touch, which may be earlier than `at`."""
    words: Text | None = None
    waited_seconds: int | None = None
    """How long the person waited until the desk answered, where that is known."""
    abandoned: bool = False
    """They gave up before anybody answered."""
    unconfirmed: bool | None = None
    """Nobody knows them to have to do with it: they become no reporter by it."""
    sender_unconfirmed: bool | None = None
    """Nothing proves that it came from that person: no mail of ours repeats it."""


class IncidentEdited(Event):
    """The desk reworded title or description; what was said before stays as it was.

    The words of a person are in their contact, verbatim, whatever is made of them here.
    """

    type: Literal["incident.edited"] = "incident.edited"
    incident: IncidentRef
    policy: int
    title: Text | None = None
    """None: as it was."""
    description: Text | None = None


class IncidentClassified(Event):
    """What the incident is about, or how much it matters, was changed.

    All values after it are in it, changed or not.
    """

    type: Literal["incident.classified"] = "incident.classified"
    incident: IncidentRef
    policy: int
    category: str | None = None
    service: str
    client: str | None = None
    impact: Impact
    urgency: Urgency
    priority: Priority
    override: bool = False
    reason: Text | None = None


class IncidentAssigned(Event):
    """A team, and perhaps one of its people, is to work on the incident."""

    type: Literal["incident.assigned"] = "incident.assigned"
    incident: IncidentRef
    policy: int
    team: str
    assignee: PersonId | None = None
    reason: Text | None = None
    """Why it goes there; always there where it goes back to a lower level."""
    unskilled: tuple[PersonId, ...] | None = None
    """The assignee, if the team does not name them as knowing the service."""


class IncidentAcknowledged(Event):
    """The person in `by` took the incident on, for the first time in this cycle.

    Stops TTO. Never a machine, never a mere assignment.
    """

    type: Literal["incident.acknowledged"] = "incident.acknowledged"
    incident: IncidentRef
    policy: int


class IncidentPaused(Event):
    """We wait for somebody. Which reasons stop a clock is the contract's to say."""

    type: Literal["incident.paused"] = "incident.paused"
    incident: IncidentRef
    policy: int
    reason: PauseReason
    question: Text | None = None
    """What the user was asked; always there for reason `user`."""


class IncidentResumed(Event):
    """The waiting is over. Every pause ends with this, whatever ends it."""

    type: Literal["incident.resumed"] = "incident.resumed"
    incident: IncidentRef
    policy: int
    cause: Literal["agent", "reply", "resolved", "cancelled", "merged"]


class IncidentInformed(Event):
    """The user was told how things stand."""

    type: Literal["incident.informed"] = "incident.informed"
    incident: IncidentRef
    policy: int
    message: Text


class IncidentRestored(Event):
    """Service is back, perhaps by a workaround. Comes before or with resolved."""

    type: Literal["incident.restored"] = "incident.restored"
    incident: IncidentRef
    policy: int
    workaround: bool = False
    note: Text | None = None


class IncidentRelapsed(Event):
    """Service is down again after it was restored and before it was resolved."""

    type: Literal["incident.relapsed"] = "incident.relapsed"
    incident: IncidentRef
    policy: int
    reason: Text | None = None
    signal_key: str | None = None
    severity: Severity | None = None
    occurred_at: AwareDatetime | None = None
    rule: str | None = None
    rule_of: str | None = None


class IncidentResolved(Event):
    """The work is done: by a person, or (`by` a source) by the recovery of all."""

    type: Literal["incident.resolved"] = "incident.resolved"
    incident: IncidentRef
    policy: int
    cycle: int
    note: Text | None = None
    forced_because: Text | None = None
    """Why it is over though a signal of it still fired."""
    root_cause_open: bool = False
    """Only a workaround brought service back: the cause is still there."""
    level: SupportLevel | None = None
    """The support level at which a person resolved it, if that was above N1."""
    solution: IncidentRef | None = None
    """The incident whose solution note was used."""
    asks_for_solution: bool = False
    """It was resolved above N1, and no solution note says how N1 could do that."""


class IncidentSolutionNoted(Event):
    """What N1 can do by itself next time; the last note of an incident counts."""

    type: Literal["incident.solution_noted"] = "incident.solution_noted"
    incident: IncidentRef
    policy: int
    service: str
    """What the incident was about then."""
    note: Text


class IncidentNoteAdded(Event):
    """Somebody said more about what is so already: restored, resolved, over, open."""

    type: Literal["incident.note_added"] = "incident.note_added"
    incident: IncidentRef
    policy: int
    about: Literal["restore", "relapse", "resolve", "reopen", "close", "cancel"]
    """The verb of the command that came with it."""
    note: Text


class IncidentReopened(Event):
    """It was not over. A new cycle begins; TTO is armed again."""

    type: Literal["incident.reopened"] = "incident.reopened"
    incident: IncidentRef
    policy: int
    cycle: int
    """2 for the first reopening."""
    cause: Literal["agent", "user", "signal"]
    reason: Text | None = None
    after_closure: bool
    """Whether it comes back into the stock, which a resolved one never left."""
    signal_key: str | None = None
    severity: Severity | None = None
    repeats: int = 0
    """How often the signal had fired since the last event that told of it."""
    occurred_at: AwareDatetime | None = None
    rule: str | None = None
    rule_of: str | None = None
    quick_fix: bool = False
    """It was resolved on a workaround a few days ago, and that did not hold."""


class IncidentClosed(Event):
    """The reporter is content or silent: it leaves the stock."""

    type: Literal["incident.closed"] = "incident.closed"
    incident: IncidentRef
    policy: int
    note: Text | None = None
    cause: Literal["agent", "silence"] = "agent"
    """`silence`: its users said nothing more for as long as the policy gives them."""
    asks_for_problem: bool = False
    """Its root cause is open, and no problem is linked that looks for it."""


class IncidentCancelled(Event):
    """It never was an incident, or not one of ours: it leaves the stock."""

    type: Literal["incident.cancelled"] = "incident.cancelled"
    incident: IncidentRef
    policy: int
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: Text | None = None
