"""What links, merging and splitting make of an incident."""

from typing import assert_never

from shared.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.incident.state import Incident, Status, changed

Tie = (
    IncidentLinked
    | IncidentUnlinked
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentUnmerged
    | IncidentReleased
    | IncidentSplit
)


def tied(  # noqa: PLR0911 one return a case
    incident: Incident, event: Tie
) -> Incident:
    """Return the incident after an event of this kind."""
    match event:
        case IncidentLinked():
            link = (event.relation, event.target)
            return changed(incident, links=incident.links | {link})
        case IncidentUnlinked():
            link = (event.relation, event.target)
            return changed(incident, links=incident.links - {link})
        case IncidentMerged():
            return changed(
                incident,
                status=Status.MERGED,
                merged_into=event.into,
                flapping_keys=frozenset(),
            )
        case IncidentUnmerged():
            return changed(
                incident,
                status=incident.status_at_work,
                merged_into=None,
                signals=dict(event.signals),
            )
        case IncidentAbsorbed():
            return _absorbed(incident, event)
        case IncidentReleased():
            absorbed = dict(incident.absorbed)
            absorbed.pop(event.merged, None)
            return _without(incident, event.signal_keys, absorbed=absorbed)
        case IncidentSplit():
            into = incident.split_into | {event.into}
            return _without(incident, event.signal_keys, split_into=into)
        case _:
            assert_never(event)


def _absorbed(incident: Incident, event: IncidentAbsorbed) -> Incident:
    return changed(
        incident,
        signals={**incident.signals, **event.signals},
        absorbed={**incident.absorbed, event.merged: event.reporters},
    )


def _without(incident: Incident, keys: tuple[str, ...], **changes: object) -> Incident:
    signals = {k: v for k, v in incident.signals.items() if k not in keys}
    flapping = incident.flapping_keys.difference(keys)
    return changed(incident, signals=signals, flapping_keys=flapping, **changes)
