"""The team and level that work on an incident, read from its escalation stream."""

from collections.abc import Iterable, Mapping
from types import UnionType

from services.intake.commands.pending_command import PendingCommand
from services.intake.records.rules.context import Helper
from services.intake.records.store import Versioned
from services.intake.records.system_command import AcknowledgeAccepted
from shared.database.cursors import Cursors
from shared.domain.commands.incident import (
    Acknowledge,
    Assign,
    Pause,
    Resolve,
    Restore,
    Return,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationAcknowledgementLapsed,
    EscalationReturned,
)
from shared.domain.events.incident import IncidentAssigned
from shared.domain.identifiers import about, escalation_stream, incident_stream
from shared.domain.incident import AT_WORK
from shared.eventlog.entry import Entry
from shared.eventlog.histories import Unreadable, histories
from shared.eventlog.log import EventLog

_TAKING = Acknowledge | AcknowledgeAccepted | Pause | Restore | Resolve
"""Commands with which a person takes on an unassigned incident."""
_GIVING = Assign | Return
"""Commands whose result depends on the current team and level."""
_PLACED = Assign | Return | Resolve | AcknowledgeAccepted
"""Commands that use the current team and level; `Resolve` can do without."""


def needs_helper(pending: PendingCommand) -> bool:
    """Return whether a decision on this command may depend on the helper."""
    return isinstance(pending.request.body, _TAKING | _GIVING)


def helpers(
    log: EventLog,
    cursor: Cursors,
    pending: Iterable[PendingCommand],
    states: Mapping[str, Versioned],
) -> Mapping[str, Helper | Unreadable]:
    """Return the helper of each incident that a command assigns or takes on.

    If the escalation of an incident cannot be read, its value is `Unreadable`; for a
    resolution it is left out, since that must not be blocked.
    """
    commands = list(pending)
    given = _subjects(commands, _GIVING)
    taken = _subjects(commands, _TAKING)
    placed = _subjects(commands, _PLACED)
    free = {ref for ref, held in states.items() if _is_free(held)}
    needed = given | (taken & free)
    cycles = {
        ref: held.incident.cycle
        for ref, held in states.items()
        if held.incident and (ref in needed or ref in placed)
    }
    if not cycles:
        return {}
    refs = sorted(cycles)
    own = [incident_stream(ref) for ref in refs if ref in placed]
    read = histories(log, cursor, [*map(escalation_stream, refs), *own])
    helping: dict[str, Helper | Unreadable] = {}
    for ref in refs:
        history = read.get(escalation_stream(ref), [])
        if isinstance(history, Unreadable):
            if ref in needed:
                helping[ref] = history
            continue
        beside = read.get(incident_stream(ref), [])
        more = [] if isinstance(beside, Unreadable) else beside
        entries = sorted([*history, *more], key=lambda entry: entry.position)
        helping |= helpers_in(cycles, entries)
    return helping


def _subjects(commands: Iterable[PendingCommand], kinds: UnionType) -> set[str | None]:
    """Return what the commands of these kinds are about."""
    requests = (each.request for each in commands)
    return {each.about for each in requests if isinstance(each.body, kinds)}


def helpers_in(
    cycles: Mapping[str, int], entries: Iterable[Entry]
) -> Mapping[str, Helper]:
    """Return the helper in the current cycle of each incident; entries in log order."""
    helping: dict[str, Helper] = {}
    for entry in entries:
        ref = about(entry.stream) or ""
        match entry.event:
            case (
                Escalated(cycle=cycle, team=team, to_level=level)
                | EscalationReturned(cycle=cycle, team=team, to_level=level)
            ) if cycle == cycles.get(ref):
                helping[ref] = Helper(team, level)
            case IncidentAssigned() if ref in helping:
                given = helping[ref]._replace(given_since=True, has_lapsed=False)
                helping[ref] = given
            case EscalationAccepted(cycle=cycle, person=person) if (
                cycle == cycles.get(ref) and ref in helping
            ):
                accepted = helping[ref]._replace(person=person, has_lapsed=False)
                helping[ref] = accepted
            case EscalationAcknowledgementLapsed(cycle=cycle) if (
                cycle == cycles.get(ref) and ref in helping
            ):
                lapsed = helping[ref]._replace(person=None, has_lapsed=True)
                helping[ref] = lapsed
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
