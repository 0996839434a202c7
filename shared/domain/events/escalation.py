"""The events of an escalation: levels, pages, acceptance, managers informed.

The streams `escalation-<incident>` are written only by the escalation service; the desk
stays the owner of the incident. Instants other than `at` are those of the rule, which
do not depend on the delay of the service.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.events.notification import Channel, NotificationEvent
from shared.domain.events.problem import ProblemSuggested
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import Name
from shared.domain.policy.schedules import Role
from shared.domain.policy.targets import SupportLevel

PageTarget = Literal[
    "on_call", "next", "previous", "manager", "members", "person", "channel"
]
Trigger = Literal["tto_warning", "tto_breach", "ttr_warning", "ttr_breach", "ping_pong"]


class Escalated(Event):
    """The incident was escalated to the next support level; `team` works on it."""

    type: Literal["escalation.escalated"] = "escalation.escalated"
    incident: IncidentRef
    policy: int
    cycle: int
    from_level: SupportLevel
    to_level: SupportLevel
    team: str
    cause: Literal[
        "by_hand", "dwell", "ola", "desk_closed", "no_contract", "unanswered"
    ]
    """`ola`: the OLA of n1 was used up; `desk_closed`: a P1 while the desk is closed;
    `no_contract`: a P1 without a rule for how long it may stay there."""
    escalated_at: AwareDatetime
    dwell_seconds: int | None = None
    """Working seconds that it may stay at the previous level, if that is the cause."""
    reason: Text | None = None
    """The reason, if a person escalated it."""


class EscalationReturned(Event):
    """The incident was returned by hand to `team` at a lower level.

    The reason is in the `incident.assigned` that assigned it to them.
    """

    type: Literal["escalation.returned"] = "escalation.returned"
    incident: IncidentRef
    policy: int
    cycle: int
    from_level: SupportLevel
    to_level: SupportLevel
    team: str
    returned_at: AwareDatetime


class EscalationPaged(Event):
    """A step of the escalation policy was due: `people` were asked to accept.

    Once for each (incident, cycle, policy, level, step, loop), which form the `key`;
    after a return, the number of returns is included.
    """

    type: Literal["escalation.paged"] = "escalation.paged"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    step: int
    """Index of the step in the policy, from 0."""
    loop: int
    """Number of the attempt, from 1."""
    escalation_policy: str | None = None
    """The team's own escalation policy, whose step it is; default: the shared steps."""
    key: str
    schedule: str | None = None
    team: str | None = None
    """The target of the step: a schedule or a team."""
    who: PageTarget
    role: Role | None = None
    """What they are on call as, unless `primary`."""
    channel: Channel | None = None
    """The channel that it was sent to, if it is not for people."""
    team_channel: Name | None = None
    """The channel of a team that it was sent to, by its name in the policy."""
    target: int | None = None
    """Index of the target, from 1, if it is not the first or only one of the step."""
    people: tuple[PersonId, ...]
    nobody_on_call: bool = False
    """The schedule has a gap: these are the people the policy names for it."""
    out_of_hours: tuple[PersonId, ...] | None = None
    """Those left out since it is not within the hours of the step where they are."""
    unskilled: tuple[PersonId, ...] | None = None
    """Those who are not listed by their team as knowing the service."""
    quiet: bool = False
    """Sent only by mail, which wakes nobody."""
    acknowledgements: int | None = None
    """How many people have to accept it, if it is more than one."""
    turn: int | None = None
    """Number of the turn, if the people of the target are paged by turns."""
    not_their_turn: tuple[PersonId, ...] | None = None
    """Those of the target who could have been paged: it was not their turn."""
    due_at: AwareDatetime
    held_since: AwareDatetime | None = None
    """When it would have been due, if it waited until somebody was on call."""


class EscalationStepSkipped(Event):
    """A step of the escalation policy was due, and it paged nobody.

    The `key` is that of the page that it would have been.
    """

    type: Literal["escalation.step_skipped"] = "escalation.step_skipped"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    step: int
    """Index of the step in the policy, from 0."""
    loop: int
    """Number of the attempt, from 1."""
    escalation_policy: str | None = None
    """The team's own escalation policy, whose step it is; default: the shared steps."""
    key: str
    cause: Literal["out_of_hours", "declined", "no_receiver", "accepted"]
    """It is not within its hours where the people are; they declined or accepted
    before; or the desk has no receiver for the channel."""
    due_at: AwareDatetime


class EscalationAccepted(Event):
    """`person` accepted the incident at this level; the steps end.

    If several people are wanted, the first of them has the incident, and steps that
    want more go on.
    """

    type: Literal["escalation.accepted"] = "escalation.accepted"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    person: PersonId
    how: Literal["accepted", "acknowledged", "assigned"]
    via: Literal["link", "mail", "call"] | None = None
    """How they answered the page: by its link, a reply, or a key. None: at the desk."""
    others_paged: tuple[PersonId, ...] | None = None
    """Who else was paged at this level: they are told. None if nobody is told."""
    team_channels: tuple[Name, ...] | None = None
    """The channels of teams that were paged at this level: they are told."""
    still_wanted: int | None = None
    """How many more people have to accept it. None if nobody else has to."""
    unskilled: tuple[PersonId, ...] | None = None
    """The person, if the team does not list them as knowing the service."""


class EscalationAcknowledgementReminded(Event):
    """`person`, who acknowledged or accepted the incident: this is about to lapse."""

    type: Literal["escalation.acknowledgement_reminded"] = (
        "escalation.acknowledgement_reminded"
    )
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    person: PersonId
    lapses_at: AwareDatetime
    """When it lapses, unless there is an update before; that of who only acknowledged
    also unless somebody accepts."""


class EscalationAcknowledgementLapsed(Event):
    """An acknowledgement or an acceptance lapsed: the steps of the level begin again.

    TTO stays met. The keys of the pages that follow name the lapse.
    """

    type: Literal["escalation.acknowledgement_lapsed"] = (
        "escalation.acknowledgement_lapsed"
    )
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    person: PersonId
    """Who acknowledged or accepted it."""
    lapsed_at: AwareDatetime


class EscalationDeclined(Event):
    """`person`, who was paged, cannot take it: the next attempt is due at once.

    They are not paged again at this level.
    """

    type: Literal["escalation.declined"] = "escalation.declined"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    page: str
    """The key of the page that they answered."""
    person: PersonId
    next_step: int | None = None
    next_loop: int | None = None
    """The attempt that follows at once. None: nobody else is left to be paged."""
    escalation_policy: str | None = None
    """The team's own escalation policy, whose attempt it is; default: the shared steps.
    """


class EscalationAnotherRequested(Event):
    """`person`, who was paged, wants somebody else to be paged as well, at once."""

    type: Literal["escalation.another_requested"] = "escalation.another_requested"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    page: str
    """The key of the page that they answered."""
    person: PersonId
    next_step: int
    next_loop: int
    """The attempt that follows at once."""
    escalation_policy: str | None = None
    """The team's own escalation policy, whose attempt it is; default: the shared steps.
    """


class EscalationUnanswered(Event):
    """All steps of a level were tried, and nobody accepted."""

    type: Literal["escalation.unanswered"] = "escalation.unanswered"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    unanswered_at: AwareDatetime


class EscalationExhausted(Event):
    """Nobody accepted it, and there is nobody left to page: its manager is told.

    Repeated until somebody accepts it, or it ends. Once for each (incident, cycle,
    policy, level, number), which form the `key`; after a return, the number of returns
    is included.
    """

    type: Literal["escalation.exhausted"] = "escalation.exhausted"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    team: str
    number: int
    """Number of the time at this level, from 1. If the service was down, numbers before
    the last that it missed are left out."""
    key: str
    people: tuple[PersonId, ...]
    quiet: bool = False
    """Sent only by mail, which wakes nobody."""
    exhausted_at: AwareDatetime
    next_at: AwareDatetime
    """When they are told again, if nothing changes."""


class EscalationRaised(Event):
    """Managers were informed: hierarchical escalation, which changes no level.

    Once for each (incident, cycle, trigger, rule), which form the `key`; for warnings,
    once for each point of each target; for `ping_pong`, once in a cycle.
    """

    type: Literal["escalation.raised"] = "escalation.raised"
    incident: IncidentRef
    policy: int
    cycle: int
    key: str
    on: Trigger
    percent: int | None = None
    before_seconds: int | None = None
    after_seconds: int | None = None
    """Which warning it is, as in `sla.warned`."""
    returns: int | None = None
    """For `ping_pong`: how often it came back to a team that had it in this cycle."""
    schedule: str | None = None
    team: str | None = None
    who: PageTarget
    role: Role | None = None
    channel: Channel | None = None
    people: tuple[PersonId, ...]
    raised_at: AwareDatetime


class EscalationUnreachable(Event):
    """A person was paged who has no verified contact method; `people` are informed.

    Once, until the person verifies one. The page went to the address in the directory,
    with the least text.
    """

    type: Literal["escalation.unreachable"] = "escalation.unreachable"
    incident: IncidentRef
    policy: int
    cycle: int
    key: str
    """The page's key."""
    person: PersonId
    people: tuple[PersonId, ...]


class EscalationNobodyNotified(Event):
    """All messages of a page failed: nobody heard of it; `people` are informed.

    Once for each page, whose `key` it has.
    """

    type: Literal["escalation.nobody_notified"] = "escalation.nobody_notified"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    key: str
    people: tuple[PersonId, ...]


EscalationEvent = (
    Escalated
    | EscalationPaged
    | EscalationStepSkipped
    | EscalationAccepted
    | EscalationAcknowledgementReminded
    | EscalationAcknowledgementLapsed
    | EscalationDeclined
    | EscalationAnotherRequested
    | EscalationUnanswered
    | EscalationExhausted
    | EscalationRaised
    | EscalationReturned
    | EscalationUnreachable
    | EscalationNobodyNotified
    | ProblemSuggested
    | NotificationEvent
)
