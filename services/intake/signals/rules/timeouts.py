"""The effect of time on an alert without any signal: timeouts and held signals."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.commands.command import Recover
from services.intake.signals.rules import flap_detection
from services.intake.signals.rules.context import (
    BatchContext,
    Correlated,
    SignalContext,
    decided,
    patience,
    silent_at,
    steady_at,
    timed_all,
)
from services.intake.signals.rules.incident_updates import evolved
from services.intake.signals.rules.key_row import HeldSignal, KeyRow
from services.intake.signals.rules.new_incident import judged
from services.intake.signals.rules.suppression import (
    Suppressed,
    SuppressionReason,
    Suppressor,
)
from shared.domain.events import IncidentEvent
from shared.domain.incident import Incident
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Monitor

BY_TIME = "system:intake"


def elapsed(ground: BatchContext, row: KeyRow, until: datetime) -> Correlated | None:
    """Return the first effect of time on an alert until `until`, or None.

    Call it repeatedly until it returns None: each effect leaves less to come.
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
    ground: BatchContext,
    row: KeyRow,
    incident: Incident | None,
    monitor: Monitor | None,
    due: datetime,
) -> Correlated:
    """End the flapping of an alert, unless a newer policy requires more time."""
    steady = steady_at(row, monitor)
    events: Sequence[IncidentEvent] = ()
    if steady is not None and steady <= due:
        row, events = flap_detection.ended(ground, row, incident, steady)
    return Correlated("signalled", row, SuppressionReason("flapping"), events)


def released(ground: BatchContext, row: KeyRow, now: datetime) -> KeyRow:
    """Return the row, due now if its maintenance window ended early.

    The window was cancelled, shortened or removed from the policy.
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
    ground: BatchContext,
    row: KeyRow,
    held: HeldSignal,
    incident: Incident | None,
    monitor: Monitor | None,
    due: datetime,
) -> SignalContext:
    return SignalContext(
        ground, row, incident, monitor, held.signal, held.heard_at, due, held.since
    )


def _held_long_enough(
    ground: BatchContext, row: KeyRow, held: HeldSignal, incident: Incident | None
) -> Correlated:
    """Apply a held recovery; the alert stops flapping then."""
    until = held.until or ground.at
    row, calmed = flap_detection.ended(ground, row, incident, until)
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
    return Correlated("recovered", told, SuppressionReason(held.code, held.of), events)


def _silent(
    ground: BatchContext,
    row: KeyRow,
    incident: Incident | None,
    monitor: Monitor | None,
    silent: datetime,
) -> Correlated:
    """Mark an alert as recovered after its period of silence."""
    after = patience(row, monitor)
    of = duration_text(after) if after else None
    life = replace(row.life, given_up_after=of)
    over = row._replace(
        state="recovered", held=None, recovery_heard_at=silent, life=life
    )
    over, calmed = flap_detection.ended(ground, over, incident, silent)
    incident = evolved(incident, calmed)
    why = SuppressionReason("timeout", of)
    if row.held is not None or incident is None:
        told = (_let_go(ground, row, "timeout", of),) if row.held else ()
        return Correlated("suppressed", over, why, calmed, suppressed=tuple(told))
    wish = Recover(row.source, row.signal_key, row.repeats, None, silent, why.code, of)
    recovery = decided(ground, BY_TIME, incident.ref, incident, wish)
    told_row = over._replace(repeats=0, last_summary_at=ground.at)
    return Correlated("recovered", told_row, why, (*calmed, *recovery))


def _let_go(
    ground: BatchContext, row: KeyRow, code: Suppressor, of: str | None
) -> Suppressed:
    held = row.held
    assert held is not None  # noqa: S101 # the caller has checked it
    reason = f"it fired no more for {of}, and nothing was open for it"
    arrival = SignalContext(
        ground, row, None, None, held.signal, held.heard_at, held.heard_at, held.since
    )
    return arrival.told(SuppressionReason(code, of, reason))
