"""A reviewed incident, as its events: what tests of reviews have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.events import EVENT_TYPES, AnyEvent, is_incident_event
from shared.domain.incident import Incident, replay
from tests.support.strategies.histories import opened

INC = "INC-000001"
NOW = datetime(2025, 6, 30, 14, tzinfo=UTC)
"""A Monday, at 16:00 at the desk."""
OPENED = NOW - timedelta(hours=3)


def about(type_: str, minutes: int = 0, by: str = "person:tariq", **given: Any) -> Any:
    """Return an event about the incident, so many minutes after it was opened."""
    at = OPENED + timedelta(minutes=minutes)
    head = {"at": at, "by": by, "whose": by, "incident": INC, "policy": 1}
    return EVENT_TYPES[type_].model_validate({**head, **given})


def outage(priority: str = "p1", *more: AnyEvent) -> list[AnyEvent]:
    """Return the history of an incident that was restored and resolved."""
    first = opened(
        INC,
        at=OPENED,
        reported_at=OPENED,
        priority=priority,
        service="billetterie",
        team="exploitation",
        reporter="lefevre",
    )
    return [
        first,
        about("incident.contacted", 0, **CONTACT),
        about("incident.acknowledged", 12),
        about("incident.informed", 30, message="On cherche."),
        *more,
        about("incident.restored", 90),
        about("incident.resolved", 95, cycle=1, note="Lien rétabli"),
    ]


CONTACT: dict[str, Any] = {
    "by": "person:lefevre",
    "person": "lefevre",
    "direction": "inbound",
    "channel": "phone",
    "contacted_at": OPENED,
    "words": "Plus rien ne marche",
}
BREACH: dict[str, Any] = {
    "target": "ttr",
    "cycle": 1,
    "contract": "ville",
    "seconds": 3_600,
    "due_at": OPENED + timedelta(hours=1),
    "breached_at": OPENED + timedelta(hours=1),
}


def incident_of(history: list[AnyEvent]) -> Incident:
    """Return the incident after its history."""
    incident = replay(each for each in history if is_incident_event(each))
    assert incident is not None
    return incident
