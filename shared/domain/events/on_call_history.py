"""Events of who was on call, and of when they worked.

Escalation observes the schedules and records in `on_call_history-<schedule>`: who was
on call is what was recorded, and never computed again from a policy or from changes
made later. Standby is not working time, an intervention is: only the person declares
theirs, through intake, in `interventions-<person>`. Who asked why a person was paged,
or was not, is in `explanations-<person>`.

People are named by their ids. Only a question about somebody else has a reason, which
is stored encrypted.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from shared.domain.events.event import Event, Text
from shared.domain.events.incident import PersonId
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.clause import NAME
from shared.domain.policy.schedules import Role

InterventionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,140}$")]
ScheduleName = Annotated[str, StringConstraints(pattern=NAME)]


class OnCallHandedOver(Event):
    """Other people are on call from an instant on, as one role of a schedule.

    Also recorded when a schedule is first observed, then without anybody `outgoing`,
    and when it is removed, then without anybody `incoming`.
    """

    type: Literal["on_call.handed_over"] = "on_call.handed_over"
    schedule: ScheduleName
    role: Role
    at_instant: AwareDatetime
    """When it happened; the entry may have been recorded later."""
    outgoing: tuple[PersonId, ...]
    """Who was on call until then; nobody after a gap."""
    incoming: tuple[PersonId, ...]
    """Who is on call from then on, in the order in which they are paged; nobody in a
    gap."""
    policy: int
    """The version of the policy in force at that instant."""


class OnCallGapFound(Event):
    """Nobody will be on call in [start, end), as far as is known now."""

    type: Literal["on_call.gap_found"] = "on_call.gap_found"
    schedule: ScheduleName
    role: Role
    start: AwareDatetime
    end: AwareDatetime
    policy: int


class OnCallGapClosed(Event):
    """A gap that was found will not come, or comes at other times."""

    type: Literal["on_call.gap_closed"] = "on_call.gap_closed"
    schedule: ScheduleName
    role: Role
    start: AwareDatetime
    end: AwareDatetime
    policy: int


class OnCallInterventionDeclared(Event):
    """A person worked in [start, end) while they were on standby."""

    type: Literal["on_call.intervention_declared"] = "on_call.intervention_declared"
    person: PersonId
    intervention: InterventionId
    """The person and the version of the stream: `nadia.3`."""
    start: AwareDatetime
    end: AwareDatetime
    incident: IncidentRef | None = None


class OnCallInterventionWithdrawn(Event):
    """The person withdrew an intervention that they had declared."""

    type: Literal["on_call.intervention_withdrawn"] = "on_call.intervention_withdrawn"
    person: PersonId
    intervention: InterventionId


class OnCallExplained(Event):
    """Somebody asked why a person was paged for an incident, or was not.

    They were told by which rule, over which methods, and what was delivered. The person
    sees that they asked. A repeat within 15 minutes is not recorded.
    """

    type: Literal["on_call.explained"] = "on_call.explained"
    person: PersonId
    incident: IncidentRef
    reason: Text


OnCallHistoryEvent = OnCallHandedOver | OnCallGapFound | OnCallGapClosed
InterventionEvent = OnCallInterventionDeclared | OnCallInterventionWithdrawn
