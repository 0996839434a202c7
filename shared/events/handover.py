"""An incident that broke its promise, handed to Problem Management: once.

Streams `handover-<incident>` are written by the escalation service alone. The incident
stays with the desk, and open.
"""

from typing import Literal

from pydantic import AwareDatetime

from shared.events.event import Event, Text
from shared.events.problem import Match
from shared.references import IncidentRef, ProblemRef


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
