"""Intervals: open, awaiting closure, waiting for acknowledgement, resolved.

Each condition is true or false after every event; a change begins or ends an interval.
So the balance is always right: open incidents are those that came in minus those that
left.
"""

from services.projections.metrics.contacts import took_one_contact
from services.projections.metrics.incident_state import (
    Fact,
    IncidentState,
    Kind,
    added,
    altered,
    changed,
    last,
)
from shared.domain.events.incident import IncidentAcknowledged, IncidentReopened
from shared.domain.events.incident_ties import IncidentUnmerged
from shared.domain.incident import Status
from shared.eventlog.entry import Entry


def spanned(
    before: IncidentState | None, after: IncidentState, entry: Entry
) -> IncidentState:
    """Return `after` with the intervals that its event began and ended."""
    then, now = _truths(before), _truths(after)
    facts = after.facts
    for kind in now:
        if then[kind] and not now[kind]:
            facts = _ended(facts, kind, after, entry)
        elif now[kind] and not then[kind]:
            word = _word(kind, before, after, entry)
            fact = Fact(kind, 0, entry.recorded_at, word, began_at=entry.event.at)
            facts = added(facts, fact)
    return altered(after, facts=facts)


def _truths(life: IncidentState | None) -> dict[Kind, bool]:
    return {
        "stock": life is not None and life.in_stock,
        "awaiting": life is not None and life.status is Status.RESOLVED,
        "waiting": life is not None and life.is_waiting,
        "restored": life is not None and life.restored,
        "resolved": life is not None and life.resolved,
    }


def _ended(
    facts: tuple[Fact, ...], kind: Kind, after: IncidentState, entry: Entry
) -> tuple[Fact, ...]:
    was = last(facts, kind)
    if was is None:
        return facts
    now = altered(
        was, until=entry.recorded_at, ended=_end(after, entry), ended_at=entry.event.at
    )
    return changed(facts, was, now)


def _end(after: IncidentState, entry: Entry) -> str:
    match entry.event:
        case IncidentReopened():
            return "reopened"
        case IncidentAcknowledged():
            return "acknowledged"
        case _:
            return after.status.value


def _word(
    kind: Kind, before: IncidentState | None, after: IncidentState, entry: Entry
) -> str:
    match kind:
        case "stock" if before is None:
            return "split" if after.origin == "split" else "recorded"
        case "stock":
            is_unmerged = isinstance(entry.event, IncidentUnmerged)
            return "unmerged" if is_unmerged else "reopened_after_closure"
        case "waiting":
            return "again" if after.ever_acknowledged else "first"
        case "resolved" if not after.user_reported:
            return "unreported"
        case "resolved":
            return "one_contact" if took_one_contact(after) else "more"
        case _:
            return ""
