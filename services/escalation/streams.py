"""Which streams hold what is decided about an incident, and what that depends on."""

from collections.abc import Sequence

from shared.domain.events import AnyEvent
from shared.domain.identifiers import (
    escalation_stream,
    handover_stream,
    incident_stream,
    sla_stream,
)


def stream_of(incident: str, event: AnyEvent) -> str:
    """Return the stream in which a decision is recorded."""
    if event.type.startswith("handover."):
        return handover_stream(incident)
    return escalation_stream(incident)


def owns(incident: str) -> Sequence[str]:
    """Return the streams that hold our decisions about an incident."""
    return escalation_stream(incident), handover_stream(incident)


def follows(incident: str) -> Sequence[str]:
    """Return the streams to be read before anything is decided by the clock."""
    return incident_stream(incident), sla_stream(incident)
