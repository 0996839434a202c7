"""The events of a hand-over to Problem Management, of an incident or of a service.

The streams `handover-<incident>` are written only by the escalation service. An
incident that breached its TTR is handed over once; it stays with the desk, and open. A
service that exhausted its budget is handed over in the stream of the incident whose
breach or overrun exhausted it, at most once for each incident.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.events.event import Event, Text
from shared.domain.events.problem import Match
from shared.domain.identifiers import IncidentRef, ProblemRef


class HandoverRequested(Event):
    """TTR was breached: Problem Management is asked to look for the cause.

    `problem` is the one that it is linked to or joins: the only open one with an
    incident of the same signature, or else the only one of the same service.
    """

    type: Literal["handover.requested"] = "handover.requested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    cycle: int
    breached_at: AwareDatetime
    problem: ProblemRef | None = None
    matched: Match | None = None
    """How it matched the problem; absent if it is linked already."""
    proposed: tuple[ProblemRef, ...] = ()
    """Open problems that match equally well: it joins none of them."""
    answer_by: AwareDatetime | None = None


class HandoverAccepted(Event):
    """Problem Management accepted the hand-over, and opened `problem` for it."""

    type: Literal["handover.accepted"] = "handover.accepted"
    incident: IncidentRef
    problem: ProblemRef


class HandoverJoined(Event):
    """The incident was assigned to a known problem.

    A match by signature joins automatically; so does one by service, but
    `to_be_confirmed` by a person.
    """

    type: Literal["handover.joined"] = "handover.joined"
    incident: IncidentRef
    problem: ProblemRef
    matched: Match | None = None
    """How it matched; absent if a person linked or confirmed it."""
    to_be_confirmed: bool = False


class HandoverProposed(Event):
    """While it waits, `problem` came to have an incident of the same signature.

    Problem Management may join it to that problem; it does not join automatically.
    """

    type: Literal["handover.proposed"] = "handover.proposed"
    incident: IncidentRef
    problem: ProblemRef


class HandoverReopened(Event):
    """The incident was removed from `problem`, of which its hand-over was part.

    Problem Management is asked for another answer, also if a person gave the first.
    """

    type: Literal["handover.reopened"] = "handover.reopened"
    incident: IncidentRef
    problem: ProblemRef
    answer_by: AwareDatetime | None = None


class HandoverDeclined(Event):
    """Problem Management declined the hand-over, for `reason`. The breach stays."""

    type: Literal["handover.declined"] = "handover.declined"
    incident: IncidentRef
    reason: Text


class HandoverUnanswered(Event):
    """Nobody answered within the time set by the policy."""

    type: Literal["handover.unanswered"] = "handover.unanswered"
    incident: IncidentRef
    unanswered_at: AwareDatetime


class CountedBreach(BaseModel):
    """A breached TTR that counts towards the budget of its service, once."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incident: IncidentRef
    breached_at: AwareDatetime
    overrun_seconds: int | None = None
    """Working time overdue; absent if it was not done when this was counted."""


class ServiceHandoverRequested(Event):
    """The service exhausted its budget: Problem Management is asked to look at it.

    `problem` is the open problem of the service, which it joins.
    """

    type: Literal["handover.service_requested"] = "handover.service_requested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    cause: Literal["breaches", "overrun", "downtime"]
    """Which part of the budget was exhausted: the number of breaches, their overdue
    working time, or the downtime of the service."""
    breaches: int
    """The number of breaches in `within_days` up to `crossed_at`."""
    overrun_seconds: int | None = None
    """Their total overdue working time, as far as known."""
    downtime_seconds: int | None = None
    """How long, in its contract's hours, a P1 of the service was not restored."""
    outages: tuple[IncidentRef, ...] = ()
    """The P1s that add up to this, oldest first; if there are very many, the newest."""
    budget_breaches: int | None = None
    budget_seconds: int | None = None
    budget_downtime_seconds: int | None = None
    within_days: int
    crossed_at: AwareDatetime
    """The instant of the breach, of late completion, or of restoration."""
    counted: tuple[CountedBreach, ...]
    """The breaches that add up to it, oldest first; if very many, the newest."""
    problem: ProblemRef | None = None
    proposed: tuple[ProblemRef, ...] = ()
    """Open problems of the service, if there are several: it joins none of them."""
    answer_by: AwareDatetime | None = None


class ServiceHandoverAccepted(Event):
    """Problem Management accepted the hand-over, and opened `problem` for it."""

    type: Literal["handover.service_accepted"] = "handover.service_accepted"
    incident: IncidentRef
    service: str
    problem: ProblemRef


class ServiceHandoverJoined(Event):
    """The hand-over of the service joined a known problem."""

    type: Literal["handover.service_joined"] = "handover.service_joined"
    incident: IncidentRef
    service: str
    problem: ProblemRef


class ServiceHandoverReopened(Event):
    """The incident was removed from `problem`, of which the service was part.

    Problem Management is asked for another answer, also if a person gave the first.
    """

    type: Literal["handover.service_reopened"] = "handover.service_reopened"
    incident: IncidentRef
    service: str
    problem: ProblemRef
    answer_by: AwareDatetime | None = None


class ServiceHandoverDeclined(Event):
    """Problem Management declined the hand-over, for `reason`. The breaches stay."""

    type: Literal["handover.service_declined"] = "handover.service_declined"
    incident: IncidentRef
    service: str
    reason: Text


class ServiceHandoverUnanswered(Event):
    """Nobody answered within the time set by the policy."""

    type: Literal["handover.service_unanswered"] = "handover.service_unanswered"
    incident: IncidentRef
    service: str
    unanswered_at: AwareDatetime


HandoverEvent = (
    HandoverRequested
    | HandoverAccepted
    | HandoverJoined
    | HandoverProposed
    | HandoverReopened
    | HandoverDeclined
    | HandoverUnanswered
)
ServiceHandoverEvent = (
    ServiceHandoverRequested
    | ServiceHandoverAccepted
    | ServiceHandoverJoined
    | ServiceHandoverReopened
    | ServiceHandoverDeclined
    | ServiceHandoverUnanswered
)
