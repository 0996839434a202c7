"""Puts the rules of escalation in order and folds other services' events into a case.

Pure: instants, policies and everything looked up are arguments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Literal, assert_never

from services.escalation.rules.case import (
    Alarm,
    Case,
    Claim,
    Handover,
    LevelSearch,
    ProblemAnswer,
    Stood,
    Tip,
)
from services.escalation.rules.context import Due, EscalationContext
from services.escalation.rules.handover import handing_over, handing_over_service
from services.escalation.rules.hierarchical_escalation import raising
from services.escalation.rules.levels import leaving, moving
from services.escalation.rules.notification_requests import telling, with_news_of
from services.escalation.rules.paging import accepting, paging
from services.escalation.rules.recurrence import suggesting
from services.escalation.rules.workarounds import published, telling_workarounds
from shared.domain.events import AnyEvent
from shared.domain.events.escalation import Trigger
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentContacted,
    IncidentOpened,
    IncidentPaused,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
)
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentReleased,
    IncidentUnlinked,
    IncidentUnmerged,
)
from shared.domain.events.problem import (
    ProblemIdentified,
    ProblemIncidentLinked,
    ProblemIncidentUnlinked,
    ProblemWorkaroundPublished,
)
from shared.domain.events.sla import SlaBreached, SlaOverran, SlaWarned
from shared.domain.incident.state import after_contact, begun, opened_by
from shared.domain.sla import whole
from shared.eventlog.entry import Entry


def decide(
    case: Case, until: datetime, at: datetime, known: EscalationContext
) -> Sequence[AnyEvent]:
    """Return the events due at `until` and not recorded yet, those due first only.

    Among events due at the same instant, notifications come first, then the rules in
    the order of `_all`.
    """
    first = _first(case, known)
    return first.events(at) if first and first.when <= until else ()


def next_at(case: Case, known: EscalationContext) -> datetime | None:
    """Return when the next events are due if nothing else happens."""
    first = _first(case, known)
    return first.when if first else None


def _first(case: Case, known: EscalationContext) -> Due | None:
    return min(_all(case, known), key=lambda due: due.when, default=None)


def _all(case: Case, known: EscalationContext) -> Iterator[Due]:
    return chain(
        telling(case, known),
        moving(case, known),
        telling_workarounds(case, known),
        accepting(case, known),
        leaving(case, known),
        paging(case, known),
        raising(case, known),
        handing_over(case, known),
        handing_over_service(case, known),
        suggesting(case, known),
    )


Worked = (
    IncidentAcknowledged
    | IncidentAssigned
    | IncidentPaused
    | IncidentResumed
    | IncidentRestored
    | IncidentRelapsed
)
_PERSON = "person:"


def worked(  # noqa: PLR0911 one return a case
    case: Case, event: Worked, at: datetime
) -> Case:
    """Return the case after somebody worked on the incident."""
    match event:
        case IncidentAcknowledged(by=by):
            claim = Claim(by.removeprefix(_PERSON), "acknowledged")
            return replace(case, taken=True, urgent_since=None, claim=claim)
        case IncidentAssigned(team=team, assignee=assignee):
            post = replace(case.post, team=team)
            holders = case.held_by(team, at)
            given = replace(
                case, moves_to=team, assignee=assignee, post=post, holders=holders
            )
            if assignee is None:
                return given
            return replace(given, claim=Claim(assignee, "assigned"))
        case IncidentPaused(reason=reason):
            return replace(case, pause=reason, paused_at=at)
        case IncidentResumed():
            return _resumed(case, at)
        case IncidentRestored():
            return replace(case, restored_at=case.restored_at or at)
        case IncidentRelapsed():
            return _back_down(case, at)
        case _:
            assert_never(event)


def over(  # noqa: PLR0911 one return a case
    case: Case, event: AnyEvent, at: datetime
) -> Case:
    """Return the case after an event that ends an incident or reopens it."""
    match event:
        case IncidentResolved():
            return replace(case, stage="resolved")
        case IncidentClosed():
            return replace(case, stage="closed")
        case IncidentCancelled():
            return replace(case, stage="cancelled")
        case IncidentMerged():
            return replace(case, stage="merged", merged_at=at)
        case IncidentUnmerged():
            shifted = _searched_later(case, case.merged_at, at)
            return replace(shifted, stage="at_work", merged_at=None)
        case IncidentReopened():
            return _anew(case, event, at)
        case _:
            return case


def _resumed(case: Case, at: datetime) -> Case:
    if case.pause is None or case.paused_at is None:
        return case
    stood = Stood(case.paused_at, at, case.pause)
    return replace(case, pause=None, paused_at=None, stood=(*case.stood, stood))


def _back_down(case: Case, at: datetime) -> Case:
    if case.restored_at is None:
        return case
    stood = Stood(case.restored_at, at, "restored")
    shifted = _searched_later(case, case.restored_at, at)
    return replace(shifted, restored_at=None, stood=(*case.stood, stood))


def _searched_later(case: Case, since: datetime | None, until: datetime) -> Case:
    """Continue paging where it stopped: the time without paging does not count."""
    if since is None:
        return case
    begun = max(since, case.post.searched_from)
    later = case.post.searched_from + (until - begun)
    return replace(case, post=replace(case.post, searched_from=later))


def _anew(case: Case, event: IncidentReopened, at: datetime) -> Case:
    return replace(
        case,
        stage="at_work",
        cycle=event.cycle,
        post=LevelSearch("n1", case.desk_team, at, at, at),
        urgent_since=at if case.priority == "p1" else None,
        taken=False,
        moves_to=None,
        holders=begun(case.desk_team),
        claim=None,
        pause=None,
        paused_at=None,
        restored_at=None,
        alarm=None,
    )


def react(case: Case | None, entry: Entry) -> Case | None:
    """Return the case after an entry; None before the incident was opened."""
    event = entry.event
    if isinstance(event, IncidentOpened):
        return with_news_of(None, _opened(event, whole(entry.recorded_at)), entry)
    if case is None:
        return None
    at = whole(entry.recorded_at)
    before = replace(case, changed_at=at, tip=_tip(event, at, entry.position))
    match event:
        case ProblemWorkaroundPublished():
            after = published(before, event, entry.version)
        case _:
            after = _folded(before, event, at, entry.position)
    return with_news_of(case, after, entry)


def _tip(event: AnyEvent, at: datetime, position: int) -> Tip | None:
    match event:
        case SlaBreached(target="ttr", breached_at=since):
            return Tip(position, event.policy, since, at)
        case SlaOverran(target="ttr", done_at=since):
            return Tip(position, event.policy, since, at)
        case IncidentRestored():
            return Tip(position, event.policy, at, at, is_back=True)
        case _:
            return None


def _opened(event: IncidentOpened, at: datetime) -> Case:
    # A split-off incident keeps its report time, but counts at n1 from the split.
    counts_from = at if event.split_from else min(whole(event.reported_at), at)
    return Case(
        incident=event.incident,
        policy=event.policy,
        service=event.service,
        client=event.client,
        priority=event.priority,
        reported_at=whole(event.reported_at),
        changed_at=at,
        desk_team=event.team,
        post=LevelSearch("n1", event.team, at, counts_from, at),
        holders=begun(event.team),
        urgent_since=at if event.priority == "p1" else None,
        own_reporters=(event.reporter,) if event.reporter else (),
        noticed=opened_by(event),
    )


def _folded(case: Case, event: AnyEvent, at: datetime, position: int) -> Case:
    match event:
        case (
            IncidentAcknowledged()
            | IncidentAssigned()
            | IncidentPaused()
            | IncidentResumed()
            | IncidentRestored()
            | IncidentRelapsed()
        ):
            return worked(case, event, at)
        case IncidentContacted(
            direction="inbound", person=person, unconfirmed=None | False
        ):
            own = dict.fromkeys((*case.own_reporters, person))
            noticed = after_contact(case.noticed, event)
            return replace(case, own_reporters=tuple(own), noticed=noticed)
        case IncidentClassified():
            return _classified(case, event, at)
        case SlaWarned() | SlaBreached():
            return _alarmed(case, event, at, position)
        case (
            IncidentAbsorbed()
            | IncidentReleased()
            | IncidentLinked(relation="problem")
            | IncidentUnlinked(relation="problem")
            | ProblemIdentified()
            | ProblemIncidentLinked()
            | ProblemIncidentUnlinked(relation="problem")
        ):
            return _tied(case, event, position)
        case _:
            return over(case, event, at)


def _classified(case: Case, event: IncidentClassified, at: datetime) -> Case:
    urgent = event.priority == "p1" and not case.taken
    return replace(
        case,
        service=event.service,
        client=event.client,
        priority=event.priority,
        urgent_since=(case.urgent_since or at) if urgent else None,
    )


def _tied(  # noqa: PLR0911 one return a case
    case: Case, event: AnyEvent, position: int
) -> Case:
    match event:
        case IncidentAbsorbed(merged=merged, reporters=reporters):
            return replace(case, absorbed={**case.absorbed, merged: tuple(reporters)})
        case IncidentReleased(merged=merged):
            left = {ref: them for ref, them in case.absorbed.items() if ref != merged}
            return replace(case, absorbed=left)
        case IncidentLinked(target=problem):
            return _with_problem(case, problem, position)
        case (
            IncidentUnlinked(target=problem) | ProblemIncidentUnlinked(problem=problem)
        ):
            return _without_problem(case, problem)
        case ProblemIdentified(problem=problem):
            answered = _answered(case, "accepted", problem)
            return _with_problem(answered, problem, position)
        case ProblemIncidentLinked(problem=problem):
            answered = _answered(case, "joined", problem)
            return _with_problem(answered, problem, position)
        case _:
            return case


def _with_problem(case: Case, problem: str, position: int) -> Case:
    if problem in case.problems:
        return case  # the other side of the same link
    joined = {**case.joined, problem: position}
    parted = tuple(each for each in case.parted if each != problem)
    problems = (*case.problems, problem)
    return replace(case, problems=problems, joined=joined, parted=parted)


def _without_problem(case: Case, problem: str) -> Case:
    handover = case.handover
    if handover is not None and handover.joined == problem:
        handover = replace(handover, undone=True)
    return replace(
        case,
        handover=handover,
        parted=tuple(dict.fromkeys((*case.parted, problem))),
        problems=tuple(each for each in case.problems if each != problem),
        joined={ref: at for ref, at in case.joined.items() if ref != problem},
        workarounds={ref: n for ref, n in case.workarounds.items() if ref != problem},
    )


def _answered(case: Case, how: Literal["accepted", "joined"], problem: str) -> Case:
    own, service = case.handover, case.service_handover
    if own is not None and own.awaits:
        answer = ProblemAnswer(how, problem)
        case = replace(case, handover=replace(own, answer=answer))
        how = "joined"  # found for the incident, it covers its service as well
    if service is not None and service.awaits:
        service = replace(service, answer=ProblemAnswer(how, problem))
        case = replace(case, service_handover=service)
    return case


def _alarmed(
    case: Case, event: SlaWarned | SlaBreached, at: datetime, position: int
) -> Case:
    if event.target not in {"tto", "ttr"}:
        return case
    case = replace(case, alarm=_alarm(event))
    if event.target != "ttr" or isinstance(event, SlaWarned) or case.handover:
        return case
    wanted = Handover(event.cycle, event.breached_at, at, position)
    return replace(case, handover=wanted)


def _alarm(event: SlaWarned | SlaBreached) -> Alarm:
    on = _TRIGGERS[event.target, isinstance(event, SlaWarned)]
    match event:
        case SlaBreached(breached_at=since):
            return Alarm(on, None, event.cycle, since)
        case SlaWarned(percent=percent, warned_at=since):
            offset = (event.after_seconds or 0) - (event.before_seconds or 0)
            from_due = None if percent is not None else offset
            return Alarm(on, percent, event.cycle, since, from_due, event.retargets)
        case _:
            assert_never(event)


_TRIGGERS: dict[tuple[str, bool], Trigger] = {
    ("tto", True): "tto_warning",
    ("tto", False): "tto_breach",
    ("ttr", True): "ttr_warning",
    ("ttr", False): "ttr_breach",
}
