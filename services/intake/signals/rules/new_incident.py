"""Decides about an alert without an active incident: suppress, join, hold or open.

The stages are, in order: maintenance, the incident of its group, the time that it must
fire, and the number of alerts that must fire with it. A held alert is evaluated here
again when it is due.
"""

from dataclasses import replace
from datetime import datetime

from services.intake.records.rules.resolution import may_reopen
from services.intake.records.system_command import Trigger
from services.intake.signals.rules.classification import team_for
from services.intake.signals.rules.context import (
    Correlated,
    HeldFor,
    HeldSignal,
    KeyRow,
    SignalContext,
    SuppressionReason,
    fired,
)
from services.intake.signals.rules.incident_updates import (
    claimed_group,
    evolved,
    group_incident,
    recorded,
    updated,
)
from shared.domain.events import IncidentEvent
from shared.domain.incident import AT_WORK
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Correlation


def evaluated(context: SignalContext) -> Correlated:
    """Return the outcome for a firing alert, by the stages in order."""
    own = context.incident
    if own is not None and own.status in AT_WORK:  # it was reopened since
        why = SuppressionReason("fires_again")
        return updated(context, own, context.row.repeats, "signalled", why)
    correlate = context.monitor.correlate if context.monitor else None
    held = _in_maintenance(context)
    if held is not None:
        return held
    grouped = correlate is not None and not context.row.life.apart
    if correlate is not None and grouped:
        found = group_incident(context, correlate)
        if found is not None:
            of = ", ".join(correlate.by)
            why = SuppressionReason("correlated", of)
            repeats = context.row.repeats
            return updated(context, found, repeats, "signalled", why, joins=True)
    held = _transient(context)
    if held is not None:
        return held
    if correlate is not None and grouped and correlate.threshold is not None:
        return _counted(context, correlate, correlate.threshold)
    return _opened(context, _rule(context))


def _in_maintenance(context: SignalContext) -> Correlated | None:
    windows = context.batch.windows
    if not windows.any:
        return None
    window = windows.covering(context.service, context.moment)
    if window is None:
        return None
    row = _held(context, "maintenance", window.name, window.until)
    reason = f"{context.service} is in maintenance: {window.name}"
    why = SuppressionReason("maintenance", window.name, reason, window.until)
    return context.suppressed(row, why)


def _transient(context: SignalContext) -> Correlated | None:
    span = context.monitor.open_after if context.monitor else None
    if span is None or context.moment - context.since >= span:
        return None
    until = context.since + span
    row = _held(context, "open_after", duration_text(span), until)
    reason = f"it opens if it still fires after {duration_text(span)}"
    why = SuppressionReason("open_after", duration_text(span), reason, until)
    return Correlated("held", row, why)


def _counted(context: SignalContext, clause: Correlation, threshold: int) -> Correlated:
    """Hold it until enough alerts of its group fire; then open, and join them all."""
    others = [
        row
        for row in context.batch.waiting(context.row.life.group or "")
        if row.signal_key != context.row.signal_key
        and row.held is not None
        and context.moment - row.held.heard_at <= clause.within
    ]
    of = f"{threshold} in {duration_text(clause.within)}"
    if len(others) + 1 < threshold:
        row = _held(context, "threshold", of, None)
        reason = f"{len(others) + 1} of {of} fire: it opens when {threshold} do"
        return Correlated("held", row, SuppressionReason("threshold", of, reason))
    opened = _opened(context, SuppressionReason("threshold", of))
    return _joined(context, opened, others)


def _joined(
    context: SignalContext, opened: Correlated, others: list[KeyRow]
) -> Correlated:
    """Return the opening together with all alerts that waited for it."""
    ref = opened.row.incident or ""
    incident = evolved(context.incident if _reopens(context) else None, opened.events)
    events: list[IncidentEvent] = list(opened.events)
    rows: list[KeyRow] = []
    for row in sorted(others, key=lambda each: each.signal_key):
        if row.held is None or incident is None:
            continue
        waiting = replace(
            context, row=row, signal=row.held.signal, received_at=row.held.heard_at
        )
        joined = updated(
            waiting, incident, row.repeats, "signalled", _JOINS, joins=True
        )
        incident = evolved(incident, joined.events)
        events += joined.events
        rows.append(joined.row._replace(incident=ref))
    return replace(opened, events=events, others=rows)


_JOINS = SuppressionReason("correlated", "threshold")


def _rule(context: SignalContext) -> SuppressionReason:
    held = context.row.held
    match held:
        case HeldSignal(code="maintenance", of=of):
            return SuppressionReason("maintenance_ended", of)
        case HeldSignal(code="open_after" | "threshold" as code, of=of):
            return SuppressionReason(code, of)
        case _:
            return SuppressionReason(
                "fires_again" if _reopens(context) else "new_trouble"
            )


def _reopens(context: SignalContext) -> bool:
    incident = context.incident
    return incident is not None and may_reopen(
        incident, context.batch.at, context.batch.policy
    )


def _opened(context: SignalContext, why: SuppressionReason) -> Correlated:
    older = context.incident
    if older is not None and _reopens(context):
        again = updated(context, older, context.row.repeats, "signalled", why)
        return replace(again, group=claimed_group(context, older.ref))
    ref = next(context.batch.fresh)
    if older is not None and why.code == "new_trouble":
        why = SuppressionReason("follows_older")
    command = Trigger(
        context.signal,
        context.row.signal_key,
        context.received_at,
        follows=older.ref if older else None,
        rule=why.code,
        of=why.of,
        reported_at=_reported_at(context),
        team=team_for(context.signal, context.batch.policy),
    )
    events = context.decided(ref, None, command)
    row = recorded(context, ref)
    return Correlated("opened", row, why, events, claimed_group(context, ref))


def _reported_at(context: SignalContext) -> datetime:
    """Return when the SLA clocks start: none runs during announced maintenance."""
    held = context.row.held
    if held is None:
        return context.received_at
    return context.moment if held.code == "maintenance" else held.since


def _held(
    context: SignalContext, code: HeldFor, of: str, until: datetime | None
) -> KeyRow:
    row = context.row
    held = HeldSignal(
        code, of, context.since, until, context.received_at, context.signal
    )
    just_received = context.moment == context.received_at
    repeated = just_received and row.held is not None and row.state == "firing"
    known = row._replace(
        state="firing",
        held=held,
        last_occurred_at=context.latest,
        repeats=row.repeats + repeated,
    )
    return fired(known, context.monitor, context.received_at)
