"""The events of an escalation: levels, pages, acceptance, managers informed.

The streams `escalation-<incident>` are written only by the escalation service; the desk
stays the owner of the incident. Instants other than `at` are those of the rule, which
do not depend on the delay of the service.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.targets import SupportLevel

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
    key: str
    schedule: str | None = None
    team: str | None = None
    """The target of the step: a schedule or a team."""
    who: Literal["on_call", "next", "manager", "members"]
    people: tuple[PersonId, ...]
    nobody_on_call: bool = False
    """The schedule has a gap: these are the people the policy names for it."""
    unskilled: tuple[PersonId, ...] | None = None
    """Those who are not listed by their team as knowing the service."""
    due_at: AwareDatetime


class EscalationAccepted(Event):
    """`person` accepted the incident at this level; the steps end."""

    type: Literal["escalation.accepted"] = "escalation.accepted"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    person: PersonId
    how: Literal["accepted", "acknowledged", "assigned"]
    unskilled: tuple[PersonId, ...] | None = None
    """The person, if the team does not list them as knowing the service."""


class EscalationUnanswered(Event):
    """All steps of a level were tried, and nobody accepted."""

    type: Literal["escalation.unanswered"] = "escalation.unanswered"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    unanswered_at: AwareDatetime


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
    who: Literal["on_call", "next", "manager", "members"]
    people: tuple[PersonId, ...]
    raised_at: AwareDatetime
