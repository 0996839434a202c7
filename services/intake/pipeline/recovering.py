"""A signal recovered: late, at once, once it has held, or nothing was open for it.

And what people do about it at the source: they acknowledge it, they write a note.
"""

from dataclasses import replace

from services.intake.commands import AcknowledgeSource, NoteSource, Recover
from services.intake.pipeline import flapping
from services.intake.pipeline.arrival import Arrival, Correlated, Outcome
from services.intake.pipeline.key_row import Held, HeldFor, KeyRow, Life
from services.intake.pipeline.suppressing import Suppressor, Why
from services.intake.pipeline.timing import steady_span
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.policy.durations import duration_text

_RECOVERED = Why("recovered")
_NOTHING = Why("nothing_open", reason="nothing was open for it")


def recovered(arrival: Arrival) -> Correlated:
    """Return what becomes of a recovery."""
    row, incident, claimed = arrival.row, arrival.incident, arrival.claimed_at
    if arrival.is_older_than(row.last_occurred_at):
        reason = "it is older than what fires now"
        return arrival.suppressed(row, Why("older_than_trigger", reason=reason))
    claims = (row.last_recovered_at, claimed)
    known = row._replace(
        last_recovered_at=max((claim for claim in claims if claim), default=None),
        recovery_heard_at=arrival.received_at,
        life=_said_so(row.life),
    )
    if row.state == "recovered":
        return Correlated("duplicate", known, _RECOVERED)
    known = flapping.turned(arrival.with_row(known))._replace(state="recovered")
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
    """Return the life of a trouble of which its source itself says that it is over."""
    return replace(life, given_up_after=None) if life.given_up_after else life


def _held(arrival: Arrival, known: KeyRow, incident: Incident) -> Correlated | None:
    """Hold a recovery as long as its source is not to be believed; None if it is."""
    known, flaps = flapping.started(arrival, known, incident)
    monitor = arrival.monitor
    flapping_now = known.life.flapping_since is not None
    if monitor is None or not (monitor.hold_down or flapping_now):
        return None
    span, code = steady_span(monitor), _code(flapping_now)
    until, of = arrival.received_at + span, duration_text(span)
    at = arrival.received_at
    held = Held(code, of, at, until, at, arrival.signal)
    reason = f"it takes effect if it still holds after {of}"
    why = Why(code, of, reason, until)
    return Correlated("held", known._replace(held=held), why, flaps)


def _code(flapping_now: bool) -> HeldFor:
    return "flapping" if flapping_now else "hold_down"


_BEFORE: dict[HeldFor, tuple[Suppressor, str]] = {
    "maintenance": ("maintenance", "it recovered while work was announced: {of}"),
    "open_after": ("transient", "it fired for less than {of}"),
    "threshold": ("threshold", "fewer than {of} fired"),
}


def _never_opened(arrival: Arrival, known: KeyRow, held: Held) -> Correlated:
    """Let go of an opening that was held: its trigger and this were both suppressed."""
    code, words = _BEFORE[held.code]
    why = Why(code, held.of, words.format(of=held.of))
    heard = arrival.suppressed(known._replace(held=None, repeats=0), why)
    if held.code == "maintenance":  # its trigger was told so when it came
        return heard
    fired = _as_it_fired(arrival, held).told(why)
    return replace(heard, suppressed=(fired, *heard.suppressed))


def _as_it_fired(arrival: Arrival, held: Held) -> Arrival:
    return replace(arrival, signal=held.signal, received_at=held.heard_at)


def acknowledged(arrival: Arrival) -> Correlated:
    """Return what becomes of an acknowledgement at the source."""
    row, incident = arrival.row, arrival.incident
    open_for_it = row.state == "firing" and row.held is None
    if incident is None or incident.status not in AT_WORK or not open_for_it:
        reason = "nothing is open for it"
        return arrival.suppressed(row, Why("nothing_open", reason=reason))
    wish = AcknowledgeSource(arrival.signal, row.signal_key)
    events = arrival.decided(incident.ref, incident, wish)
    outcome: Outcome = "signalled" if events else "duplicate"
    return Correlated(outcome, row, Why("acknowledged"), events)


def noted(arrival: Arrival) -> Correlated:
    """Return what becomes of a note that somebody wrote at the source."""
    row, incident = arrival.row, arrival.incident
    if incident is None or incident.status not in {*AT_WORK, Status.RESOLVED}:
        reason = "nothing is open for it"
        return arrival.suppressed(row, Why("nothing_open", reason=reason))
    wish = NoteSource(arrival.signal, row.signal_key)
    events = arrival.decided(incident.ref, incident, wish)
    return Correlated("signalled", row, Why("noted"), events)
