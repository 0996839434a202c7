"""What the incident of a trouble is told, and the row of which the log then knows."""

from collections.abc import Sequence
from dataclasses import replace

from services.intake.commands.command import Trigger
from services.intake.signals.rules import flap_detection, groups
from services.intake.signals.rules.context import (
    Correlated,
    Outcome,
    SignalContext,
    fired,
)
from services.intake.signals.rules.key_row import GroupRow, KeyRow
from services.intake.signals.rules.suppression import SuppressionReason
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident, evolve


def told(arrival: SignalContext, ref: str) -> KeyRow:
    """Return the row of a trouble that fires and of which the log knows everything."""
    row = arrival.row._replace(
        incident=ref,
        state="firing",
        severity=arrival.signal.severity or arrival.row.severity,
        last_occurred_at=arrival.latest,
        repeats=0,
        last_summary_at=arrival.ground.at,
        held=None,
    )
    return fired(row, arrival.monitor, arrival.received_at)


def news(  # noqa: PLR0913 what is told, and by which rule
    arrival: SignalContext,
    incident: Incident,
    repeats: int,
    outcome: Outcome,
    why: SuppressionReason,
    *,
    joins: bool = False,
    wakes: bool = False,
) -> Correlated:
    """Tell an incident that its signal fires, and begin to flap where it is time."""
    wish = Trigger(
        arrival.signal,
        arrival.row.signal_key,
        arrival.received_at,
        repeats,
        rule=why.code,
        of=why.of,
        joins=joins,
        wakes=wakes,
    )
    events: Sequence[IncidentEvent] = arrival.decided(incident.ref, incident, wish)
    row = told(arrival, incident.ref)
    row, flaps = flap_detection.started(arrival, row, evolved(incident, events))
    group = touched(arrival, incident.ref)
    return Correlated(outcome, row, why, (*events, *flaps), group)


def evolved(
    incident: Incident | None, events: Sequence[IncidentEvent]
) -> Incident | None:
    """Return the incident after events of its own."""
    for event in events:
        incident = evolve(incident, event)
    return incident


def touched(arrival: SignalContext, ref: str) -> GroupRow | None:
    """Return the group of a signal that came to `ref`, where it is the group's own."""
    key = arrival.row.life.group
    if key is None:
        return None
    ground = arrival.ground
    group = ground.groups.get(key) or GroupRow(key, arrival.row.source)
    meant = groups.followed(group.incident, ground.incident)
    if meant is None or meant.ref != ref:
        return None
    return groups.signalled(group, ref, arrival.received_at, ground.incident)


def claimed(arrival: SignalContext, ref: str) -> GroupRow | None:
    """Return the group of a signal, whose incident is `ref` from now on."""
    key = arrival.row.life.group
    if key is None or arrival.row.life.apart:
        return None
    group = arrival.ground.groups.get(key) or GroupRow(key, arrival.row.source)
    return groups.signalled(group, ref, arrival.moment, arrival.ground.incident)


def in_group(row: KeyRow, group: str | None) -> KeyRow:
    """Return the row of a trouble whose last signal belongs to that group."""
    if row.life.group == group:
        return row
    return row._replace(life=replace(row.life, group=group))
