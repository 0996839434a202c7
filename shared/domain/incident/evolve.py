"""The effect of each event on the state of an incident; no rules.

One function for each module of events, with a case for each event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from shared.domain import events
from shared.domain.events.incident import SignalState
from shared.domain.incident.state import (
    AttachedFile,
    BrokenHistory,
    Incident,
    Pause,
    Reminder,
    Status,
    after_contact,
    changed,
    opened_by,
)


def replay(history: Iterable[events.IncidentEvent]) -> Incident | None:
    """Return the incident after `history`, or None without events."""
    incident = None
    for event in history:
        incident = evolve(incident, event)
    return incident


def evolve(incident: Incident | None, event: events.IncidentEvent) -> Incident:
    """Return the incident after `event`. Never rejects a recorded event.

    Raises `BrokenHistory` if the opening event is not the first, or not the only one.
    """
    if incident is None:
        if isinstance(event, events.IncidentOpened):
            return _opened(event)
        raise BrokenHistory(f"{event.type} before incident.opened of {event.incident}")
    if isinstance(event, events.IncidentProgressEvent):
        return _after_progress(incident, event)
    if isinstance(event, events.IncidentSignalEvent):
        return _after_signal(incident, event)
    if isinstance(event, events.IncidentAttachmentEvent):
        return _after_file(incident, event)
    return _after_tie(incident, event)


def _opened(event: events.IncidentOpened) -> Incident:
    signals = dict(event.split_signals or {})
    if event.signal_key:
        signals[event.signal_key] = "firing"
    return Incident(
        ref=event.incident,
        status=Status.NEW,
        origin=event.origin,
        title=event.title,
        description=event.details,
        service=event.service,
        category=event.category,
        client=event.client,
        impact=event.impact,
        urgency=event.urgency,
        priority=event.priority,
        override=event.override,
        classified_by=None,
        team=event.team,
        desk_team=event.team,
        assignee=None,
        reporter=event.reporter,
        own_reporters=frozenset({event.reporter} if event.reporter else ()),
        opened_at=event.at,
        reported_at=event.reported_at,
        signals=signals,
        noticed=opened_by(event),
    )


def _after_progress(  # noqa: C901, PLR0911, PLR0912 # one case for each event
    incident: Incident, event: events.IncidentProgressEvent
) -> Incident:
    match event:
        case events.IncidentOpened():
            raise BrokenHistory(f"{event.incident} was opened twice")
        case events.IncidentContacted():
            return _contacted(incident, event)
        case events.IncidentEdited():
            return _edited(incident, event)
        case events.IncidentClassified():
            return _classified(incident, event)
        case events.IncidentAssigned(team=team, assignee=assignee):
            return changed(incident, team=team, assignee=assignee, given=True)
        case events.IncidentAcknowledged():
            return _acknowledged(incident, event)
        case events.IncidentPaused(reason=reason, at=since, question=question):
            pause = Pause(reason, since, question)
            return changed(incident, status=Status.PAUSED, pause=pause)
        case events.IncidentResumed():
            return changed(incident, status=incident.status_at_work, pause=None)
        case events.IncidentInformed(message=message, at=at):
            return changed(incident, last_message=message, last_informed_at=at)
        case events.IncidentRestored():
            return _restored(incident, event)
        case events.IncidentRelapsed():
            return _relapsed(incident, event)
        case events.IncidentResolved():
            return _resolved(incident, event)
        case events.IncidentSolutionNoted(note=note):
            return changed(incident, solution=note, asks_for_solution=False)
        case events.IncidentNoteAdded(about=verb, note=note):
            return changed(incident, said=_said(incident, verb, note))
        case events.IncidentNoted():
            return incident
        case (
            events.IncidentReminderSet()
            | events.IncidentReminded()
            | events.IncidentReminderCleared()
        ):
            return changed(incident, reminders=_reminders(incident, event))
        case events.IncidentReopened():
            return _reopened(incident, event)
        case (
            events.IncidentClosed()
            | events.IncidentCancelled()
            | events.IncidentRedirected()
        ):
            return _ended(incident, event)
        case _:
            assert_never(event)


def _reminders(
    incident: Incident,
    event: events.IncidentReminderSet
    | events.IncidentReminded
    | events.IncidentReminderCleared,
) -> Mapping[str, Mapping[int, Reminder]]:
    own = dict(incident.reminders.get(event.person, {}))
    match event:
        case events.IncidentReminderSet(due_at=due_at, note=note):
            own[event.number] = Reminder(due_at, note)
        case events.IncidentReminded(due_at=due_at):
            held = own.get(event.number) or Reminder(due_at, None)
            own[event.number] = replace(held, reminded=True)
        case events.IncidentReminderCleared():
            own.pop(event.number, None)
        case _:
            assert_never(event)
    after = {**incident.reminders, event.person: own}
    return {person: each for person, each in after.items() if each}


def _contacted(incident: Incident, event: events.IncidentContacted) -> Incident:
    if event.direction == "outbound":
        return changed(incident, last_contact=event)
    if event.unconfirmed:
        return changed(incident, last_contact=event, answered=True)
    return changed(
        incident,
        reporter=incident.reporter or event.person,
        own_reporters=incident.own_reporters | {event.person},
        noticed=after_contact(incident.noticed, event),
        last_contact=event,
        answered=True,
    )


def _edited(incident: Incident, event: events.IncidentEdited) -> Incident:
    return changed(
        incident,
        title=event.title or incident.title,
        description=event.description or incident.description,
    )


def _classified(incident: Incident, event: events.IncidentClassified) -> Incident:
    return changed(
        incident,
        category=event.category,
        service=event.service,
        client=event.client,
        impact=event.impact,
        urgency=event.urgency,
        priority=event.priority,
        override=event.override,
        classified_by=event.by,
    )


def _acknowledged(incident: Incident, event: events.IncidentAcknowledged) -> Incident:
    paused = incident.status is Status.PAUSED
    return changed(
        incident,
        status=Status.PAUSED if paused else Status.ACKNOWLEDGED,
        acknowledged_by=event.by,
        acknowledged_at=event.at,
    )


def _restored(incident: Incident, event: events.IncidentRestored) -> Incident:
    return changed(
        incident,
        restored_at=event.at,
        workaround=event.workaround,
        said=_said(incident, "restore", event.note),
    )


def _relapsed(incident: Incident, event: events.IncidentRelapsed) -> Incident:
    return changed(
        incident,
        signals=_firing(incident, event.signal_key),
        restored_at=None,
        workaround=False,
        said=_said(incident, "relapse", event.reason),
    )


def _resolved(incident: Incident, event: events.IncidentResolved) -> Incident:
    return changed(
        incident,
        status=Status.RESOLVED,
        resolved_at=event.at,
        root_cause_open=event.root_cause_open,
        asks_for_solution=event.asks_for_solution,
        used_solution=event.solution,
        said=_said(incident, "resolve", event.note),
        answered=False,
        snoozed_until=None,
    )


def _reopened(incident: Incident, event: events.IncidentReopened) -> Incident:
    return changed(
        incident,
        signals=_firing(incident, event.signal_key),
        status=Status.NEW,
        cycle=event.cycle,
        given=False,
        acknowledged_by=None,
        acknowledged_at=None,
        restored_at=None,
        workaround=False,
        root_cause_open=False,
        asks_for_solution=False,
        used_solution=None,
        said=frozenset({("reopen", event.reason)} if event.reason else ()),
        resolved_at=None,
        closed_at=None,
    )


def _ended(
    incident: Incident,
    event: events.IncidentClosed | events.IncidentCancelled | events.IncidentRedirected,
) -> Incident:
    match event:
        case events.IncidentClosed():
            return changed(
                incident,
                status=Status.CLOSED,
                closed_at=event.at,
                said=_said(incident, "close", event.note),
            )
        case events.IncidentCancelled():
            return changed(
                incident,
                status=Status.CANCELLED,
                cancelled_at=event.at,
                cancelled_because=event.reason,
                said=_said(incident, "cancel", event.note),
            )
        case events.IncidentRedirected():
            return changed(
                incident,
                status=Status.CANCELLED,
                cancelled_at=event.at,
                redirected_to=event.to,
            )
        case _:
            assert_never(event)


def _said(
    incident: Incident, verb: str, note: str | None
) -> frozenset[tuple[str, str]]:
    return incident.said | {(verb, note)} if note else incident.said


def _after_signal(  # noqa: PLR0911 # one case for each event
    incident: Incident, event: events.IncidentSignalEvent
) -> Incident:
    flapping, acknowledged = incident.flapping_keys, incident.source_acknowledged
    match event:
        case events.IncidentSignalled(signal_key=key):
            return changed(incident, signals=_firing(incident, key))
        case events.IncidentRecovered(signal_key=key):
            return changed(
                incident,
                signals={**incident.signals, key: "recovered"},
                source_acknowledged=acknowledged - {key},
            )
        case events.IncidentFlappingStarted(signal_key=key):
            return changed(incident, flapping_keys=flapping | {key})
        case events.IncidentFlappingEnded(signal_key=key):
            return changed(incident, flapping_keys=flapping - {key})
        case events.IncidentSourceAcknowledged(signal_key=key):
            return changed(incident, source_acknowledged=acknowledged | {key})
        case events.IncidentSourceNoted():
            return incident
        case events.IncidentSnoozed(until=until):
            return changed(incident, snoozed_until=until)
        case events.IncidentWoken():
            return changed(incident, snoozed_until=None)
        case _:
            assert_never(event)


def _firing(incident: Incident, key: str | None) -> Mapping[str, SignalState]:
    return {**incident.signals, key: "firing"} if key else incident.signals


def _after_tie(incident: Incident, event: events.IncidentTieEvent) -> Incident:
    match event:
        case (
            events.IncidentLinked()
            | events.IncidentUnlinked()
            | events.IncidentProblemPresumed()
            | events.IncidentProblemResolved()
        ):
            return _linked(incident, event)
        case events.IncidentMerged():
            return changed(
                incident,
                status=Status.MERGED,
                merged_into=event.into,
                flapping_keys=frozenset(),
            )
        case events.IncidentUnmerged():
            return changed(
                incident,
                status=incident.status_at_work,
                merged_into=None,
                signals=dict(event.signals),
            )
        case events.IncidentAbsorbed(merged=merged, reporters=reporters):
            return changed(
                incident,
                signals={**incident.signals, **event.signals},
                absorbed={**incident.absorbed, merged: reporters},
            )
        case events.IncidentReleased(merged=merged, signal_keys=keys):
            absorbed = {k: v for k, v in incident.absorbed.items() if k != merged}
            return _without(incident, keys, absorbed=absorbed)
        case events.IncidentSplit(into=into, signal_keys=keys):
            return _without(incident, keys, split_into=incident.split_into | {into})
        case _:
            assert_never(event)


def _linked(
    incident: Incident,
    event: events.IncidentLinked
    | events.IncidentUnlinked
    | events.IncidentProblemPresumed
    | events.IncidentProblemResolved,
) -> Incident:
    presumed, resolved = incident.presumed_problems, dict(incident.resolved_problems)
    match event:
        case events.IncidentProblemPresumed(problem=problem):
            return changed(incident, presumed_problems=presumed | {problem})
        case events.IncidentProblemResolved(problem=problem):
            if problem in incident.problems:
                resolved[problem] = incident.cycle
            return changed(incident, resolved_problems=resolved)
        case events.IncidentLinked(relation=relation, target=target):
            links = incident.links | {(relation, target)}
        case events.IncidentUnlinked(relation=relation, target=target):
            links = incident.links - {(relation, target)}
            if relation == "problem":
                resolved.pop(target, None)
        case _:
            assert_never(event)
    if relation == "problem":
        presumed -= {target}
    return changed(
        incident, links=links, presumed_problems=presumed, resolved_problems=resolved
    )


def _without(incident: Incident, keys: tuple[str, ...], **changes: object) -> Incident:
    signals = {k: v for k, v in incident.signals.items() if k not in keys}
    flapping = incident.flapping_keys.difference(keys)
    return changed(incident, signals=signals, flapping_keys=flapping, **changes)


def _after_file(incident: Incident, event: events.IncidentAttachmentEvent) -> Incident:
    files = incident.files
    match event:
        case events.IncidentFileAttached(attachment=id_, content_sha256=digest):
            return changed(incident, files={**files, id_: AttachedFile(digest)})
        case events.IncidentFileScanned(attachment=id_, verdict=verdict) if (
            id_ in files
        ):
            scanned = replace(files[id_], verdict=verdict)
            return changed(incident, files={**files, id_: scanned})
        case events.IncidentFileRemoved(attachment=id_) if id_ in files:
            removed = replace(files[id_], removed=True)
            return changed(incident, files={**files, id_: removed})
        case (
            events.IncidentFileScanned()
            | events.IncidentFileRemoved()
            | events.IncidentFileLeftOut()
        ):
            return incident
        case _:
            assert_never(event)
