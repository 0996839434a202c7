"""The effect of links, merges and splits on an incident."""

from typing import assert_never

from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.domain.incident.state import Incident, Status, changed

Tie = (
    IncidentLinked
    | IncidentUnlinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentUnmerged
    | IncidentReleased
    | IncidentSplit
)


def tied(incident: Incident, event: Tie) -> Incident:
    """Return the incident after an event of this kind."""
    match event:
        case (
            IncidentLinked()
            | IncidentUnlinked()
            | IncidentProblemPresumed()
            | IncidentProblemResolved()
        ):
            return _linked(incident, event)
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


def _linked(
    incident: Incident,
    event: IncidentLinked
    | IncidentUnlinked
    | IncidentProblemPresumed
    | IncidentProblemResolved,
) -> Incident:
    presumed, resolved = incident.presumed_problems, dict(incident.resolved_problems)
    match event:
        case IncidentProblemPresumed(problem=problem):
            return changed(incident, presumed_problems=presumed | {problem})
        case IncidentProblemResolved(problem=problem):
            if problem in incident.problems:
                resolved[problem] = incident.cycle
            return changed(incident, resolved_problems=resolved)
        case IncidentLinked(relation=relation, target=target):
            links = incident.links | {(relation, target)}
        case IncidentUnlinked(relation=relation, target=target):
            links = incident.links - {(relation, target)}
            if relation == "problem":
                resolved.pop(target, None)
        case _:
            assert_never(event)
    if relation == "problem":
        presumed -= {target}
    return changed(
        incident, links=links, presumed_problems=presumed, resolved_problems=resolved
    )


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
