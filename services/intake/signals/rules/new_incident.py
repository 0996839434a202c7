"""Decides about an alert without an active incident: suppress, join, hold or open.

The stages are, in order: maintenance, the incident of its group, the time that it must
fire, and the number of alerts that must fire with it. A held alert is evaluated here
again when it is due.
"""

from dataclasses import replace
from datetime import datetime

from services.intake.commands.command import Trigger
from services.intake.commands.rules.resolution import may_reopen
from services.intake.signals.rules import groups
from services.intake.signals.rules.context import Correlated, SignalContext, fired
from services.intake.signals.rules.enrichment import team_for
from services.intake.signals.rules.incident_updates import claimed, evolved, news, told
from services.intake.signals.rules.key_row import HeldFor, HeldSignal, KeyRow
from services.intake.signals.rules.suppression import SuppressionReason
from shared.domain.events import IncidentEvent
from shared.domain.incident import AT_WORK
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Correlation


def judged(arrival: SignalContext) -> Correlated:
    """Return the outcome for a firing alert, by the stages in order."""
    own = arrival.incident
    if own is not None and own.status in AT_WORK:  # it was reopened since
        why = SuppressionReason("fires_again")
        return news(arrival, own, arrival.row.repeats, "signalled", why)
    correlate = arrival.monitor.correlate if arrival.monitor else None
    held = _in_maintenance(arrival)
    if held is not None:
        return held
    grouped = correlate is not None and not arrival.row.life.apart
    if correlate is not None and grouped:
        ground, key = arrival.ground, arrival.row.life.group
        found = groups.at_work(
            key, correlate, ground.groups, ground.incident, arrival.moment
        )
        if found is not None:
            of = ", ".join(correlate.by)
            why = SuppressionReason("correlated", of)
            repeats = arrival.row.repeats
            return news(arrival, found, repeats, "signalled", why, joins=True)
    held = _transient(arrival)
    if held is not None:
        return held
    if correlate is not None and grouped and correlate.threshold is not None:
        return _counted(arrival, correlate, correlate.threshold)
    return _opened(arrival, _rule(arrival))


def _in_maintenance(arrival: SignalContext) -> Correlated | None:
    windows = arrival.ground.windows
    if not windows.any:
        return None
    window = windows.covering(arrival.service, arrival.moment)
    if window is None:
        return None
    row = _held(arrival, "maintenance", window.name, window.until)
    reason = f"{arrival.service} is in maintenance: {window.name}"
    why = SuppressionReason("maintenance", window.name, reason, window.until)
    return arrival.suppressed(row, why)


def _transient(arrival: SignalContext) -> Correlated | None:
    span = arrival.monitor.open_after if arrival.monitor else None
    if span is None or arrival.moment - arrival.since >= span:
        return None
    until = arrival.since + span
    row = _held(arrival, "open_after", duration_text(span), until)
    reason = f"it opens if it still fires after {duration_text(span)}"
    why = SuppressionReason("open_after", duration_text(span), reason, until)
    return Correlated("held", row, why)


def _counted(arrival: SignalContext, clause: Correlation, threshold: int) -> Correlated:
    """Hold it until enough alerts of its group fire; then open, and join them all."""
    others = [
        row
        for row in arrival.ground.waiting(arrival.row.life.group or "")
        if row.signal_key != arrival.row.signal_key
        and row.held is not None
        and arrival.moment - row.held.heard_at <= clause.within
    ]
    of = f"{threshold} in {duration_text(clause.within)}"
    if len(others) + 1 < threshold:
        row = _held(arrival, "threshold", of, None)
        reason = f"{len(others) + 1} of {of} fire: it opens when {threshold} do"
        return Correlated("held", row, SuppressionReason("threshold", of, reason))
    opened = _opened(arrival, SuppressionReason("threshold", of))
    return _joined(arrival, opened, others)


def _joined(
    arrival: SignalContext, opened: Correlated, others: list[KeyRow]
) -> Correlated:
    """Return the opening together with all alerts that waited for it."""
    ref = opened.row.incident or ""
    incident = evolved(arrival.incident if _reopens(arrival) else None, opened.events)
    events: list[IncidentEvent] = list(opened.events)
    rows: list[KeyRow] = []
    for row in sorted(others, key=lambda each: each.signal_key):
        if row.held is None or incident is None:
            continue
        waiting = replace(
            arrival, row=row, signal=row.held.signal, received_at=row.held.heard_at
        )
        joined = news(waiting, incident, row.repeats, "signalled", _JOINS, joins=True)
        incident = evolved(incident, joined.events)
        events += joined.events
        rows.append(joined.row._replace(incident=ref))
    return replace(opened, events=events, others=rows)


_JOINS = SuppressionReason("correlated", "threshold")


def _rule(arrival: SignalContext) -> SuppressionReason:
    held = arrival.row.held
    match held:
        case HeldSignal(code="maintenance", of=of):
            return SuppressionReason("maintenance_ended", of)
        case HeldSignal(code="open_after" | "threshold" as code, of=of):
            return SuppressionReason(code, of)
        case _:
            return SuppressionReason(
                "fires_again" if _reopens(arrival) else "new_trouble"
            )


def _reopens(arrival: SignalContext) -> bool:
    incident = arrival.incident
    return incident is not None and may_reopen(
        incident, arrival.ground.at, arrival.ground.policy
    )


def _opened(arrival: SignalContext, why: SuppressionReason) -> Correlated:
    older = arrival.incident
    if older is not None and _reopens(arrival):
        again = news(arrival, older, arrival.row.repeats, "signalled", why)
        return replace(again, group=claimed(arrival, older.ref))
    ref = next(arrival.ground.fresh)
    if older is not None and why.code == "new_trouble":
        why = SuppressionReason("follows_older")
    wish = Trigger(
        arrival.signal,
        arrival.row.signal_key,
        arrival.received_at,
        follows=older.ref if older else None,
        rule=why.code,
        of=why.of,
        reported_at=_reported_at(arrival),
        team=team_for(arrival.signal, arrival.ground.policy),
    )
    events = arrival.decided(ref, None, wish)
    row = told(arrival, ref)
    return Correlated("opened", row, why, events, claimed(arrival, ref))


def _reported_at(arrival: SignalContext) -> datetime:
    """Return when the SLA clocks start: none runs during announced maintenance."""
    held = arrival.row.held
    if held is None:
        return arrival.received_at
    return arrival.moment if held.code == "maintenance" else held.since


def _held(
    arrival: SignalContext, code: HeldFor, of: str, until: datetime | None
) -> KeyRow:
    row = arrival.row
    held = HeldSignal(
        code, of, arrival.since, until, arrival.received_at, arrival.signal
    )
    heard = arrival.moment == arrival.received_at
    repeated = heard and row.held is not None and row.state == "firing"
    known = row._replace(
        state="firing",
        held=held,
        last_occurred_at=arrival.latest,
        repeats=row.repeats + repeated,
    )
    return fired(known, arrival.monitor, arrival.received_at)
