"""Time passed, and nobody said anything: what that alone makes of a trouble."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.commands import Recover
from services.intake.pipeline import flapping
from services.intake.pipeline.arrival import (
    Arrival,
    Correlated,
    Ground,
    decided,
    timed_all,
)
from services.intake.pipeline.key_row import Held, KeyRow
from services.intake.pipeline.opening import judged
from services.intake.pipeline.suppressing import Suppressed, Suppressor, Why
from services.intake.pipeline.telling import evolved
from services.intake.pipeline.timing import patience, silent_at, steady_at
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Monitor

BY_TIME = "system:intake"


def elapsed(ground: Ground, row: KeyRow, until: datetime) -> Correlated | None:
    """Return the first thing that time until `until` makes of a trouble, None if none.

    To be asked again until there is none: each answer leaves less to come.
    """
    if row.due_at is None or row.due_at > until:
        return None
    incident = ground.incident(row.incident) if row.incident else None
    monitor = ground.policy.monitor(row.source)
    due = row.due_at
    held = row.held
    if held is not None and held.until is not None and held.until <= due:
        if row.state == "recovered":
            heard = _held_long_enough(ground, row, held, incident)
        else:
            heard = judged(_arrival(ground, row, held, incident, monitor, due))
    elif (silent := silent_at(row, monitor)) is not None and silent <= due:
        heard = _silent(ground, row, incident, monitor, silent)
    else:
        heard = _steady(ground, row, incident, monitor, due)
    return timed_all(heard, monitor)


def _steady(
    ground: Ground,
    row: KeyRow,
    incident: Incident | None,
    monitor: Monitor | None,
    due: datetime,
) -> Correlated:
    """Take a flapping trouble for calm, unless a newer policy is more patient."""
    steady = steady_at(row, monitor)
    events: Sequence[IncidentEvent] = ()
    if steady is not None and steady <= due:
        row, events = flapping.ended(ground, row, incident, steady)
    return Correlated("signalled", row, Why("flapping"), events)


def released(ground: Ground, row: KeyRow, now: datetime) -> KeyRow:
    """Return a row whose opening the end of announced work sets free before its time.

    The window was cancelled, made shorter or taken out of the policy.
    """
    held = row.held
    if held is None or held.code != "maintenance" or row.due_at is None:
        return row
    signal = held.signal
    service = ground.policy.service_of(signal.source, signal.service, signal.labels)
    if row.due_at <= now or ground.windows.covering(service, now) is not None:
        return row
    return row._replace(held=replace(held, until=now), due_at=now)


def _arrival(
    ground: Ground,
    row: KeyRow,
    held: Held,
    incident: Incident | None,
    monitor: Monitor | None,
    due: datetime,
) -> Arrival:
    return Arrival(
        ground, row, incident, monitor, held.signal, held.heard_at, due, held.since
    )


def _held_long_enough(
    ground: Ground, row: KeyRow, held: Held, incident: Incident | None
) -> Correlated:
    """Let a recovery take effect; a flapping trouble is calm then."""
    until = held.until or ground.at
    row, calmed = flapping.ended(ground, row, incident, until)
    incident = evolved(incident, calmed)
    told = row._replace(held=None, repeats=0, last_summary_at=ground.at)
    events: Sequence[IncidentEvent] = calmed
    if incident is not None:
        wish = Recover(
            row.source,
            row.signal_key,
            row.repeats,
            held.signal.occurred_at,
            until,
            held.code,
            held.of,
        )
        by = f"source:{row.source}"
        events = (*calmed, *decided(ground, by, incident.ref, incident, wish))
    return Correlated("recovered", told, Why(held.code, held.of), events)


def _silent(
    ground: Ground,
    row: KeyRow,
    incident: Incident | None,
    monitor: Monitor | None,
    silent: datetime,
) -> Correlated:
    """Take a trouble for recovered that was not heard to fire for so long."""
    after = patience(row, monitor)
    of = duration_text(after) if after else None
    life = replace(row.life, given_up_after=of)
    over = row._replace(
        state="recovered", held=None, recovery_heard_at=silent, life=life
    )
    over, calmed = flapping.ended(ground, over, incident, silent)
    incident = evolved(incident, calmed)
    why = Why("timeout", of)
    if row.held is not None or incident is None:
        told = (_let_go(ground, row, "timeout", of),) if row.held else ()
        return Correlated("suppressed", over, why, calmed, suppressed=tuple(told))
    wish = Recover(row.source, row.signal_key, row.repeats, None, silent, why.code, of)
    recovery = decided(ground, BY_TIME, incident.ref, incident, wish)
    told_row = over._replace(repeats=0, last_summary_at=ground.at)
    return Correlated("recovered", told_row, why, (*calmed, *recovery))


def _let_go(
    ground: Ground, row: KeyRow, code: Suppressor, of: str | None
) -> Suppressed:
    held = row.held
    assert held is not None  # noqa: S101 # its caller asked
    reason = f"it fired no more for {of}, and nothing was open for it"
    arrival = Arrival(
        ground, row, None, None, held.signal, held.heard_at, held.heard_at, held.since
    )
    return arrival.told(Why(code, of, reason))
