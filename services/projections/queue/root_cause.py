"""Whether the cause of an incident is still there, as its row in the queue says it."""

from services.projections.queue.row import Changes, QueueRow
from shared.events.incident import IncidentReopened, IncidentResolved
from shared.events.incident_ties import IncidentLinked, IncidentUnlinked


def linked(row: QueueRow, event: IncidentLinked | IncidentUnlinked) -> Changes:
    """Return what a link, or its end, changes about it."""
    if event.relation != "problem":
        return {}
    refs = set(row.problem_refs.split())
    changed = refs | {event.target}
    if isinstance(event, IncidentUnlinked):
        changed = refs - {event.target}
    return _changes(" ".join(sorted(changed)), is_left=row.cause_left)


def resolved(row: QueueRow, event: IncidentResolved) -> Changes:
    """Return what a resolution changes about it."""
    return _changes(row.problem_refs, is_left=event.root_cause_open)


def reopened(row: QueueRow, event: IncidentReopened) -> Changes:
    """Return what a reopening changes about it."""
    changes = _changes(row.problem_refs, is_left=False)
    return {**changes, "quick_fix": row.quick_fix or event.quick_fix}


def _changes(refs: str, *, is_left: bool) -> Changes:
    cause = ("problem" if refs else "open") if is_left else None
    return {"problem_refs": refs, "cause_left": is_left, "root_cause": cause}
