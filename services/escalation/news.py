"""What in the events of others is news for users and staff."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.escalation.case import Case, Tell
from services.escalation.telling import with_news, without_outdone
from shared.domain.events import AnyEvent
from shared.domain.events.change import ChangeAssigned
from shared.domain.events.event import Event
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentInformed,
    IncidentPaused,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.events.incident_ties import IncidentMerged
from shared.domain.events.notification import Kind
from shared.domain.events.problem import ProblemAssigned
from shared.domain.events.sla import (
    SlaBreached,
    SlaExtensionAccepted,
    SlaExtensionProposed,
)
from shared.eventlog.entry import Entry


def with_news_of(before: Case | None, case: Case, entry: Entry) -> Case:
    """Return the case with what an entry, after which it is `case`, is news to."""
    event, at = entry.event, entry.recorded_at
    case = without_outdone(case, event, at)
    known = before.reporters if before else ()
    fresh = tuple(each for each in case.own_reporters if each not in known)
    if fresh:
        case = with_news(case, _tell("receipt", entry, fresh))
        return replace(case, received=(fresh, at))
    match event:
        case SlaBreached(target="update"):
            return with_news(case, _tell("update_due", entry, None))
        case SlaExtensionProposed(asked=people):
            return with_news(case, _tell("extension", entry, people))
        case SlaExtensionAccepted(accepted_by=person) if event.by != f"person:{person}":
            # Somebody else took it down: they can say if that is not so.
            return with_news(case, _tell("agreed", entry, (person,)))
        case ProblemAssigned(team=team) | ChangeAssigned(team=team):
            tell = _tell("routed", entry, None)
            return with_news(case, tell._replace(team=team, policy=event.policy))
        case _:
            return _of_all(case, entry)


def _of_all(case: Case, entry: Entry) -> Case:
    """Return the case with what everybody who reported it is told of."""
    event, at = entry.event, entry.recorded_at
    kind = _kind(event)
    if kind is None:
        return case
    people = case.reporters
    if kind == "taken":
        people = tuple(each for each in people if each not in _received(case, at))
    return with_news(case, _tell(kind, entry, people))


def _tell(kind: Kind, entry: Entry, people: tuple[str, ...] | None) -> Tell:
    return Tell(kind, entry.stream, entry.version, people, entry.recorded_at)


def _received(case: Case, at: datetime) -> tuple[str, ...]:
    """Return whose receipt is of that very instant: it says that it is taken."""
    if case.received is None or case.received[1] != at:
        return ()
    return case.received[0]


def _kind(event: AnyEvent) -> Kind | None:
    match event:
        case IncidentPaused(reason="user"):
            return "question"
        case _:
            return _NEWS.get(type(event))


_NEWS: Mapping[type[Event], Kind] = {
    IncidentAcknowledged: "taken",
    IncidentInformed: "update",
    IncidentRestored: "restored",
    IncidentResolved: "resolved",
    IncidentReopened: "reopened",
    IncidentCancelled: "cancelled",
    IncidentMerged: "merged",
}
