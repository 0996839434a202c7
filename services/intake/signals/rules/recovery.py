"""How an alert ends, by a recovery of its source or by the passage of time.

A recovery may be late, take effect at once, be held, or find nothing open. Without any
signal, what is held comes due, a silent alert times out, and flapping ends. What people
do at the source is decided here too: acknowledgements and notes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.intake.records.system_command import (
    AcknowledgeSource,
    NoteSource,
    Recover,
)
from services.intake.signals.rules.context import (
    BatchContext,
    Correlated,
    HeldFor,
    HeldSignal,
    KeyRow,
    Life,
    Outcome,
    SignalContext,
    Suppressed,
    SuppressionReason,
    Suppressor,
    decided,
    patience,
    silent_at,
    steady_at,
    steady_span,
    timed_all,
)
from services.intake.signals.rules.incident_updates import (
    evolved,
    flapping_ended,
    flapping_started,
    with_change,
)
from services.intake.signals.rules.new_incident import evaluated
from shared.domain.events import IncidentEvent
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Monitor

_RECOVERED = SuppressionReason("recovered")
_NOTHING_WAS = SuppressionReason("nothing_open", reason="nothing was open for it")
_NOTHING_IS = SuppressionReason("nothing_open", reason="nothing is open for it")


def recovered(context: SignalContext) -> Correlated:
    """Return the outcome of a recovery."""
    row, incident, claimed = context.row, context.incident, context.claimed_at
    if context.is_older_than(row.last_occurred_at):
        reason = "it is older than what fires now"
        return context.suppressed(
            row, SuppressionReason("older_than_trigger", reason=reason)
        )
    claims = (row.last_recovered_at, claimed)
    known = row._replace(
        last_recovered_at=max((claim for claim in claims if claim), default=None),
        recovery_heard_at=context.received_at,
        life=_with_recovery(row.life),
    )
    if row.state == "recovered":
        return Correlated("duplicate", known, _RECOVERED)
    known = with_change(context.with_row(known))._replace(state="recovered")
    if row.held is not None:
        return _never_opened(context, known, row.held)
    if incident is None or incident.status is Status.MERGED:
        return context.suppressed(known, _NOTHING_WAS)
    if incident.status in AT_WORK:
        held = _held(context, known, incident)
        if held is not None:
            return held
    command = Recover(
        row.source,
        row.signal_key,
        row.repeats,
        context.signal.occurred_at,
        rule=_RECOVERED.code,
    )
    events = context.decided(incident.ref, incident, command)
    known = known._replace(repeats=0, last_summary_at=context.batch.at)
    return Correlated("recovered", known, _RECOVERED, events)


def _with_recovery(life: Life) -> Life:
    """Return the life of an alert for which its source sent a recovery."""
    return replace(life, given_up_after=None) if life.given_up_after else life


def _held(
    context: SignalContext, known: KeyRow, incident: Incident
) -> Correlated | None:
    """Hold a recovery until the source counts as stable; None if it does already."""
    known, flaps = flapping_started(context, known, incident)
    monitor = context.monitor
    flapping_now = known.life.flapping_since is not None
    if monitor is None or not (monitor.hold_down or flapping_now):
        return None
    code: HeldFor = "flapping" if flapping_now else "hold_down"
    span = steady_span(monitor)
    until, of = context.received_at + span, duration_text(span)
    at = context.received_at
    held = HeldSignal(code, of, at, until, at, context.signal)
    reason = f"it takes effect if it still holds after {of}"
    why = SuppressionReason(code, of, reason, until)
    return Correlated("held", known._replace(held=held), why, flaps)


_BEFORE: dict[HeldFor, tuple[Suppressor, str]] = {
    "maintenance": ("maintenance", "it recovered while work was announced: {of}"),
    "open_after": ("transient", "it fired for less than {of}"),
    "threshold": ("threshold", "fewer than {of} fired"),
}


def _never_opened(
    context: SignalContext, known: KeyRow, held: HeldSignal
) -> Correlated:
    """Drop a held opening: both its trigger and this recovery were suppressed."""
    code, words = _BEFORE[held.code]
    why = SuppressionReason(code, held.of, words.format(of=held.of))
    recovery = context.suppressed(known._replace(held=None, repeats=0), why)
    if held.code == "maintenance":  # its trigger was already recorded as suppressed
        return recovery
    trigger = replace(context, signal=held.signal, received_at=held.heard_at)
    suppressed = (trigger.suppression(why), *recovery.suppressed)
    return replace(recovery, suppressed=suppressed)


def acknowledged(context: SignalContext) -> Correlated:
    """Return the outcome of an acknowledgement at the source."""
    row, incident = context.row, context.incident
    open_for_it = row.state == "firing" and row.held is None
    if incident is None or incident.status not in AT_WORK or not open_for_it:
        return context.suppressed(row, _NOTHING_IS)
    command = AcknowledgeSource(context.signal, row.signal_key)
    events = context.decided(incident.ref, incident, command)
    outcome: Outcome = "signalled" if events else "duplicate"
    return Correlated(outcome, row, SuppressionReason("acknowledged"), events)


def noted(context: SignalContext) -> Correlated:
    """Return the outcome of a note that somebody wrote at the source."""
    row, incident = context.row, context.incident
    if incident is None or incident.status not in {*AT_WORK, Status.RESOLVED}:
        return context.suppressed(row, _NOTHING_IS)
    command = NoteSource(context.signal, row.signal_key)
    events = context.decided(incident.ref, incident, command)
    return Correlated("signalled", row, SuppressionReason("noted"), events)


BY_TIME = "system:intake"


def elapsed(batch: BatchContext, row: KeyRow, until: datetime) -> Correlated | None:
    """Return the first effect of time on an alert until `until`, or None.

    Call it repeatedly until it returns None: each effect leaves less to come.
    """
    if row.due_at is None or row.due_at > until:
        return None
    incident = batch.incident(row.incident) if row.incident else None
    monitor = batch.policy.monitor(row.source)
    due = row.due_at
    held = row.held
    if held is not None and held.until is not None and held.until <= due:
        if row.state == "recovered":
            effect = _held_long_enough(batch, row, held, incident)
        else:
            effect = evaluated(
                SignalContext(
                    batch,
                    row,
                    incident,
                    monitor,
                    held.signal,
                    held.heard_at,
                    due,
                    held.since,
                )
            )
    elif (silent := silent_at(row, monitor)) is not None and silent <= due:
        effect = _silent(batch, row, incident, monitor, silent)
    else:
        effect = _steady(batch, row, incident, monitor, due)
    return timed_all(effect, monitor)


def _steady(
    batch: BatchContext,
    row: KeyRow,
    incident: Incident | None,
    monitor: Monitor | None,
    due: datetime,
) -> Correlated:
    """End the flapping of an alert, unless a newer policy requires more time."""
    steady = steady_at(row, monitor)
    events: Sequence[IncidentEvent] = ()
    if steady is not None and steady <= due:
        row, events = flapping_ended(batch, row, incident, steady)
    return Correlated("signalled", row, SuppressionReason("flapping"), events)


def released(batch: BatchContext, row: KeyRow, now: datetime) -> KeyRow:
    """Return the row, due now if its maintenance window ended early.

    The window was cancelled, shortened or removed from the policy.
    """
    held = row.held
    if held is None or held.code != "maintenance" or row.due_at is None:
        return row
    signal = held.signal
    service = batch.policy.service_of(signal.source, signal.service, signal.labels)
    if row.due_at <= now or batch.windows.covering(service, now) is not None:
        return row
    return row._replace(held=replace(held, until=now), due_at=now)


def _held_long_enough(
    batch: BatchContext, row: KeyRow, held: HeldSignal, incident: Incident | None
) -> Correlated:
    """Apply a held recovery; the alert stops flapping then."""
    until = held.until or batch.at
    row, calmed = flapping_ended(batch, row, incident, until)
    incident = evolved(incident, calmed)
    after = row._replace(held=None, repeats=0, last_summary_at=batch.at)
    events: Sequence[IncidentEvent] = calmed
    if incident is not None:
        command = Recover(
            row.source,
            row.signal_key,
            row.repeats,
            held.signal.occurred_at,
            until,
            held.code,
            held.of,
        )
        by = f"source:{row.source}"
        events = (*calmed, *decided(batch, by, incident.ref, incident, command))
    return Correlated("recovered", after, SuppressionReason(held.code, held.of), events)


def _silent(
    batch: BatchContext,
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
    over, calmed = flapping_ended(batch, over, incident, silent)
    incident = evolved(incident, calmed)
    why = SuppressionReason("timeout", of)
    if row.held is not None or incident is None:
        suppressed = (_given_up(batch, row, row.held, of),) if row.held else ()
        return Correlated("suppressed", over, why, calmed, suppressed=suppressed)
    command = Recover(
        row.source, row.signal_key, row.repeats, None, silent, why.code, of
    )
    recovery = decided(batch, BY_TIME, incident.ref, incident, command)
    over = over._replace(repeats=0, last_summary_at=batch.at)
    return Correlated("recovered", over, why, (*calmed, *recovery))


def _given_up(
    batch: BatchContext, row: KeyRow, held: HeldSignal, of: str | None
) -> Suppressed:
    reason = f"it fired no more for {of}, and nothing was open for it"
    context = SignalContext(
        batch, row, None, None, held.signal, held.heard_at, held.heard_at, held.since
    )
    return context.suppression(SuppressionReason("timeout", of, reason))
