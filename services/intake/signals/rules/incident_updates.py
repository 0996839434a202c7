"""What a signal that counts changes: its incident, the key row, and its group.

A group keeps the reference of the incident it opened. If that was merged, the incident
it was merged into is used; after an unmerge, its own again.

An alert that changes its state too often is flapping: it must hold a state to count.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.records.system_command import Flap, Trigger
from services.intake.signals.rules.context import (
    BatchContext,
    Correlated,
    GroupRow,
    KeyRow,
    Life,
    Outcome,
    SignalContext,
    SuppressionReason,
    decided,
    fired,
)
from shared.domain.events import IncidentEvent
from shared.domain.incident import AT_WORK, Incident, Status, evolve
from shared.domain.policy.priorities import Severity
from shared.domain.policy.sources import Correlation, Flapping

MERGED_TIMES_MAX = 20
"""How many merges are followed from a group to its current incident."""

_RISING: tuple[Severity | None, ...] = (None, "info", "warning", "error", "critical")


def updated(  # noqa: PLR0913 # the signal's effect, and the rule behind it
    context: SignalContext,
    incident: Incident,
    repeats: int,
    outcome: Outcome,
    why: SuppressionReason,
    *,
    joins: bool = False,
    wakes: bool = False,
) -> Correlated:
    """Record that an alert fires, and start flapping if it is time."""
    command = Trigger(
        context.signal,
        context.row.signal_key,
        context.received_at,
        repeats,
        rule=why.code,
        of=why.of,
        joins=joins,
        wakes=wakes,
    )
    events: Sequence[IncidentEvent] = context.decided(incident.ref, incident, command)
    row = recorded(context, incident.ref)
    row, flaps = flapping_started(context, row, evolved(incident, events))
    group = touched_group(context, incident.ref)
    return Correlated(outcome, row, why, (*events, *flaps), group)


def recorded(context: SignalContext, ref: str) -> KeyRow:
    """Return the row of a firing alert after everything was recorded in the log."""
    row = context.row._replace(
        incident=ref,
        state="firing",
        severity=context.signal.severity or context.row.severity,
        last_occurred_at=context.latest,
        repeats=0,
        last_summary_at=context.batch.at,
        held=None,
    )
    return fired(row, context.monitor, context.received_at)


def evolved(
    incident: Incident | None, events: Sequence[IncidentEvent]
) -> Incident | None:
    """Return the incident after these events."""
    for event in events:
        incident = evolve(incident, event)
    return incident


def is_snoozed(incident: Incident, context: SignalContext) -> bool:
    """Return whether repeats are only counted at the time of this one."""
    until = incident.snoozed_until
    return until is not None and context.batch.at < until


def is_worse(now: Severity | None, before: Severity | None) -> bool:
    """Return whether a signal has a severity, and a worse one than before."""
    return now is not None and _RISING.index(now) > _RISING.index(before)


def group_incident(context: SignalContext, clause: Correlation) -> Incident | None:
    """Return the group's incident if it is active and was signalled recently enough."""
    group = context.batch.groups.get(context.row.life.group or "")
    if group is None or group.signalled_at is None:
        return None
    if context.moment - group.signalled_at > clause.within:
        return None
    found = _current(group.incident, context.batch.incident)
    return found if found is not None and found.status in AT_WORK else None


def touched_group(context: SignalContext, ref: str) -> GroupRow | None:
    """Return the group of a signal recorded on `ref`, if `ref` is its incident."""
    group = _group(context)
    if group is None:
        return None
    found = _current(group.incident, context.batch.incident)
    if found is None or found.ref != ref:
        return None
    return _signalled(group, group.incident, context.received_at)


def claimed_group(context: SignalContext, ref: str) -> GroupRow | None:
    """Return the group of a signal, with `ref` as its incident from now on."""
    group = None if context.row.life.apart else _group(context)
    if group is None:
        return None
    found = _current(group.incident, context.batch.incident)
    kept = group.incident if found is not None and found.ref == ref else ref
    return _signalled(group, kept, context.moment)


def _group(context: SignalContext) -> GroupRow | None:
    key = context.row.life.group
    if key is None:
        return None
    return context.batch.groups.get(key) or GroupRow(key, context.row.source)


def _current(
    ref: str | None, incident: Callable[[str], Incident | None]
) -> Incident | None:
    """Return the incident of that reference, or the one it was merged into."""
    for _ in range(MERGED_TIMES_MAX):
        found = incident(ref) if ref else None
        if found is None or found.status is not Status.MERGED:
            return found
        ref = found.merged_into
    return None


def _signalled(group: GroupRow, incident: str | None, at: datetime) -> GroupRow:
    before = group.signalled_at
    latest = at if before is None else max(at, before)
    return group._replace(incident=incident, signalled_at=latest)


def with_change(context: SignalContext) -> KeyRow:
    """Return the row after one more change of state, if these are counted."""
    row, monitor = context.row, context.monitor
    flapping = monitor.flapping if monitor else None
    if flapping is None or row.state == "unknown":
        return row
    life, at = row.life, context.received_at
    changes = (*life.changes, at)[-flapping.changes :]
    life = replace(life, changes=changes)
    if life.flapping_since is not None:
        life = replace(life, flapping_changes=life.flapping_changes + 1)
    return row._replace(life=life)


def flapping_started(
    context: SignalContext, row: KeyRow, incident: Incident | None
) -> tuple[KeyRow, Sequence[IncidentEvent]]:
    """Return the row, and events, if the alert starts to flap with this change."""
    flapping = context.monitor.flapping if context.monitor else None
    life = row.life
    if flapping is None or incident is None or not _flaps(life, flapping):
        return row, ()
    since = life.changes[0]
    command = Flap(row.source, row.signal_key, len(life.changes), since)
    events = context.decided(incident.ref, incident, command)
    after = replace(life, flapping_since=since, flapping_changes=len(life.changes))
    return row._replace(life=after), events


def _flaps(life: Life, flapping: Flapping) -> bool:
    return (
        life.flapping_since is None
        and len(life.changes) >= flapping.changes
        and life.changes[-1] - life.changes[-flapping.changes] <= flapping.within
    )


def flapping_ended(
    batch: BatchContext, row: KeyRow, incident: Incident | None, held_until: datetime
) -> tuple[KeyRow, list[IncidentEvent]]:
    """Return the row, and events, after a flapping alert has held its state."""
    life = row.life
    if life.flapping_since is None:
        return row, []
    events: list[IncidentEvent] = []
    if incident is not None:
        command = Flap(
            row.source,
            row.signal_key,
            life.flapping_changes,
            life.flapping_since,
            held_until,
        )
        events = decided(batch, f"source:{row.source}", incident.ref, incident, command)
    calm = replace(life, changes=(), flapping_since=None, flapping_changes=0)
    return row._replace(life=calm), events
