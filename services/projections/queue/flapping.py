"""Which signals of an incident go up and down, as its row in the queue knows it."""

from collections.abc import Mapping

from services.projections.queue.row import Changes, QueueRow
from shared.domain.events.incident_signals import (
    IncidentFlappingEnded,
    IncidentFlappingStarted,
)
from shared.domain.events.incident_ties import IncidentReleased, IncidentSplit

NO_LONGER: Mapping[str, object] = {"flapping": False, "flapping_keys": ""}


def flapped(
    row: QueueRow,
    event: (
        IncidentFlappingStarted
        | IncidentFlappingEnded
        | IncidentReleased
        | IncidentSplit
    ),
) -> Changes:
    """Return what an event changes about it; keys that leave take it along."""
    before = set(row.flapping_keys.split())
    match event:
        case IncidentFlappingStarted(signal_key=key):
            after = before | {key}
        case IncidentFlappingEnded(signal_key=key):
            after = before - {key}
        case IncidentReleased(signal_keys=keys) | IncidentSplit(signal_keys=keys):
            after = before.difference(keys)
    if after == before:
        return {}
    return {"flapping": bool(after), "flapping_keys": " ".join(sorted(after))}
