"""Intervals: open, awaiting closure, waiting for acknowledgement, resolved.

Each condition is true or false after every event; a change begins or ends an interval.
So the balance is always right: open incidents are those that came in minus those that
left.
"""

from services.projections.metrics.contacts import took_one_contact
from services.projections.metrics.state import (
    Fact,
    IncidentState,
    Kind,
    added,
    changed,
    last,
    replaced,
)
from shared.domain import events
from shared.domain.incident import Status
from shared.eventlog.entry import Entry


def with_intervals(
    before: IncidentState | None, after: IncidentState, entry: Entry
) -> IncidentState:
    """Return `after` with the intervals that its event began and ended."""
    then, now = _conditions(before), _conditions(after)
    facts = after.facts
    for kind in now:
        if then[kind] and not now[kind]:
            facts = _ended(facts, kind, after, entry)
        elif now[kind] and not then[kind]:
            word = _word(kind, before, after, entry)
            fact = Fact(kind, 0, entry.recorded_at, word, began_at=entry.event.at)
            facts = added(facts, fact)
    return changed(after, facts=facts)


def _conditions(incident: IncidentState | None) -> dict[Kind, bool]:
    return {
        "stock": incident is not None and incident.in_stock,
        "awaiting": incident is not None and incident.status is Status.RESOLVED,
        "waiting": incident is not None and incident.is_waiting,
        "restored": incident is not None and incident.restored,
        "resolved": incident is not None and incident.resolved,
    }


def _ended(
    facts: tuple[Fact, ...], kind: Kind, after: IncidentState, entry: Entry
) -> tuple[Fact, ...]:
    was = last(facts, kind)
    if was is None:
        return facts
    now = changed(
        was, until=entry.recorded_at, ended=_end(after, entry), ended_at=entry.event.at
    )
    return replaced(facts, was, now)


def _end(after: IncidentState, entry: Entry) -> str:
    match entry.event:
        case events.IncidentReopened():
            return "reopened"
        case events.IncidentAcknowledged():
            return "acknowledged"
        case events.IncidentRedirected():
            return "redirected"
        case _:
            return after.status.value


def _word(
    kind: Kind, before: IncidentState | None, after: IncidentState, entry: Entry
) -> str:
    match kind:
        case "stock" if before is None:
            return "split" if after.origin == "split" else "recorded"
        case "stock":
            is_unmerged = isinstance(entry.event, events.IncidentUnmerged)
            return "unmerged" if is_unmerged else "reopened_after_closure"
        case "waiting":
            return "again" if after.ever_acknowledged else "first"
        case "resolved" if not after.user_reported:
            return "unreported"
        case "resolved":
            return "one_contact" if took_one_contact(after) else "more"
        case _:
            return ""
