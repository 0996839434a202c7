"""What each service that decides about incidents keeps of one: the base of its case.

Pure. Cases are stored in clear, so no field may hold text that people wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from shared.domain import events
from shared.domain.incident.deliveries import OpenQuestion
from shared.domain.incident.reporters import Reporters
from shared.domain.incident.state import UNTOLD, Noticed, opened_by
from shared.domain.policy.priorities import Priority
from shared.domain.policy.targets import PauseReason
from shared.domain.sla import whole


@dataclass(frozen=True, kw_only=True)
class IncidentCase:
    """An incident as far as promises and escalation both depend on it.

    Instants are recording times of log entries, in whole seconds: an event that was not
    read yet can only be later than anything decided now.
    """

    incident: str
    policy: int
    """The version it was opened under, or that its promises were moved to since."""
    service: str
    client: str | None
    priority: Priority
    reported_at: datetime
    noticed: Noticed = UNTOLD
    """How the incident became known."""
    cycle: int = 1
    pause: PauseReason | None = None
    """Whom it waits for; the user only once they have received the question."""
    paused_at: datetime | None = None
    question: OpenQuestion | None = None
    """The question that the users are being sent."""
    restored_at: datetime | None = None
    own_reporters: tuple[str, ...] = ()
    absorbed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The reporters of the incidents that were merged into it."""

    @property
    def reporters(self) -> tuple[str, ...]:
        """All people who reported it or an incident merged into it."""
        return Reporters(self.own_reporters, self.absorbed).all

    def with_question(self, event: events.AnyEvent, at: datetime) -> Self:
        """Return the case after an event: once received, a question pauses it."""
        if self.question is None:
            return self
        if self.question.is_received_by(event, self.reporters):
            return replace(self, pause="user", paused_at=at, question=None)
        return replace(self, question=self.question.after(event))

    def with_reporters(self, event: events.AnyEvent) -> Self:
        """Return the case after an event, as far as the reporters are concerned."""
        before = Reporters(self.own_reporters, self.absorbed)
        own, absorbed = after = before.after(event)
        if after is before:
            return self
        return replace(self, own_reporters=own, absorbed=absorbed)


def opened_fields(event: events.IncidentOpened) -> dict[str, Any]:
    """Return the fields of the case of an incident that was just opened."""
    return {
        "incident": event.incident,
        "policy": event.policy,
        "service": event.service,
        "client": event.client,
        "priority": event.priority,
        "reported_at": whole(event.reported_at),
        "noticed": opened_by(event),
        "own_reporters": (event.reporter,) if event.reporter else (),
    }


def classified_fields(event: events.IncidentClassified) -> dict[str, Any]:
    """Return the fields that a classification sets."""
    return {
        "service": event.service,
        "client": event.client,
        "priority": event.priority,
    }


def counts_from(event: events.IncidentOpened, at: datetime) -> datetime:
    """Return from when the time at the first level counts.

    A split-off incident keeps its report time, but counts from the split.
    """
    return at if event.split_from else min(whole(event.reported_at), at)
