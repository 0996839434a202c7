"""Who looks into an incident above the desk: read from the stream of its escalation."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Cursor

from services.intake.decider.circumstances import Helper
from services.intake.histories import Unreadable, histories
from services.intake.record_cache import Versioned
from services.intake.wanted import Wanted
from shared.entry import Entry
from shared.event_log import EventLog
from shared.events.escalation import Escalated, EscalationAccepted
from shared.incident import AT_WORK
from shared.references import about, escalation_stream
from shared.wishes import Acknowledge, Pause, Resolve, Restore

_TAKING = Acknowledge | Pause | Restore | Resolve
"""By these a person takes on an incident that nobody has."""


def needs_helper(wanted: Wanted) -> bool:
    """Tell whether a decision on this command may look at who helps."""
    return isinstance(wanted.wish, _TAKING)


def helpers(
    log: EventLog,
    cursor: Cursor[tuple[Any, ...]],
    wanted: Iterable[Wanted],
    states: Mapping[str, Versioned],
) -> Mapping[str, Helper | Unreadable]:
    """Return who helps, by incident, where a command may take on what nobody has.

    Where the escalation of an incident cannot be read, that is what is returned.
    """
    named = {w.request.about for w in wanted if needs_helper(w)}
    cycles = {
        ref: held.incident.cycle
        for ref, held in states.items()
        if ref in named and held.incident and _is_free(held)
    }
    if not cycles:
        return {}
    streams = [escalation_stream(ref) for ref in sorted(cycles)]
    helping: dict[str, Helper | Unreadable] = {}
    for stream, history in histories(log, cursor, streams).items():
        if isinstance(history, Unreadable):
            helping[about(stream) or ""] = history
        else:
            helping |= found(cycles, history)
    return helping


def found(cycles: Mapping[str, int], entries: Iterable[Entry]) -> Mapping[str, Helper]:
    """Return who helps in the present cycle of each incident."""
    helping: dict[str, Helper] = {}
    for entry in entries:
        ref = about(entry.stream) or ""
        match entry.event:
            case Escalated(cycle=cycle, team=team) if cycle == cycles.get(ref):
                helping[ref] = Helper(team)
            case EscalationAccepted(cycle=cycle, person=person) if (
                cycle == cycles.get(ref) and ref in helping
            ):
                helping[ref] = helping[ref]._replace(person=person)
            case _:
                pass
    return helping


def _is_free(held: Versioned) -> bool:
    incident = held.incident
    return (
        incident is not None
        and incident.status in AT_WORK
        and incident.acknowledged_at is None
        and incident.assignee is None
    )
