"""Decides who is notified of what: users of each visible change, staff of their tasks.

An event causes a notice once, when it is read or decided; notification requests follow
from that. Among events of the same instant only the last is announced: resolved, not
restored.

Users of an open incident are also notified of its problem's newest workaround, each
once, whatever the order of workaround, link and user.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.escalation.rules.case import Case, PendingNotice
from services.escalation.rules.contact_rules import (
    after_request,
    requests_by_rules,
    unreachable,
    with_plan,
)
from services.escalation.rules.context import Due, EscalationContext
from services.escalation.rules.requests import CALLS, request_of
from shared.domain.events import AnyEvent
from shared.domain.events.change import ChangeAssigned
from shared.domain.events.event import Event
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentInformed,
    IncidentPaused,
    IncidentRedirected,
    IncidentReminded,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.events.incident_ties import IncidentMerged
from shared.domain.events.notification import (
    Kind,
    NotificationPlanned,
    NotificationRequested,
)
from shared.domain.events.problem import ProblemAssigned, ProblemWorkaroundPublished
from shared.domain.events.sla import (
    SlaBreached,
    SlaExtensionAccepted,
    SlaExtensionProposed,
)
from shared.domain.identifiers import problem_stream
from shared.domain.policy.document import Policy
from shared.eventlog.entry import Entry

_SUPERSEDED: frozenset[Kind] = frozenset({"taken", "restored"})
"""Kinds that are not sent if a stronger event follows at the same instant."""


def with_notices(case: Case, *notices: PendingNotice) -> Case:
    """Return the case with these notices added, except those without recipients."""
    kept = tuple(each for each in notices if each.people != () or each.channel)
    return replace(case, to_tell=(*case.to_tell, *kept)) if kept else case


def without_superseded(case: Case, event: AnyEvent, at: datetime) -> Case:
    """Return the case without notices that `event`, of the same instant, supersedes."""
    left = tuple(
        notice
        for notice in case.to_tell
        if not (notice.last_at == at and _supersedes(event, notice.kind))
    )
    return case if left == case.to_tell else replace(case, to_tell=left)


def requested(case: Case, event: NotificationRequested) -> Case:
    """Return the case after a request: that notice is no longer waiting."""
    left = tuple(
        notice
        for notice in case.to_tell
        if (notice.stream, notice.version, notice.kind, notice.team_channel)
        != (event.cause_stream, event.cause_version, event.kind, event.team_channel)
    )
    case = after_request(case, event)
    heard = case.heard
    if event.kind == "problem_workaround" and event.person:
        heard = (*heard, (event.cause_stream, event.cause_version, event.person))
    return replace(case, to_tell=left, heard=heard)


def planned(case: Case, event: NotificationPlanned) -> Case:
    """Return the case after a plan: its notice waits no more, and later ones do."""
    cause = (event.cause_stream, event.cause_version, event.kind)
    left = tuple(
        notice
        for notice in case.to_tell
        if (notice.stream, notice.version, notice.kind) != cause
    )
    return with_plan(replace(case, to_tell=left), event)


def notification_requests(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the requests for all waiting notices."""
    for notice in case.to_tell:
        if notice.kind in _SUPERSEDED:
            following = known.rest_of_moment(
                notice.stream, notice.version, notice.last_at
            )
            if any(_supersedes(event, notice.kind) for event in following):
                continue  # that event is read next, and drops this notice
        yield _request(case, notice, known)


def _supersedes(event: AnyEvent, kind: Kind) -> bool:
    match event:
        case IncidentResolved():
            return kind in _SUPERSEDED
        case IncidentRestored() | IncidentInformed() | IncidentPaused(reason="user"):
            return kind == "taken"
        case _:
            return False


def _request(case: Case, notice: PendingNotice, known: EscalationContext) -> Due:
    policy = known.policy_of(case.policy if notice.policy is None else notice.policy)
    people = () if notice.channel else notice.people or _staff(case, notice, policy)

    def events(at: datetime) -> Sequence[AnyEvent]:
        if notice.channel:
            return [request_of(case, notice, at, None)]
        if notice.kind not in CALLS or notice.quiet:
            return [request_of(case, notice, at, person) for person in people]
        calls = requests_by_rules(case, notice, at, people, known)
        if known.webhook:
            calls.append(request_of(case, notice, at, None))
        return [*calls, *unreachable(case, notice, at, people, known)]

    return Due(case.changed_at, events)


def _staff(case: Case, notice: PendingNotice, policy: Policy) -> tuple[str, ...]:
    """Return the staff whom the policy names for a notice without recipients."""
    team = notice.team or _problem_team(case, notice.kind)
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


def with_notices_of(  # noqa: PLR0911 one return an event
    before: Case | None, case: Case, entry: Entry
) -> Case:
    """Return the case with the notices an entry causes; `case` already includes it."""
    event, at = entry.event, entry.recorded_at
    case = without_superseded(case, event, at)
    known = before.reporters if before else ()
    fresh = tuple(each for each in case.own_reporters if each not in known)
    if fresh:
        case = with_notices(case, _notice("receipt", entry, fresh))
        return replace(case, received=(fresh, at))
    match event:
        case SlaBreached(target="update"):
            return with_notices(case, _notice("update_due", entry, None))
        case IncidentReminded(person=person):
            return with_notices(case, _notice("reminder", entry, (person,)))
        case SlaExtensionProposed(asked=people):
            return with_notices(case, _notice("extension", entry, people))
        case SlaExtensionAccepted(accepted_by=person) if event.by != f"person:{person}":
            # Somebody else recorded the answer: the user can object if it is wrong.
            return with_notices(case, _notice("agreed", entry, (person,)))
        case ProblemAssigned(team=team) | ChangeAssigned(team=team):
            notice = _notice("routed", entry, None)
            return with_notices(case, notice._replace(team=team, policy=event.policy))
        case _:
            return _for_reporters(case, entry)


def _for_reporters(case: Case, entry: Entry) -> Case:
    """Return the case with a notice to all reporters."""
    event, at = entry.event, entry.recorded_at
    kind = _kind(event)
    if kind is None:
        return case
    people = case.reporters
    if kind == "taken":
        people = tuple(each for each in people if each not in _received(case, at))
    return with_notices(case, _notice(kind, entry, people))


def _notice(kind: Kind, entry: Entry, people: tuple[str, ...] | None) -> PendingNotice:
    return PendingNotice(kind, entry.stream, entry.version, people, entry.recorded_at)


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
            return _KINDS.get(type(event))


_KINDS: Mapping[type[Event], Kind] = {
    IncidentAcknowledged: "taken",
    IncidentInformed: "update",
    IncidentRestored: "restored",
    IncidentResolved: "resolved",
    IncidentReopened: "reopened",
    IncidentCancelled: "cancelled",
    IncidentRedirected: "redirected",
    IncidentMerged: "merged",
}


def with_workaround(
    case: Case, event: ProblemWorkaroundPublished, version: int
) -> Case:
    """Return the case after a workaround, if it is for a problem of this incident."""
    if event.problem not in case.problems:
        return case
    return replace(case, workarounds={**case.workarounds, event.problem: version})


def workaround_requests(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the requests for workarounds that a user has not been notified of."""
    if case.stage != "at_work":
        return
    for problem in case.problems:
        version = _newest(case, problem, known)
        if version is None:
            continue
        stream = problem_stream(problem)
        left = tuple(
            p for p in case.reporters if (stream, version, p) not in case.heard
        )
        if left:
            notice = PendingNotice(
                "problem_workaround", stream, version, left, case.changed_at
            )
            yield _request(case, notice, known)


def _newest(case: Case, problem: str, known: EscalationContext) -> int | None:
    """Return the version of the newest workaround in the stream of a problem."""
    if problem in case.workarounds:
        return case.workarounds[problem]
    position = case.joined.get(problem)
    return None if position is None else known.workaround(problem, position)
