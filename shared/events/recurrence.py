"""Incidents of one kind, too many for chance: a tip for Problem Management.

It stands in the stream `escalation-<incident>` of the one that completed the row.
Nothing is identified by it: that is what a person decides.
"""

from typing import Literal

from shared.events.event import Event
from shared.references import IncidentRef


class ProblemSuggested(Event):
    """`incidents`, all of one kind and opened within so many days, may have one cause.

    The newest is this incident itself. Each incident is in one such row at most.
    """

    type: Literal["escalation.problem_suggested"] = "escalation.problem_suggested"
    incident: IncidentRef
    policy: int
    service: str
    team: str
    within_days: int
    incidents: tuple[IncidentRef, ...]
