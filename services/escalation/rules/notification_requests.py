"""Decides who is notified of what: users of each visible change, staff of their tasks.

An event becomes news once, when it is read or decided; notification requests follow
from that. Among events of the same instant only the last is announced: resolved, not
restored.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.escalation.rules.case import Case, Tell
from services.escalation.rules.context import Due, EscalationContext, on
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
from shared.domain.events.notification import Channel, Kind, NotificationRequested
from shared.domain.events.problem import ProblemAssigned
from shared.domain.events.sla import (
    SlaBreached,
    SlaExtensionAccepted,
    SlaExtensionProposed,
)
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry

NAMESPACE = uuid.UUID("0d7f6a52-3c1b-4f0e-8a63-5b7f0e9d2c41")
"""Namespace of keys: a repeat of a notification to a person has the same key."""
CALLS: frozenset[Kind] = frozenset(
    {"page", "manager", "handover", "service_handover", "routed"}
)
"""Kinds that are sent to the receiver of pages as well."""
STAFF: frozenset[Kind] = CALLS | {"suggestion", "update_due"}
_OUTDONE: frozenset[Kind] = frozenset({"taken", "restored"})
"""Kinds that are not sent if a stronger event follows at the same instant."""


def with_news(case: Case, *news: Tell) -> Case:
    """Return the case with these notices added, except those without recipients."""
    worth = tuple(tell for tell in news if tell.people != ())
    return replace(case, to_tell=(*case.to_tell, *worth)) if worth else case


def without_outdone(case: Case, event: AnyEvent, at: datetime) -> Case:
    """Return the case without notices that `event`, of the same instant, supersedes."""
    left = tuple(
        tell
        for tell in case.to_tell
        if not (tell.last_at == at and _outdoes(event, tell.kind))
    )
    return case if left == case.to_tell else replace(case, to_tell=left)


def told(case: Case, event: NotificationRequested) -> Case:
    """Return the case after a request: that notice is no longer waiting."""
    left = tuple(
        tell
        for tell in case.to_tell
        if (tell.stream, tell.version, tell.kind)
        != (event.cause_stream, event.cause_version, event.kind)
    )
    heard = case.heard
    if event.kind == "problem_workaround" and event.person:
        heard = (*heard, (event.cause_stream, event.cause_version, event.person))
    return replace(case, to_tell=left, heard=heard)


def telling(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the requests for all waiting notices."""
    for tell in case.to_tell:
        if tell.kind in _OUTDONE:
            following = known.rest_of_moment(tell.stream, tell.version, tell.last_at)
            if any(_outdoes(event, tell.kind) for event in following):
                continue  # that event is read next, and drops this notice
        yield _request(case, tell, known)


def key_of(
    stream: str, version: int, person: str | None, channel: str, kind: Kind
) -> str:
    """Return the key of one notification."""
    told_of = "|".join((stream, str(version), person or "", channel, kind))
    return str(uuid.uuid5(NAMESPACE, told_of))


def _outdoes(event: AnyEvent, kind: Kind) -> bool:
    match event:
        case IncidentResolved():
            return kind in _OUTDONE
        case IncidentRestored() | IncidentInformed() | IncidentPaused(reason="user"):
            return kind == "taken"
        case _:
            return False


def _request(case: Case, tell: Tell, known: EscalationContext) -> Due:
    policy = known.policy_of(case.policy if tell.policy is None else tell.policy)
    people = tell.people or _staff(case, tell, policy)

    def events(at: datetime) -> Sequence[NotificationRequested]:
        mails = [_one(case, tell, at, person) for person in people]
        if known.webhook and tell.kind in CALLS:
            return [*mails, _one(case, tell, at, None)]
        return mails

    return Due(case.changed_at, events)


def _staff(case: Case, tell: Tell, policy: Policy) -> tuple[str, ...]:
    """Return the staff whom the policy names for a notice without recipients."""
    team = tell.team or _problem_team(case, tell.kind)
    if team is not None:
        return tuple(dict.fromkeys(policy.teams[team].members))
    if case.assignee is not None:
        return (case.assignee,)
    return (policy.teams[policy.team_of_first_contact].manager,)


def _problem_team(case: Case, kind: Kind) -> str | None:
    if kind == "handover" and case.handover:
        return case.handover.team
    if kind == "service_handover" and case.service_handover:
        return case.service_handover.team
    return case.suggested if kind == "suggestion" else None


def _one(
    case: Case, tell: Tell, at: datetime, person: str | None
) -> NotificationRequested:
    channel: Channel = "mail" if person else "webhook"
    common = on(case, at)
    if tell.policy is not None:
        common["policy"] = tell.policy
    return NotificationRequested(
        **common,
        key=key_of(tell.stream, tell.version, person, channel, tell.kind),
        kind=tell.kind,
        audience="staff" if tell.kind in STAFF else "user",
        channel=channel,
        person=person,
        cause_stream=tell.stream,
        cause_version=tell.version,
    )


def with_news_of(before: Case | None, case: Case, entry: Entry) -> Case:
    """Return the case with the notices an entry causes; `case` already includes it."""
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
            # Somebody else recorded the answer: the user can object if it is wrong.
            return with_news(case, _tell("agreed", entry, (person,)))
        case ProblemAssigned(team=team) | ChangeAssigned(team=team):
            tell = _tell("routed", entry, None)
            return with_news(case, tell._replace(team=team, policy=event.policy))
        case _:
            return _of_all(case, entry)


def _of_all(case: Case, entry: Entry) -> Case:
    """Return the case with a notice to all reporters."""
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
    """Return who got a receipt at the same instant, which says the desk took it on."""
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
