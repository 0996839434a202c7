"""How help was looked for: levels, pages, acceptance, managers told.

Streams `escalation-<incident>` are written by the escalation service alone; the desk
stays the owner of the incident. Instants beside `at` are those of the rule, the same
however late the service was.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.targets import SupportLevel

Trigger = Literal["tto_warning", "tto_breach", "ttr_warning", "ttr_breach", "ping_pong"]


class Escalated(Event):
    """The incident went to the next support level, whose `team` works on it now."""

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
    """`ola`: what n1 owes was used up first; `desk_closed`: a P1 while nobody is at the
    desk; `no_contract`: a P1 for which nothing says how long it may stay there."""
    escalated_at: AwareDatetime
    dwell_seconds: int | None = None
    """Working seconds it might stay at the level it left, where that is the cause."""
    reason: Text | None = None
    """Why, where a person did it."""


class EscalationReturned(Event):
    """The incident went back down, to `team` of a lower level, by hand.

    Why is in the `incident.assigned` that gave it to them.
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
    """A step of the policy was due: `people` are asked to take the incident on.

    Once for each (incident, cycle, policy, level, step, loop), which make `key`; after
    a return with how often it went back.
    """

    type: Literal["escalation.paged"] = "escalation.paged"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    step: int
    """Place of the rung in the policy, from 0."""
    loop: int
    """How often the rung is tried, from 1."""
    key: str
    schedule: str | None = None
    team: str | None = None
    """Whom the rung names: a schedule or a team."""
    who: Literal["on_call", "next", "manager", "members"]
    people: tuple[PersonId, ...]
    nobody_on_call: bool = False
    """The schedule had a gap: these are whom the policy names for that."""
    unskilled: tuple[PersonId, ...] | None = None
    """Those of them whom their team does not name as knowing the service."""
    due_at: AwareDatetime


class EscalationAccepted(Event):
    """`person` takes the incident on at this level; the steps end."""

    type: Literal["escalation.accepted"] = "escalation.accepted"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    person: PersonId
    how: Literal["accepted", "acknowledged", "assigned"]
    unskilled: tuple[PersonId, ...] | None = None
    """That person, if the team does not name them as knowing the service."""


class EscalationUnanswered(Event):
    """All steps of a level were tried and nobody accepted."""

    type: Literal["escalation.unanswered"] = "escalation.unanswered"
    incident: IncidentRef
    policy: int
    cycle: int
    level: SupportLevel
    unanswered_at: AwareDatetime


class EscalationRaised(Event):
    """Managers are told: hierarchical escalation, which moves nothing.

    Once for each (incident, cycle, trigger, rule), which make `key`; of warnings once
    for each point of each target, of `ping_pong` once a cycle.
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
    """Which warning it is of, as in `sla.warned`."""
    returns: int | None = None
    """Of `ping_pong`: how often it came back to a team that had it in this cycle."""
    schedule: str | None = None
    team: str | None = None
    who: Literal["on_call", "next", "manager", "members"]
    people: tuple[PersonId, ...]
    raised_at: AwareDatetime
