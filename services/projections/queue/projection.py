"""Applies events to an incident's row in the queue. Pure: creates no ids.

Each stream has fields of its own: those of the incident are changed here, and those of
its escalation, from which come level, team and acceptance; those of its promises in
`promises.py`. Visible fields that depend on several streams are derived last, so a row
is the same in whichever order the streams are read.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, assert_never

from services.projections.queue.promises import promise_changes
from services.projections.queue.row import (
    LOWEST,
    Changes,
    QueueRow,
    changed,
    reminders_of,
)
from services.projections.queue.search import label_words
from services.projections.queue.tables import FIELDS
from shared.domain import events
from shared.domain.incident import IN_STOCK, BrokenHistory, Status
from shared.domain.incident.state import cause_left
from shared.eventlog.entry import Entry


def project(row: QueueRow | None, entry: Entry) -> QueueRow | None:
    """Return the row after `entry`; an entry processed before changes nothing.

    Streams about one incident may be interleaved in any order; each is in its own
    order. Raises `BrokenHistory` for an event of an incident that was never opened.
    """
    event = entry.event
    if events.is_incident_event(event):
        return _after_own_event(row, event, entry)
    if not (events.is_sla_event(event) or events.is_escalation_event(event)):
        return row
    if row is None:
        raise BrokenHistory(f"{event.type} before incident.opened: {entry.stream}")
    if events.is_sla_event(event):
        seen, changes = "sla_position", promise_changes(row, event)
    else:
        seen, changes = "help_position", _escalation_changes(row, event, entry)
    if not changes or entry.position <= getattr(row, seen):
        return row
    return _with_visible_fields(changed(row, {**changes, seen: entry.position}))


def _after_own_event(
    row: QueueRow | None, event: events.IncidentEvent, entry: Entry
) -> QueueRow | None:
    if row is None:
        if not isinstance(event, events.IncidentOpened):
            raise BrokenHistory(f"{event.type} before incident.opened: {entry.stream}")
        return _opened(event, entry)
    if entry.position <= row.position:
        return row
    changes = _incident_changes(row, event)
    if changes.get("status") in IN_STOCK:
        changes["ended_at"] = None
    if "own_team" in changes:
        changes["own_team_position"] = entry.position
    changes["updated_at"] = entry.recorded_at
    changes["version"] = entry.version
    changes["position"] = entry.position
    after = changed(row, changes)
    derived = "own_team" in changes or "cycle" in changes
    return _with_visible_fields(after) if derived else after


_UNSET: Mapping[str, Any] = {
    column.name: None if column.nullable else False
    for column in FIELDS
    if column.nullable or column.type == "bool"
}
"""A field that only later events set is absent at first, or false."""


def _opened(event: events.IncidentOpened, entry: Entry) -> QueueRow:
    first: dict[str, Any] = {
        "ref": event.incident,
        "title": event.title,
        "status": Status.NEW,
        "priority": event.priority,
        "impact": event.impact,
        "urgency": event.urgency,
        "service": event.service,
        "category": event.category,
        "client": event.client,
        "team": event.team,
        "reporter": event.reporter,
        "origin": event.origin,
        "opened_at": event.at,
        "reported_at": event.reported_at,
        "updated_at": entry.recorded_at,
        "cycle": 1,
        "repeats": 0,
        "version": entry.version,
        "position": entry.position,
        "user_reported": event.reporter is not None,
        "level": LOWEST,
        "own_team": event.team,
        "own_team_position": entry.position,
        "label_words": label_words(event.labels),
    }
    return QueueRow(**{**_UNSET, **first})


def _incident_changes(row: QueueRow, event: events.IncidentEvent) -> Changes:
    if isinstance(event, events.IncidentProgressEvent):
        return _progress_changes(row, event)
    if isinstance(event, events.IncidentSignalEvent):
        return _signal_changes(row, event)
    if isinstance(event, events.IncidentAttachmentEvent):
        return {}
    return _tie_changes(row, event)


def _progress_changes(  # noqa: C901, PLR0911, PLR0912 # one case for each event
    row: QueueRow, event: events.IncidentProgressEvent
) -> Changes:
    match event:
        case events.IncidentOpened():
            raise BrokenHistory(f"{event.incident} was opened twice")
        case events.IncidentContacted():
            return _contact_changes(row, event)
        case events.IncidentEdited(title=title):
            return {"title": title} if title else {}
        case events.IncidentClassified():
            return {name: getattr(event, name) for name in _CLASSIFICATION}
        case events.IncidentAssigned():
            return {"own_team": event.team, "assignee": event.assignee}
        case events.IncidentAcknowledged():
            return {"status": _acknowledged(row), "acknowledged_at": event.at}
        case events.IncidentPaused():
            return {"status": Status.PAUSED, "pause_reason": event.reason}
        case events.IncidentResumed():
            return {"status": _status_at_work(row), "pause_reason": None}
        case events.IncidentRestored():
            return {"restored_at": event.at}
        case events.IncidentRelapsed():
            return {"restored_at": None}
        case events.IncidentResolved():
            return _resolution_changes(row, event)
        case events.IncidentReopened():
            return _reopening_changes(row, event)
        case events.IncidentClosed():
            return {"status": Status.CLOSED, "ended_at": event.at}
        case events.IncidentCancelled() | events.IncidentRedirected():
            return {"status": Status.CANCELLED, "ended_at": event.at}
        case events.IncidentInformed() | events.IncidentSolutionNoted():
            return {}
        case events.IncidentNoteAdded() | events.IncidentNoted():
            return {}
        case events.IncidentReminderSet(person=person, due_at=due_at, number=number):
            return _reminder_changes(row, (person, number), due_at.isoformat())
        case events.IncidentReminderCleared(person=person, number=number):
            return _reminder_changes(row, (person, number), None)
        case events.IncidentReminded():
            return {}
        case _:
            assert_never(event)


_CLASSIFICATION = ("category", "service", "client", "impact", "urgency", "priority")


def _contact_changes(row: QueueRow, event: events.IncidentContacted) -> Changes:
    people = sorted({*row.contacts.split(), event.person})
    changes: Changes = {"contacts": " ".join(people)}
    reports = event.direction == "inbound" and not event.unconfirmed
    if row.reporter is None and reports:
        changes |= {"reporter": event.person, "user_reported": True}
    return changes


def _reminder_changes(
    row: QueueRow, which: tuple[str, int], due_at: str | None
) -> Changes:
    held = {**reminders_of(row), which: due_at}
    kept = {whose: at for whose, at in sorted(held.items()) if at is not None}
    first = min(map(datetime.fromisoformat, kept.values()), default=None)
    text = " ".join(
        f"{who}@{at}#{number}" if number > 1 else f"{who}@{at}"
        for (who, number), at in kept.items()
    )
    return {"reminders": text, "reminder_due": first}


def _acknowledged(row: QueueRow) -> Status:
    paused = row.status is Status.PAUSED
    return Status.PAUSED if paused else Status.ACKNOWLEDGED


def _status_at_work(row: QueueRow) -> Status:
    return Status.ACKNOWLEDGED if row.acknowledged_at else Status.NEW


def _resolution_changes(row: QueueRow, event: events.IncidentResolved) -> Changes:
    return {
        "status": Status.RESOLVED,
        "snoozed_until": None,
        **_cause_changes(_problems(row), row.cycle, is_left=event.root_cause_open),
    }


def _reopening_changes(row: QueueRow, event: events.IncidentReopened) -> Changes:
    return {
        "status": Status.NEW,
        "cycle": event.cycle,
        "acknowledged_at": None,
        "restored_at": None,
        "quick_fix": row.quick_fix or event.quick_fix,
        **_cause_changes(_problems(row), event.cycle, is_left=False),
    }


def _signal_changes(row: QueueRow, event: events.IncidentSignalEvent) -> Changes:
    flapping = row.flapping_keys.split()
    match event:
        case events.IncidentSignalled() | events.IncidentRecovered():
            return {"repeats": row.repeats + event.repeats} if event.repeats else {}
        case events.IncidentFlappingStarted(signal_key=key):
            return _flapping_changes({*flapping, key})
        case events.IncidentFlappingEnded(signal_key=key):
            return _flapping_changes({*flapping} - {key})
        case events.IncidentSnoozed():
            return {"snoozed_until": event.until}
        case events.IncidentWoken():
            return {"snoozed_until": None}
        case events.IncidentSourceAcknowledged() | events.IncidentSourceNoted():
            return {}
        case _:
            assert_never(event)


def _flapping_changes(keys: set[str]) -> Changes:
    return {"flapping": bool(keys), "flapping_keys": " ".join(sorted(keys))}


def _tie_changes(row: QueueRow, event: events.IncidentTieEvent) -> Changes:
    match event:
        case (
            events.IncidentLinked()
            | events.IncidentUnlinked()
            | events.IncidentProblemPresumed()
            | events.IncidentProblemResolved()
        ):
            return _link_changes(row, event)
        case events.IncidentMerged():
            merged: Changes = {"status": Status.MERGED, "ended_at": event.at}
            return {**merged, **_flapping_changes(set()), "merged_into": event.into}
        case events.IncidentUnmerged():
            return {"status": _status_at_work(row), "merged_into": None}
        case (
            events.IncidentReleased(signal_keys=keys)
            | events.IncidentSplit(signal_keys=keys)
        ):
            return _flapping_changes({*row.flapping_keys.split()}.difference(keys))
        case events.IncidentAbsorbed():
            return {}
        case _:
            assert_never(event)


def _link_changes(
    row: QueueRow,
    event: events.IncidentLinked
    | events.IncidentUnlinked
    | events.IncidentProblemPresumed
    | events.IncidentProblemResolved,
) -> Changes:
    problems = _problems(row)
    match event:
        case events.IncidentProblemPresumed(problem=problem):
            return {"presumed_problem": problem}
        case events.IncidentProblemResolved(problem=problem):
            if problem in problems:
                problems[problem] = row.cycle
            return _cause_changes(problems, row.cycle, is_left=row.cause_left)
        case events.IncidentLinked(relation="problem", target=problem):
            problems.setdefault(problem, None)
        case events.IncidentUnlinked(relation="problem", target=problem):
            problems.pop(problem, None)
        case events.IncidentLinked() | events.IncidentUnlinked():
            return {}
        case _:
            assert_never(event)
    changes = _cause_changes(problems, row.cycle, is_left=row.cause_left)
    answered = row.presumed_problem == problem
    return {**changes, "presumed_problem": None} if answered else changes


def _problems(row: QueueRow) -> dict[str, int | None]:
    parts = (each.partition("@") for each in row.problem_refs.split())
    return {ref: int(cycle) if cycle else None for ref, _, cycle in parts}


def _cause_changes(
    problems: Mapping[str, int | None], cycle: int, *, is_left: bool
) -> Changes:
    written = (
        ref if ended is None else f"{ref}@{ended}"
        for ref, ended in sorted(problems.items())
    )
    return {
        "problem_refs": " ".join(written),
        "cause_left": is_left,
        "root_cause": cause_left(problems, cycle, is_left=is_left),
    }


def _escalation_changes(
    row: QueueRow, event: events.EscalationEvent, entry: Entry
) -> Changes:
    """Return what an event changes; nothing if it belongs to an earlier cycle."""
    match event:
        case events.Escalated() | events.EscalationReturned() if (
            event.cycle >= row.help_cycle
        ):
            return {
                "help_cycle": event.cycle,
                "help_level": event.to_level,
                "help_team": event.team,
                "help_team_position": entry.position,
                "help_accepted_by": None,
            }
        case events.EscalationAccepted() if event.cycle == row.help_cycle:
            # If several people accept it, the first one has it.
            return {"help_accepted_by": row.help_accepted_by or event.person}
        case events.EscalationAcknowledgementLapsed() if event.cycle == row.help_cycle:
            return {"help_accepted_by": None}
        case events.EscalationAccepted() if event.cycle > row.help_cycle:
            return {
                "help_cycle": event.cycle,
                "help_level": event.level,
                "help_team": None,
                "help_accepted_by": event.person,
            }
        case _:
            return {}


def _with_visible_fields(row: QueueRow) -> QueueRow:
    """Return the row with the fields that follow from what each stream reported.

    Reports about another cycle than the incident's current one are not shown.
    """
    escalated = row.help_cycle == row.cycle
    team = row.own_team
    if escalated and row.help_team and row.help_team_position > row.own_team_position:
        team = row.help_team
    changes: Changes = {
        "team": team,
        "level": row.help_level if escalated else LOWEST,
        "accepted_by": row.help_accepted_by if escalated else None,
    }
    return changed(row, {**changes, **_due_changes(row)})


def _due_changes(row: QueueRow) -> Changes:
    if row.sla_cycle != row.cycle:
        nothing = {"due_at": None, "due_target": None, "due_hours": None}
        return {**nothing, "breached": False}
    promises = (
        ("tto", row.tto_due_at, row.tto_hours),
        ("ttr", row.ttr_due_at, row.ttr_hours),
    )
    due = [(at, target, hours) for target, at, hours in promises if at is not None]
    due_at, target, hours = min(due, default=(None, None, None), key=itemgetter(0))
    return {
        "due_at": due_at,
        "due_target": target,
        "due_hours": hours,
        "breached": row.tto_breached or row.ttr_breached,
    }
