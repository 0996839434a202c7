"""Decides about a recovery: late, immediate, held, or nothing was open for it.

Also processes what people do at the source: acknowledgements and notes.
"""

from dataclasses import replace

from services.intake.commands.command import AcknowledgeSource, NoteSource, Recover
from services.intake.signals.rules import flap_detection
from services.intake.signals.rules.context import (
    Correlated,
    Outcome,
    SignalContext,
    steady_span,
)
from services.intake.signals.rules.key_row import HeldFor, HeldSignal, KeyRow, Life
from services.intake.signals.rules.suppression import SuppressionReason, Suppressor
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.policy.durations import duration_text

_RECOVERED = SuppressionReason("recovered")
_NOTHING = SuppressionReason("nothing_open", reason="nothing was open for it")


def recovered(arrival: SignalContext) -> Correlated:
    """Return the outcome of a recovery."""
    row, incident, claimed = arrival.row, arrival.incident, arrival.claimed_at
    if arrival.is_older_than(row.last_occurred_at):
        reason = "it is older than what fires now"
        return arrival.suppressed(
            row, SuppressionReason("older_than_trigger", reason=reason)
        )
    claims = (row.last_recovered_at, claimed)
    known = row._replace(
        last_recovered_at=max((claim for claim in claims if claim), default=None),
        recovery_heard_at=arrival.received_at,
        life=_said_so(row.life),
    )
    if row.state == "recovered":
        return Correlated("duplicate", known, _RECOVERED)
    known = flap_detection.turned(arrival.with_row(known))._replace(state="recovered")
    if row.held is not None:
        return _never_opened(arrival, known, row.held)
    if incident is None or incident.status is Status.MERGED:
        return arrival.suppressed(known, _NOTHING)
    if incident.status in AT_WORK:
        held = _held(arrival, known, incident)
        if held is not None:
            return held
    wish = Recover(
        row.source,
        row.signal_key,
        row.repeats,
        arrival.signal.occurred_at,
        rule=_RECOVERED.code,
    )
    events = arrival.decided(incident.ref, incident, wish)
    told = known._replace(repeats=0, last_summary_at=arrival.ground.at)
    return Correlated("recovered", told, _RECOVERED, events)


def _said_so(life: Life) -> Life:
    """Return the life of an alert for which its source sent a recovery."""
    return replace(life, given_up_after=None) if life.given_up_after else life


def _held(
    arrival: SignalContext, known: KeyRow, incident: Incident
) -> Correlated | None:
    """Hold a recovery until the source counts as stable; None if it does already."""
    known, flaps = flap_detection.started(arrival, known, incident)
    monitor = arrival.monitor
    flapping_now = known.life.flapping_since is not None
    if monitor is None or not (monitor.hold_down or flapping_now):
        return None
    span, code = steady_span(monitor), _code(flapping_now)
    until, of = arrival.received_at + span, duration_text(span)
    at = arrival.received_at
    held = HeldSignal(code, of, at, until, at, arrival.signal)
    reason = f"it takes effect if it still holds after {of}"
    why = SuppressionReason(code, of, reason, until)
    return Correlated("held", known._replace(held=held), why, flaps)


def _code(flapping_now: bool) -> HeldFor:
    return "flapping" if flapping_now else "hold_down"


_BEFORE: dict[HeldFor, tuple[Suppressor, str]] = {
    "maintenance": ("maintenance", "it recovered while work was announced: {of}"),
    "open_after": ("transient", "it fired for less than {of}"),
    "threshold": ("threshold", "fewer than {of} fired"),
}


def _never_opened(
    arrival: SignalContext, known: KeyRow, held: HeldSignal
) -> Correlated:
    """Drop a held opening: both its trigger and this recovery were suppressed."""
    code, words = _BEFORE[held.code]
    why = SuppressionReason(code, held.of, words.format(of=held.of))
    heard = arrival.suppressed(known._replace(held=None, repeats=0), why)
    if held.code == "maintenance":  # its trigger was already recorded as suppressed
        return heard
    fired = _as_it_fired(arrival, held).told(why)
    return replace(heard, suppressed=(fired, *heard.suppressed))


def _as_it_fired(arrival: SignalContext, held: HeldSignal) -> SignalContext:
    return replace(arrival, signal=held.signal, received_at=held.heard_at)


def acknowledged(arrival: SignalContext) -> Correlated:
    """Return the outcome of an acknowledgement at the source."""
    row, incident = arrival.row, arrival.incident
    open_for_it = row.state == "firing" and row.held is None
    if incident is None or incident.status not in AT_WORK or not open_for_it:
        reason = "nothing is open for it"
        return arrival.suppressed(row, SuppressionReason("nothing_open", reason=reason))
    wish = AcknowledgeSource(arrival.signal, row.signal_key)
    events = arrival.decided(incident.ref, incident, wish)
    outcome: Outcome = "signalled" if events else "duplicate"
    return Correlated(outcome, row, SuppressionReason("acknowledged"), events)


def noted(arrival: SignalContext) -> Correlated:
    """Return the outcome of a note that somebody wrote at the source."""
    row, incident = arrival.row, arrival.incident
    if incident is None or incident.status not in {*AT_WORK, Status.RESOLVED}:
        reason = "nothing is open for it"
        return arrival.suppressed(row, SuppressionReason("nothing_open", reason=reason))
    wish = NoteSource(arrival.signal, row.signal_key)
    events = arrival.decided(incident.ref, incident, wish)
    return Correlated("signalled", row, SuppressionReason("noted"), events)
