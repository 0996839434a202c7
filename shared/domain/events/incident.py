"""The events of an incident's life cycle.

The streams are written only by intake. `policy` is the policy version of the decision;
`by` is the actor: a person, a monitoring source or a service. Events from signals are
in `incident_signals`, links to other records in `incident_ties`.
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
    """An incident was opened. It counts as recorded, except with origin `split`.

    `reported_at` ≤ `at` starts the SLA clocks; for signals it is `received_at`, and
    `occurred_at` is what the source claims. An incident that was split off keeps the
    `reported_at` of the original one, which had its own TTO.
    """

    type: Literal["incident.opened"] = "incident.opened"
    incident: IncidentRef
    policy: int
    origin: Origin
    title: Text
    service: str
    claimed_service: Text | None = None
    """The source's name of a service that the policy does not know."""
    category: str | None = None
    client: str | None = None
    """The contract party, if known; never the same as the reporter."""
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
    """The channel that the reporter used, if somebody reported it."""
    source: str | None = None
    signal_key: str | None = None
    """SHA-256, in hex, of source and dedup key."""
    dedup_key: Text | None = None
    labels: Labels | None = None
    details: Text | None = None
    """Further details from the source or the agent; JSON if from a machine."""
    reported_at: AwareDatetime
    backdated_because: Text | None = None
    """Why `reported_at` is earlier than `at`, if a person says so."""
    received_at: AwareDatetime | None = None
    occurred_at: AwareDatetime | None = None
    follows: IncidentRef | None = None
    """An earlier incident for the same issue that can no longer be reopened."""
    split_from: IncidentRef | None = None
    split_signals: dict[str, SignalState] | None = None
    """Keys that moved from `split_from`, with their states."""
    rule: str | None = None
    """The correlation rule by which a signal opened it."""
    rule_of: str | None = None
    """What the rule refers to: the name of a window, or a setting of the source."""


class IncidentContacted(Event):
    """A person and the desk were in contact about the incident. `words` are verbatim.

    The first inbound contact makes the incident reported by a user.
    """

    type: Literal["incident.contacted"] = "incident.contacted"
    incident: IncidentRef
    policy: int
    person: PersonId
    direction: Literal["inbound", "outbound"]
    channel: Channel
    contacted_at: AwareDatetime
    """The time of the contact, which may be earlier than `at`."""
    words: Text | None = None
    waited_seconds: int | None = None
    """How long the person waited until the desk answered, if known."""
    abandoned: bool = False
    """Whether they gave up before anybody answered."""
    unconfirmed: bool | None = None
    """The person is not known to be involved: they do not become a reporter."""
    sender_unconfirmed: bool | None = None
    """The sender could not be verified: our mails do not repeat such text."""


class IncidentEdited(Event):
    """Title or description were edited; earlier text is not lost.

    A person's own words are in their contact, verbatim, whatever is edited here.
    """

    type: Literal["incident.edited"] = "incident.edited"
    incident: IncidentRef
    policy: int
    title: Text | None = None
    """None if unchanged."""
    description: Text | None = None


class IncidentClassified(Event):
    """The incident was classified: its topic or its importance changed.

    It contains all values after the change, changed or not.
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
    """The incident was assigned to a team, and optionally to one of its members."""

    type: Literal["incident.assigned"] = "incident.assigned"
    incident: IncidentRef
    policy: int
    team: str
    assignee: PersonId | None = None
    reason: Text | None = None
    """The reason; always present if it goes back to a lower level."""
    unskilled: tuple[PersonId, ...] | None = None
    """The assignee, if the team does not list them as knowing the service."""


class IncidentAcknowledged(Event):
    """The person in `by` took the incident on, for the first time in this cycle.

    Stops TTO. Neither a machine nor an assignment alone does that.
    """

    type: Literal["incident.acknowledged"] = "incident.acknowledged"
    incident: IncidentRef
    policy: int


class IncidentPaused(Event):
    """The desk waits for somebody. The contract decides which reasons stop a clock."""

    type: Literal["incident.paused"] = "incident.paused"
    incident: IncidentRef
    policy: int
    reason: PauseReason
    question: Text | None = None
    """The question to the user; always present for reason `user`."""
    awaits_delivery: bool = False
    """It stops clocks once somebody has received the question; in earlier events, and
    for other reasons, at once."""


class IncidentResumed(Event):
    """The pause ended. Every pause ends with this event, whatever ends it."""

    type: Literal["incident.resumed"] = "incident.resumed"
    incident: IncidentRef
    policy: int
    cause: Literal["agent", "reply", "resolved", "cancelled", "merged"]


class IncidentInformed(Event):
    """The user was informed about the progress."""

    type: Literal["incident.informed"] = "incident.informed"
    incident: IncidentRef
    policy: int
    message: Text


class IncidentRestored(Event):
    """Service was restored, perhaps by a workaround. Before or with the resolution."""

    type: Literal["incident.restored"] = "incident.restored"
    incident: IncidentRef
    policy: int
    workaround: bool = False
    note: Text | None = None


class IncidentRelapsed(Event):
    """Service failed again after it was restored and before it was resolved."""

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
    """The incident was resolved by a person, or (`by` a source) by full recovery."""

    type: Literal["incident.resolved"] = "incident.resolved"
    incident: IncidentRef
    policy: int
    cycle: int
    note: Text | None = None
    forced_because: Text | None = None
    """Why it is over although one of its alerts still fired."""
    root_cause_open: bool = False
    """Only a workaround restored service: the cause still exists."""
    level: SupportLevel | None = None
    """The support level at which a person resolved it, if above N1."""
    solution: IncidentRef | None = None
    """The incident whose solution note was used."""
    asks_for_solution: bool = False
    """It was resolved above N1 without a solution note for N1."""


class IncidentSolutionNoted(Event):
    """A note was made of what N1 can do next time; the last note counts."""

    type: Literal["incident.solution_noted"] = "incident.solution_noted"
    incident: IncidentRef
    policy: int
    service: str
    """The service of the incident at that time."""
    note: Text


class IncidentNoteAdded(Event):
    """A note was added to something done already, such as the resolution."""

    type: Literal["incident.note_added"] = "incident.note_added"
    incident: IncidentRef
    policy: int
    about: Literal["restore", "relapse", "resolve", "reopen", "close", "cancel"]
    """The verb of the command that contained it."""
    note: Text


class IncidentNoted(Event):
    """An internal note was written: for the desk, not for the users."""

    type: Literal["incident.noted"] = "incident.noted"
    incident: IncidentRef
    policy: int
    note: Text


class IncidentReminderSet(Event):
    """`person` asked to be reminded of it; replaces their reminder of this `number`."""

    type: Literal["incident.reminder_set"] = "incident.reminder_set"
    incident: IncidentRef
    policy: int
    person: PersonId
    due_at: AwareDatetime
    note: Text | None = None
    """What `person` wants to be reminded of."""
    number: int = 1
    """Which of their reminders it is; the first one is 1."""


class IncidentReminded(Event):
    """A reminder of `person` became due: they are notified."""

    type: Literal["incident.reminded"] = "incident.reminded"
    incident: IncidentRef
    policy: int
    person: PersonId
    due_at: AwareDatetime
    number: int = 1


class IncidentReminderCleared(Event):
    """A reminder of `person` no longer exists: they are not, or no longer, notified.

    They cleared it, they were removed, or the incident had ended when it became due.
    """

    type: Literal["incident.reminder_cleared"] = "incident.reminder_cleared"
    incident: IncidentRef
    policy: int
    person: PersonId
    cause: Literal["agent", "closed", "cancelled", "merged", "removed"]
    number: int = 1


class IncidentReopened(Event):
    """The incident was reopened. A new cycle begins; TTO is armed again."""

    type: Literal["incident.reopened"] = "incident.reopened"
    incident: IncidentRef
    policy: int
    cycle: int
    """2 for the first reopening."""
    cause: Literal["agent", "user", "signal"]
    reason: Text | None = None
    after_closure: bool
    """Whether it re-enters the stock, which a resolved incident has not left."""
    signal_key: str | None = None
    severity: Severity | None = None
    repeats: int = 0
    """How often the signal fired since the last event that counted it."""
    occurred_at: AwareDatetime | None = None
    rule: str | None = None
    rule_of: str | None = None
    quick_fix: bool = False
    """It was resolved by a workaround a few days ago, which did not hold."""


class IncidentClosed(Event):
    """The incident was closed and left the stock: the user is satisfied or silent."""

    type: Literal["incident.closed"] = "incident.closed"
    incident: IncidentRef
    policy: int
    note: Text | None = None
    cause: Literal["agent", "silence"] = "agent"
    """`silence`: its users did not respond within the time set by the policy."""
    asks_for_problem: bool = False
    """Its root cause is open, and no problem is linked to it."""


class IncidentCancelled(Event):
    """The incident was cancelled: not an incident, or not ours. Leaves the stock."""

    type: Literal["incident.cancelled"] = "incident.cancelled"
    incident: IncidentRef
    policy: int
    reason: Literal["not_an_incident", "duplicate", "withdrawn", "test"]
    note: Text | None = None


class IncidentRedirected(Event):
    """It was a request, not an incident, and was handed elsewhere. Leaves the stock.

    The incident has the status cancelled, and is counted apart from cancelled ones.
    """

    type: Literal["incident.redirected"] = "incident.redirected"
    incident: IncidentRef
    policy: int
    to: str
    """The name of the destination in the policy."""
    message: Text
    """What its users are told."""


IncidentProgressEvent = (
    IncidentOpened
    | IncidentContacted
    | IncidentClassified
    | IncidentAssigned
    | IncidentAcknowledged
    | IncidentPaused
    | IncidentResumed
    | IncidentEdited
    | IncidentInformed
    | IncidentRestored
    | IncidentRelapsed
    | IncidentResolved
    | IncidentSolutionNoted
    | IncidentNoteAdded
    | IncidentNoted
    | IncidentReminderSet
    | IncidentReminded
    | IncidentReminderCleared
    | IncidentReopened
    | IncidentClosed
    | IncidentCancelled
    | IncidentRedirected
)
