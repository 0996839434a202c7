"""Flap detection: alerts that change state too often must hold a state to count.

Also decides whether repeats of a snoozed incident are recorded.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.commands.command import Flap
from services.intake.signals.rules.context import BatchContext, SignalContext, decided
from services.intake.signals.rules.key_row import KeyRow, Life
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident
from shared.domain.policy.priorities import Severity
from shared.domain.policy.sources import Flapping


def turned(arrival: SignalContext) -> KeyRow:
    """Return the row after one more change of state, if these are counted."""
    row, monitor = arrival.row, arrival.monitor
    flapping = monitor.flapping if monitor else None
    if flapping is None or row.state == "unknown":
        return row
    life, at = row.life, arrival.received_at
    changes = (*life.changes, at)[-flapping.changes :]
    life = replace(life, changes=changes)
    if life.flapping_since is not None:
        life = replace(life, flapping_changes=life.flapping_changes + 1)
    return row._replace(life=life)


def started(
    arrival: SignalContext, row: KeyRow, incident: Incident | None
) -> tuple[KeyRow, Sequence[IncidentEvent]]:
    """Return the row, and events, if the alert starts to flap with this change."""
    flapping = arrival.monitor.flapping if arrival.monitor else None
    life = row.life
    if flapping is None or incident is None or not _flaps(life, flapping):
        return row, ()
    since = life.changes[0]
    wish = Flap(row.source, row.signal_key, len(life.changes), since)
    events = arrival.decided(incident.ref, incident, wish)
    after = replace(life, flapping_since=since, flapping_changes=len(life.changes))
    return row._replace(life=after), events


def _flaps(life: Life, flapping: Flapping) -> bool:
    return (
        life.flapping_since is None
        and len(life.changes) >= flapping.changes
        and life.changes[-1] - life.changes[-flapping.changes] <= flapping.within
    )


def ended(
    ground: BatchContext, row: KeyRow, incident: Incident | None, held_until: datetime
) -> tuple[KeyRow, list[IncidentEvent]]:
    """Return the row, and events, after a flapping alert has held its state."""
    life = row.life
    if life.flapping_since is None:
        return row, []
    events: list[IncidentEvent] = []
    if incident is not None:
        wish = Flap(
            row.source,
            row.signal_key,
            life.flapping_changes,
            life.flapping_since,
            held_until,
        )
        events = decided(ground, f"source:{row.source}", incident.ref, incident, wish)
    calm = replace(life, changes=(), flapping_since=None, flapping_changes=0)
    return row._replace(life=calm), events


_RISING: tuple[Severity | None, ...] = (None, "info", "warning", "error", "critical")


def is_snoozed(incident: Incident, arrival: SignalContext) -> bool:
    """Return whether repeats are only counted at the time of this one."""
    until = incident.snoozed_until
    return until is not None and arrival.ground.at < until


def is_worse(now: Severity | None, before: Severity | None) -> bool:
    """Return whether a signal has a severity, and a worse one than before."""
    return now is not None and _RISING.index(now) > _RISING.index(before)
