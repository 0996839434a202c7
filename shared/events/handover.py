"""An incident that broke its promise, handed to Problem Management: once.

Streams `handover-<incident>` are written by the escalation service alone. The incident
stays with the desk, and open.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.event import Event, Text
from shared.references import IncidentRef, ProblemRef


class HandoverRequested(Event):
    """TTR was breached: Problem Management is to look for the cause.

    `problem` is an open one of the same service, which it would join.
    """

    type: Literal["handover.requested"] = "handover.requested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    cycle: int
    breached_at: AwareDatetime
    problem: ProblemRef | None = None
    answer_by: AwareDatetime | None = None


class HandoverAccepted(Event):
    """Problem Management opened `problem` for it."""

    type: Literal["handover.accepted"] = "handover.accepted"
    incident: IncidentRef
    problem: ProblemRef


class HandoverJoined(Event):
    """It is part of a problem known already."""

    type: Literal["handover.joined"] = "handover.joined"
    incident: IncidentRef
    problem: ProblemRef


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
