"""Decides about a trigger: late, a repeat, an update of an incident, or a new alert."""

from dataclasses import replace
from datetime import timedelta

from services.intake.commands.rules.resolution import may_reopen
from services.intake.signals.formats.traits import KEEPS_ITS_INSTANT, NEVER_RECOVERS
from services.intake.signals.rules import flap_detection
from services.intake.signals.rules.context import Correlated, SignalContext, fired
from services.intake.signals.rules.flap_detection import is_snoozed, is_worse
from services.intake.signals.rules.groups import group_key
from services.intake.signals.rules.incident_updates import in_group, news, touched
from services.intake.signals.rules.key_row import KeyRow
from services.intake.signals.rules.new_incident import judged
from services.intake.signals.rules.suppression import SuppressionReason
from shared.domain.grace_periods import is_within
from shared.domain.incident import AT_WORK, Incident, Status

STALE_WITHIN = timedelta(minutes=10)
"""How long an older trigger counts as one that its recovery has overtaken.

This applies to formats in which an alert keeps its instant; after this time it is
believed. In all other formats a trigger older than the recovery is always late.
"""

SUMMARY_EVERY = timedelta(minutes=1)
"""Repeats of a signal are recorded in the log at most this often."""

_REPEATS = SuppressionReason("still_fires")


def triggered(arrival: SignalContext) -> Correlated:
    """Return the outcome of a trigger."""
    row, incident = arrival.row, arrival.incident
    reason = _overtaken(arrival)
    if reason is not None:
        return arrival.suppressed(
            row, SuppressionReason("older_than_recovery", reason=reason)
        )
    arrival = arrival.with_row(_known(arrival))
    if incident is None or not _still_for_it(arrival, incident):
        return _anew(arrival.with_row(_together(arrival.row)))
    if incident.status is Status.CANCELLED:
        reason = f"{incident.ref} was cancelled"
        return arrival.suppressed(
            row, SuppressionReason("cancelled", incident.ref, reason)
        )
    if incident.status not in AT_WORK:
        return _anew(arrival)
    if row.state == "firing" and row.held is None:
        return _repeated(arrival, incident)
    return _again(arrival, incident)


def _overtaken(arrival: SignalContext) -> str | None:
    """Return why it must have fired before it recovered, or None if it did not."""
    row = arrival.row
    if arrival.adapter in KEEPS_ITS_INSTANT:
        heard_at = row.recovery_heard_at
        if heard_at and arrival.received_at - heard_at > STALE_WITHIN:
            return None
    elif row.state == "recovered" and _was_heard(arrival):
        return "it was heard before its recovery"
    if arrival.is_older_than(row.last_recovered_at):
        return "it is older than its recovery"
    return None


def _was_heard(arrival: SignalContext) -> bool:
    """Return whether the source reported the same instant before the recovery.

    If only we had presumed the recovery, the alert may continue with that instant.
    """
    row, said = arrival.row, arrival.signal.occurred_at
    if said is None or row.life.given_up_after is not None:
        return False
    return said in {row.last_occurred_at, row.life.claimed_ahead}


def _known(arrival: SignalContext) -> KeyRow:
    """Return the row with the signal's group and one more change of state."""
    row = in_group(arrival.row, group_key(arrival.ground.policy, arrival.signal))
    row = _as_told(row, arrival)
    if row.state == "firing":
        return row
    return flap_detection.turned(arrival.with_row(row))


def _as_told(row: KeyRow, arrival: SignalContext) -> KeyRow:
    """Return the row with the known properties of the source and its clock."""
    said, life = arrival.signal.occurred_at, row.life
    never = arrival.adapter in NEVER_RECOVERS
    ahead = said if said and said > arrival.claims_until else None
    known = (life.never_recovers, life.claimed_ahead, life.given_up_after)
    if known == (never, ahead, None):
        return row
    told = replace(life, never_recovers=never, claimed_ahead=ahead, given_up_after=None)
    return row._replace(life=told)


def _together(row: KeyRow) -> KeyRow:
    """Return the row of a new alert, which takes part in its group again."""
    if not row.life.apart:
        return row
    return row._replace(life=replace(row.life, apart=False))


def _still_for_it(arrival: SignalContext, incident: Incident) -> bool:
    """Return whether the row's incident is still the one for its alert.

    A cancelled incident still covers an alert that keeps firing, for as long as the
    incident could be reopened.
    """
    at, policy = arrival.ground.at, arrival.ground.policy
    match incident.status:
        case Status.RESOLVED | Status.CLOSED:
            return may_reopen(incident, at, policy)
        case Status.CANCELLED:
            since = incident.cancelled_at or at
            same = arrival.row.state == "firing"
            window = policy.reopen_within
            return same and is_within(window, incident, since, at, policy)
        case Status.MERGED:
            # The keys of a merged incident move with it in one transaction. Only a row
            # that did not exist then gets here; opening an incident is better than
            # losing it.
            return False
        case _:
            return True


def _anew(arrival: SignalContext) -> Correlated:
    """Evaluate an alert without an active incident, from when it began to fire."""
    held = arrival.row.held
    waits = held is not None and arrival.row.state == "firing"
    since = held.since if held is not None and waits else arrival.received_at
    return judged(replace(arrival, since=since))


def _again(arrival: SignalContext, incident: Incident) -> Correlated:
    """Process an alert that fires again after a recovery, effective or held."""
    row = arrival.row
    if row.held is None or row.state == "firing":
        return news(
            arrival,
            incident,
            row.repeats,
            "signalled",
            SuppressionReason("fires_again"),
        )
    back = row._replace(state="firing", held=None)
    back, flaps = flap_detection.started(arrival, back, incident)
    if flaps:
        known = back._replace(repeats=back.repeats + 1, last_occurred_at=arrival.latest)
        known = fired(known, arrival.monitor, arrival.received_at)
        why = SuppressionReason("flapping")
        group = touched(arrival, incident.ref)
        return Correlated("signalled", known, why, flaps, group)
    return _repeated(arrival.with_row(back), incident)


def _repeated(arrival: SignalContext, incident: Incident) -> Correlated:
    """Count a repeat; record it if it is worse or long unrecorded."""
    row, signal = arrival.row, arrival.signal
    counted = row._replace(repeats=row.repeats + 1)
    if arrival.is_older_than(row.last_occurred_at):
        return Correlated("duplicate", counted, _REPEATS)
    snoozed = is_snoozed(incident, arrival)
    worse = is_worse(signal.severity, row.severity)
    if signal.severity not in (None, row.severity) and (worse or not snoozed):
        why = SuppressionReason("severity_changed")
        return news(arrival, incident, row.repeats, "signalled", why, wakes=worse)
    told_at = None if snoozed else row.last_summary_at
    if not snoozed and (
        told_at is None or arrival.ground.at - told_at >= SUMMARY_EVERY
    ):
        return news(arrival, incident, counted.repeats, "duplicate", _REPEATS)
    counted = counted._replace(last_occurred_at=arrival.latest)
    counted = fired(counted, arrival.monitor, arrival.received_at)
    group = touched(arrival, incident.ref) if row.life.group else None
    return Correlated("duplicate", counted, _REPEATS, group=group)
