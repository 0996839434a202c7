"""Finds the alert that a signal is about, and decides its effect. Pure.

This is the core of intake. Each alert of a source has one row, found by its key and
locked by the caller; the row holds the state of the alert and its incident. So there is
at most one active incident for each key, repeats are counted here and not in the log,
and signals that arrive late or twice change nothing.

Instants that a source claims are compared only with each other, never with our clock;
one in the future is remembered as the time of the decision. Signals with equal
instants, or without one, are processed in the order of the locks of their row, unless
the same claim was received before: then it is a repeat.

Triggers are decided here: late, a repeat, an update of an incident, or a new alert.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from services.intake.records.rules.resolution import may_reopen
from services.intake.records.signal import Signal
from services.intake.signals.formats import KEEPS_ITS_INSTANT, NEVER_RECOVERS
from services.intake.signals.rules.classification import group_key
from services.intake.signals.rules.context import (
    BatchContext,
    Correlated,
    KeyRow,
    SignalContext,
    SuppressionReason,
    fired,
    timed_all,
)
from services.intake.signals.rules.incident_updates import (
    flapping_started,
    is_snoozed,
    is_worse,
    touched_group,
    updated,
    with_change,
)
from services.intake.signals.rules.new_incident import evaluated
from services.intake.signals.rules.recovery import (
    acknowledged,
    elapsed,
    noted,
    recovered,
    released,
)
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


def correlate(
    row: KeyRow,
    signal: Signal,
    received_at: datetime,
    adapter: str,
    batch: BatchContext,
) -> Correlated:
    """Return the outcome of `signal`, given its row and the adapter that read it.

    Takes a reference from `batch.fresh` only if it opens an incident.
    """
    context = SignalContext(
        batch,
        row,
        batch.incident(row.incident) if row.incident else None,
        batch.policy.monitor(signal.source),
        signal,
        received_at,
        moment=received_at,
        since=received_at,
        adapter=adapter,
    )
    return timed_all(_evaluated(context), context.monitor)


def _evaluated(context: SignalContext) -> Correlated:
    match context.signal.action:
        case "trigger":
            return triggered(context)
        case "resolve":
            return recovered(context)
        case "acknowledge":
            return acknowledged(context)
        case "note":
            return noted(context)
        case _:
            assert_never(context.signal.action)


def catch_up(
    row: KeyRow, until: datetime, batch: BatchContext, *, recheck: bool = False
) -> Iterator[Correlated]:
    """Yield, one by one, the effects of time on an alert until an instant.

    Apply each outcome before asking for the next. With `recheck`, see whether
    maintenance still holds the alert.
    """
    if recheck:
        row = released(batch, row, until)
    while (effect := elapsed(batch, row, until)) is not None:
        yield effect
        row = effect.row


def triggered(context: SignalContext) -> Correlated:
    """Return the outcome of a trigger."""
    row, incident = context.row, context.incident
    reason = _late(context)
    if reason is not None:
        return context.suppressed(
            row, SuppressionReason("older_than_recovery", reason=reason)
        )
    context = context.with_row(_known(context))
    if incident is None or not _still_for_it(context, incident):
        return _new(context.with_row(_without_split(context.row)))
    if incident.status is Status.CANCELLED:
        reason = f"{incident.ref} was cancelled"
        return context.suppressed(
            row, SuppressionReason("cancelled", incident.ref, reason)
        )
    if incident.status not in AT_WORK:
        return _new(context)
    if row.state == "firing" and row.held is None:
        return _repeated(context, incident)
    return _fires_again(context, incident)


def _late(context: SignalContext) -> str | None:
    """Return why it must have fired before it recovered, or None if it did not."""
    row = context.row
    if context.adapter in KEEPS_ITS_INSTANT:
        heard_at = row.recovery_heard_at
        if heard_at and context.received_at - heard_at > STALE_WITHIN:
            return None
    elif row.state == "recovered" and _was_received(context):
        return "it was heard before its recovery"
    if context.is_older_than(row.last_recovered_at):
        return "it is older than its recovery"
    return None


def _was_received(context: SignalContext) -> bool:
    """Return whether the source reported the same instant before the recovery.

    If only we had presumed the recovery, the alert may continue with that instant.
    """
    row, said = context.row, context.signal.occurred_at
    if said is None or row.life.given_up_after is not None:
        return False
    return said in {row.last_occurred_at, row.life.claimed_ahead}


def _known(context: SignalContext) -> KeyRow:
    """Return the row with what the signal says of its group, format and clock.

    One more change of state is counted if it did not fire before.
    """
    row, said = context.row, context.signal.occurred_at
    group = group_key(context.batch.policy, context.signal)
    never = context.adapter in NEVER_RECOVERS
    ahead = said if said and said > context.claims_until else None
    life = row.life
    before = (life.group, life.never_recovers, life.claimed_ahead, life.given_up_after)
    if before != (group, never, ahead, None):
        life = replace(
            life,
            group=group,
            never_recovers=never,
            claimed_ahead=ahead,
            given_up_after=None,
        )
        row = row._replace(life=life)
    return row if row.state == "firing" else with_change(context.with_row(row))


def _without_split(row: KeyRow) -> KeyRow:
    """Return the row of a new alert, which takes part in its group again."""
    return row._replace(life=replace(row.life, apart=False)) if row.life.apart else row


def _still_for_it(context: SignalContext, incident: Incident) -> bool:
    """Return whether the row's incident is still the one for its alert.

    A cancelled incident still covers an alert that keeps firing, for as long as the
    incident could be reopened.
    """
    at, policy = context.batch.at, context.batch.policy
    match incident.status:
        case Status.RESOLVED | Status.CLOSED:
            return may_reopen(incident, at, policy)
        case Status.CANCELLED:
            since = incident.cancelled_at or at
            same = context.row.state == "firing"
            window = policy.reopen_within
            return same and is_within(window, incident, since, at, policy)
        case Status.MERGED:
            # The keys of a merged incident move with it in one transaction. Only a row
            # that did not exist then gets here; opening an incident is better than
            # losing it.
            return False
        case _:
            return True


def _new(context: SignalContext) -> Correlated:
    """Evaluate an alert without an active incident, from when it began to fire."""
    held = context.row.held
    waits = held is not None and context.row.state == "firing"
    since = held.since if held is not None and waits else context.received_at
    return evaluated(replace(context, since=since))


def _fires_again(context: SignalContext, incident: Incident) -> Correlated:
    """Process an alert that fires again after a recovery, effective or held."""
    row = context.row
    if row.held is None or row.state == "firing":
        return updated(
            context,
            incident,
            row.repeats,
            "signalled",
            SuppressionReason("fires_again"),
        )
    back = row._replace(state="firing", held=None)
    back, flaps = flapping_started(context, back, incident)
    if flaps:
        known = back._replace(repeats=back.repeats + 1, last_occurred_at=context.latest)
        known = fired(known, context.monitor, context.received_at)
        why = SuppressionReason("flapping")
        group = touched_group(context, incident.ref)
        return Correlated("signalled", known, why, flaps, group)
    return _repeated(context.with_row(back), incident)


def _repeated(context: SignalContext, incident: Incident) -> Correlated:
    """Count a repeat; record it if it is worse or long unrecorded."""
    row, signal = context.row, context.signal
    counted = row._replace(repeats=row.repeats + 1)
    if context.is_older_than(row.last_occurred_at):
        return Correlated("duplicate", counted, _REPEATS)
    snoozed = is_snoozed(incident, context)
    worse = is_worse(signal.severity, row.severity)
    if signal.severity not in (None, row.severity) and (worse or not snoozed):
        why = SuppressionReason("severity_changed")
        return updated(context, incident, row.repeats, "signalled", why, wakes=worse)
    recorded_at = None if snoozed else row.last_summary_at
    if not snoozed and (
        recorded_at is None or context.batch.at - recorded_at >= SUMMARY_EVERY
    ):
        return updated(context, incident, counted.repeats, "duplicate", _REPEATS)
    counted = counted._replace(last_occurred_at=context.latest)
    counted = fired(counted, context.monitor, context.received_at)
    group = touched_group(context, incident.ref) if row.life.group else None
    return Correlated("duplicate", counted, _REPEATS, group=group)
