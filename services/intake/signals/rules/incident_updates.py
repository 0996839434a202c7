"""Updates an incident with a signal of its alert, and the key row accordingly."""

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
    """Return the row of a firing alert after everything was recorded in the log."""
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


def news(  # noqa: PLR0913 # the signal's effect, and the rule behind it
    arrival: SignalContext,
    incident: Incident,
    repeats: int,
    outcome: Outcome,
    why: SuppressionReason,
    *,
    joins: bool = False,
    wakes: bool = False,
) -> Correlated:
    """Record that an alert fires, and start flapping if it is time."""
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
    """Return the incident after these events."""
    for event in events:
        incident = evolve(incident, event)
    return incident


def touched(arrival: SignalContext, ref: str) -> GroupRow | None:
    """Return the group of a signal recorded on `ref`, if `ref` is its incident."""
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
    """Return the group of a signal, with `ref` as its incident from now on."""
    key = arrival.row.life.group
    if key is None or arrival.row.life.apart:
        return None
    group = arrival.ground.groups.get(key) or GroupRow(key, arrival.row.source)
    return groups.signalled(group, ref, arrival.moment, arrival.ground.incident)


def in_group(row: KeyRow, group: str | None) -> KeyRow:
    """Return the row of an alert whose last signal belongs to that group."""
    if row.life.group == group:
        return row
    return row._replace(life=replace(row.life, group=group))
