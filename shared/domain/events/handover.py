"""An incident that broke its promise, handed to Problem Management: once.

Streams `handover-<incident>` are written by the escalation service alone. The incident
stays with the desk, and open.

A service that breaks its promises too often, handed to Problem Management.

In the stream `handover-<incident>` of the incident whose breach, or whose overrun, used
the budget of the service up; written by the escalation service alone. There is at most
one an incident.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.events.event import Event, Text
from shared.domain.events.problem import Match
from shared.domain.identifiers import IncidentRef, ProblemRef


class HandoverRequested(Event):
    """TTR was breached: Problem Management is to look for the cause.

    `problem` is the one it is linked to or joins: the only open one with an incident of
    the same signature, or else the only one of the same service.
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
    """What it joins the problem by; absent where it is linked already."""
    proposed: tuple[ProblemRef, ...] = ()
    """Open problems of which each matches as well as the others: it joins none."""
    answer_by: AwareDatetime | None = None


class HandoverAccepted(Event):
    """Problem Management opened `problem` for it."""

    type: Literal["handover.accepted"] = "handover.accepted"
    incident: IncidentRef
    problem: ProblemRef


class HandoverJoined(Event):
    """It is part of a problem known already.

    By signature it joins by itself, and by service too, `to_be_confirmed` by a person.
    """

    type: Literal["handover.joined"] = "handover.joined"
    incident: IncidentRef
    problem: ProblemRef
    matched: Match | None = None
    """What it joined by; absent where a person linked it, or confirmed that."""
    to_be_confirmed: bool = False


class HandoverReopened(Event):
    """The incident, which had joined by itself, was taken out of `problem` again.

    Problem Management is asked for an answer as if it had not joined.
    """

    type: Literal["handover.reopened"] = "handover.reopened"
    incident: IncidentRef
    problem: ProblemRef
    answer_by: AwareDatetime | None = None


class HandoverDeclined(Event):
    """It is no problem, `reason` says why. The breach stays."""

    type: Literal["handover.declined"] = "handover.declined"
    incident: IncidentRef
    reason: Text


class HandoverUnanswered(Event):
    """Nobody answered in the time the policy gives."""

    type: Literal["handover.unanswered"] = "handover.unanswered"
    incident: IncidentRef
    unanswered_at: AwareDatetime


class CountedBreach(BaseModel):
    """A broken TTR that counts towards the budget of its service, once."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incident: IncidentRef
    breached_at: AwareDatetime
    overrun_seconds: int | None = None
    """Working time too late; absent where it was not done when this was counted."""


class ServiceHandoverRequested(Event):
    """The service used up its budget: Problem Management is to look at it.

    `problem` is the open one of the service, which it joins.
    """

    type: Literal["handover.service_requested"] = "handover.service_requested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    cause: Literal["breaches", "overrun", "downtime"]
    """What of the budget was used up: the number of breaches, the working time they
    were late, or the time the service was down."""
    breaches: int
    """How many made it, in `within_days` up to `crossed_at`."""
    overrun_seconds: int | None = None
    """By how much working time they were late, as far as was known."""
    downtime_seconds: int | None = None
    """For how long, in the hours of its contract, a P1 of it was not restored."""
    outages: tuple[IncidentRef, ...] = ()
    """The P1s that made that, the oldest first; of very many the newest."""
    budget_breaches: int | None = None
    budget_seconds: int | None = None
    budget_downtime_seconds: int | None = None
    within_days: int
    crossed_at: AwareDatetime
    """The instant of the breach, of what was done late, or when service was back."""
    counted: tuple[CountedBreach, ...]
    """The breaches that made it, the oldest first; of very many the newest."""
    problem: ProblemRef | None = None
    proposed: tuple[ProblemRef, ...] = ()
    """Open problems of the service, where there are several: it joins none."""
    answer_by: AwareDatetime | None = None


class ServiceHandoverAccepted(Event):
    """Problem Management opened `problem` for it."""

    type: Literal["handover.service_accepted"] = "handover.service_accepted"
    incident: IncidentRef
    service: str
    problem: ProblemRef


class ServiceHandoverJoined(Event):
    """It is part of a problem known already."""

    type: Literal["handover.service_joined"] = "handover.service_joined"
    incident: IncidentRef
    service: str
    problem: ProblemRef


class ServiceHandoverDeclined(Event):
    """It is no problem, `reason` says why. The breaches stay."""

    type: Literal["handover.service_declined"] = "handover.service_declined"
    incident: IncidentRef
    service: str
    reason: Text


class ServiceHandoverUnanswered(Event):
    """Nobody answered in the time the policy gives."""

    type: Literal["handover.service_unanswered"] = "handover.service_unanswered"
    incident: IncidentRef
    service: str
    unanswered_at: AwareDatetime
