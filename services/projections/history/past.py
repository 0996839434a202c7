"""What can be read of the past of an incident, and what cannot. Pure.

An event that cannot be read, or that cannot have happened after those before it, ends
what is known of its own stream: later events of it may build on what it says. The other
streams about the incident go on. So does its own if the service that decides in it was
told to skip the event: what it decided since then does not build on it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.projections import handovers
from services.projections.handovers import Handover
from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from shared.domain import events, sla
from shared.domain import incident as incidents
from shared.domain.incident import BrokenHistory, Incident
from shared.domain.sla import Clock
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable
from shared.eventlog.log import Row
from shared.eventlog.unreadable import UnreadableEvent


class IncidentState(NamedTuple):
    """The state that follows from the streams about an incident, event by event."""

    incident: Incident | None = None
    row: QueueRow | None = None
    clocks: tuple[Clock, ...] = ()
    handover: Handover | None = None
    service_handover: Handover | None = None


@dataclass(frozen=True)
class Past:
    """The events about an incident that can be read, in order, and their state."""

    entries: tuple[Entry, ...]
    state: IncidentState
    unreadable: tuple[UnreadableEvent, ...]
    """Each event that was skipped, and the first that ends a stream, in order."""


def past_of(read: Iterable[tuple[Row, Entry | Unreadable]]) -> Past:
    """Return the past with these events of the streams about one incident, in order."""
    state, entries = IncidentState(), list[Entry]()
    left_out = list[UnreadableEvent]()
    ended, later = set[str](), Counter[str]()
    for row, each in read:
        if row.stream in ended:
            later[row.stream] += 1
            continue
        why, skipped = None, False
        if isinstance(each, Unreadable):
            why, skipped = each.why, each.skipped
        else:
            try:
                state = _evolve(state, each)
            except Exception as error:  # noqa: BLE001 # it concerns this event only
                why = _impossible(error)
            else:
                entries.append(each)
        if why is not None:
            where = (row.position, row.stream, row.type)
            left_out.append(UnreadableEvent(*where, why, skipped=skipped))
            if not skipped:
                ended.add(row.stream)
    unreadable = (
        each if each.skipped else replace(each, later=later[each.stream])
        for each in left_out
    )
    return Past(tuple(entries), state, tuple(unreadable))


def _impossible(error: Exception) -> str:
    """Return why an event cannot have happened; only our own sentences are shown."""
    why = error if isinstance(error, BrokenHistory) else type(error).__name__
    return f"it cannot have happened: {why}"


def _evolve(state: IncidentState, entry: Entry) -> IncidentState:
    """Return the state after `entry`. Raises if it cannot have happened then."""
    event, incident, clocks = entry.event, state.incident, state.clocks
    if events.is_incident_event(event):
        incident = incidents.evolve(incident, event)
    if events.is_sla_event(event):
        sla.require_in_reach(event, entry.recorded_at)
        clocks = sla.evolve(clocks, event)
    return IncidentState(
        incident,
        project(state.row, entry),
        clocks,
        handovers.evolve(state.handover, entry, "incident"),
        handovers.evolve(state.service_handover, entry, "service"),
    )
