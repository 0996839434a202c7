"""The effect of each event on the state of an incident; no rules."""

from collections.abc import Iterable
from typing import assert_never

from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentContacted,
    IncidentEdited,
    IncidentInformed,
    IncidentNoteAdded,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
    IncidentSolutionNoted,
)
from shared.domain.events.incident_signals import (
    IncidentFlappingEnded,
    IncidentFlappingStarted,
    IncidentRecovered,
    IncidentSignalled,
    IncidentSnoozed,
    IncidentSourceAcknowledged,
    IncidentSourceNoted,
    IncidentWoken,
)
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentReleased,
    IncidentSplit,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.domain.incident.state import (
    BrokenHistory,
    Incident,
    Pause,
    Status,
    after_contact,
    changed,
    opened_by,
)
from shared.domain.incident.ties import tied

_Told = (
    IncidentContacted
    | IncidentEdited
    | IncidentClassified
    | IncidentAssigned
    | IncidentInformed
    | IncidentSnoozed
    | IncidentWoken
)
_Heard = (
    IncidentSignalled
    | IncidentRecovered
    | IncidentFlappingStarted
    | IncidentFlappingEnded
    | IncidentSourceAcknowledged
    | IncidentSourceNoted
)
_Moved = (
    IncidentAcknowledged
    | IncidentPaused
    | IncidentResumed
    | IncidentRestored
    | IncidentRelapsed
    | IncidentResolved
    | IncidentSolutionNoted
    | IncidentNoteAdded
    | IncidentReopened
    | IncidentClosed
    | IncidentCancelled
)


def replay(history: Iterable[IncidentEvent]) -> Incident | None:
    """Return the incident after `history`, or None without events."""
    incident = None
    for event in history:
        incident = evolve(incident, event)
    return incident


def evolve(incident: Incident | None, event: IncidentEvent) -> Incident:
    """Return the incident after `event`. Never rejects a recorded event.

    Raises `BrokenHistory` if the opening event is not the first, or not the only one.
    """
    if isinstance(event, IncidentOpened):
        if incident is not None:
            raise BrokenHistory(f"{event.incident} was opened twice")
        return _opened(event)
    if incident is None:
        raise BrokenHistory(f"{event.type} before incident.opened of {event.incident}")
    if isinstance(event, _Told):
        return _told(incident, event)
    match event:
        case (
            IncidentSignalled()
            | IncidentRecovered()
            | IncidentFlappingStarted()
            | IncidentFlappingEnded()
            | IncidentSourceAcknowledged()
            | IncidentSourceNoted()
        ):
            return _heard(incident, event)
        case (
            IncidentLinked()
            | IncidentUnlinked()
            | IncidentProblemPresumed()
            | IncidentProblemResolved()
            | IncidentMerged()
            | IncidentAbsorbed()
            | IncidentUnmerged()
            | IncidentReleased()
            | IncidentSplit()
        ):
            return tied(incident, event)
        case _:
            return _moved(incident, event)


def _opened(event: IncidentOpened) -> Incident:
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


def _heard(incident: Incident, event: _Heard) -> Incident:
    key = event.signal_key
    match event:
        case IncidentSignalled():
            return _fired(incident, key)
        case IncidentRecovered():
            return changed(
                incident,
                signals={**incident.signals, key: "recovered"},
                source_acknowledged=incident.source_acknowledged - {key},
            )
        case IncidentFlappingStarted():
            return changed(incident, flapping_keys=incident.flapping_keys | {key})
        case IncidentFlappingEnded():
            return changed(incident, flapping_keys=incident.flapping_keys - {key})
        case IncidentSourceAcknowledged():
            return changed(
                incident, source_acknowledged=incident.source_acknowledged | {key}
            )
        case IncidentSourceNoted():
            return incident
        case _:
            assert_never(event)


def _fired(incident: Incident, key: str | None, **changes: object) -> Incident:
    signals = {**incident.signals, key: "firing"} if key else incident.signals
    return changed(incident, signals=signals, **changes)


def _told(  # noqa: PLR0911 # one return for each case
    incident: Incident, event: _Told
) -> Incident:
    match event:
        case IncidentContacted():
            return _contacted(incident, event)
        case IncidentEdited():
            return changed(
                incident,
                title=event.title or incident.title,
                description=event.description or incident.description,
            )
        case IncidentClassified():
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
        case IncidentAssigned():
            return changed(
                incident, team=event.team, assignee=event.assignee, given=True
            )
        case IncidentInformed():
            return changed(
                incident, last_message=event.message, last_informed_at=event.at
            )
        case IncidentSnoozed():
            return changed(incident, snoozed_until=event.until)
        case IncidentWoken():
            return changed(incident, snoozed_until=None)
        case _:
            assert_never(event)


def _contacted(incident: Incident, event: IncidentContacted) -> Incident:
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


def _moved(  # noqa: C901, PLR0911 # one return for each case
    incident: Incident, event: _Moved
) -> Incident:
    match event:
        case IncidentAcknowledged():
            return _acknowledged(incident, event)
        case IncidentPaused():
            pause = Pause(event.reason, event.at, event.question)
            return changed(incident, status=Status.PAUSED, pause=pause)
        case IncidentResumed():
            return changed(incident, status=incident.status_at_work, pause=None)
        case IncidentRestored():
            return changed(
                incident,
                restored_at=event.at,
                workaround=event.workaround,
                said=_said(incident, "restore", event.note),
            )
        case IncidentRelapsed():
            said = _said(incident, "relapse", event.reason)
            down = {"restored_at": None, "workaround": False, "said": said}
            return _fired(incident, event.signal_key, **down)
        case IncidentReopened():
            return _reopened(incident, event)
        case IncidentSolutionNoted():
            return changed(incident, solution=event.note, asks_for_solution=False)
        case IncidentNoteAdded():
            said = _said(incident, event.about, event.note)
            return changed(incident, said=said)
        case _:
            return _over(incident, event)


def _over(
    incident: Incident, event: IncidentResolved | IncidentClosed | IncidentCancelled
) -> Incident:
    match event:
        case IncidentResolved():
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
        case IncidentClosed():
            said = _said(incident, "close", event.note)
            return changed(
                incident, status=Status.CLOSED, closed_at=event.at, said=said
            )
        case IncidentCancelled():
            return changed(
                incident,
                status=Status.CANCELLED,
                cancelled_at=event.at,
                cancelled_because=event.reason,
                said=_said(incident, "cancel", event.note),
            )
        case _:
            assert_never(event)


def _said(
    incident: Incident, verb: str, words: str | None
) -> frozenset[tuple[str, str]]:
    return incident.said | {(verb, words)} if words else incident.said


def _acknowledged(incident: Incident, event: IncidentAcknowledged) -> Incident:
    paused = incident.status is Status.PAUSED
    return changed(
        incident,
        status=Status.PAUSED if paused else Status.ACKNOWLEDGED,
        acknowledged_by=event.by,
        acknowledged_at=event.at,
    )


def _reopened(incident: Incident, event: IncidentReopened) -> Incident:
    return _fired(
        incident,
        event.signal_key,
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
