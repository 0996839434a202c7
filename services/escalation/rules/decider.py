"""Puts the rules of escalation in order and folds other services' events into a case.

Pure: instants, policies and everything looked up are arguments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Literal, assert_never

from services.escalation.acknowledgements.rules import (
    acknowledgement_lapses,
    with_update,
)
from services.escalation.rules.acceptances import acceptances
from services.escalation.rules.case import (
    Alarm,
    Case,
    Claim,
    Handover,
    LevelSearch,
    Standing,
    StoppedTime,
    Tip,
)
from services.escalation.rules.contact_rules import (
    alarms_of_pages,
    planned_requests,
    without_pages,
)
from services.escalation.rules.context import Due, EscalationContext
from services.escalation.rules.handover import handing_over, tied, with_proposal
from services.escalation.rules.levels import automatic_escalations, level_moves
from services.escalation.rules.manager_notices import exhaustions, manager_notices
from services.escalation.rules.notification_requests import (
    notification_requests,
    with_notices_of,
    with_workaround,
    workaround_requests,
)
from services.escalation.rules.paging import pages
from services.escalation.rules.recurrence import problem_suggestions
from shared.domain import events
from shared.domain.incident.case import classified_fields, counts_from, opened_fields
from shared.domain.incident.deliveries import OpenQuestion
from shared.domain.incident.state import after_contact, begun
from shared.domain.sla import whole
from shared.eventlog.entry import Entry


def decide(
    case: Case, until: datetime, at: datetime, known: EscalationContext
) -> Sequence[events.AnyEvent]:
    """Return the events due at `until` and not recorded yet, those due first only.

    Among events due at the same instant, notifications come first, then the rules in
    the order of `_all`.
    """
    dues = [*_all(case, known)]
    first = min(dues, key=_when, default=None)
    if first is None or first.when > until:
        return ()
    if first.last is None:
        return first.events(at)
    others = (each.when - _INSTANT for each in dues if each is not first)
    return first.last(min((until, *others))).events(at)


def next_at(case: Case, known: EscalationContext) -> datetime | None:
    """Return when the next events are due if nothing else happens."""
    first = min(_all(case, known), key=_when, default=None)
    return first.when if first else None


_when = attrgetter("when")
_INSTANT = timedelta(seconds=1)
"""Instants of rules are whole seconds."""


def _all(case: Case, known: EscalationContext) -> Iterator[Due]:
    return chain(
        notification_requests(case, known),
        level_moves(case, known),
        workaround_requests(case, known),
        acceptances(case, known),
        acknowledgement_lapses(case, known),
        automatic_escalations(case, known),
        pages(case, known),
        planned_requests(case, known),
        alarms_of_pages(case, known),
        exhaustions(case, known),
        manager_notices(case, known),
        handing_over(case, known),
        problem_suggestions(case, known),
    )


_Worked = (
    events.IncidentAcknowledged
    | events.IncidentAssigned
    | events.IncidentPaused
    | events.IncidentResumed
    | events.IncidentRestored
    | events.IncidentRelapsed
)
_PERSON = "person:"
STANDINGS_MAX = 50
"""Changes of priority or service that are kept: the newest."""


def _after_work(  # noqa: PLR0911 one return a case
    case: Case, event: _Worked, at: datetime
) -> Case:
    """Return the case after somebody worked on the incident."""
    match event:
        case events.IncidentAcknowledged(by=by):
            claim = _claim(case, by.removeprefix(_PERSON), "acknowledged")
            return replace(case, taken=True, urgent_since=None, claim=claim)
        case events.IncidentAssigned(team=team, assignee=assignee):
            holders = case.held_by(team, at)
            given = replace(
                _given_to(case, team, at),
                moves_to=team,
                assignee=assignee,
                holders=holders,
            )
            if assignee is None:
                return given
            return replace(given, claim=_claim(given, assignee, "assigned"))
        case events.IncidentPaused(reason=reason):
            return replace(case, pause=reason, paused_at=at)
        case events.IncidentResumed():
            return replace(_resumed(case, at), question=None)
        case events.IncidentRestored():
            return replace(case, restored_at=case.restored_at or at)
        case events.IncidentRelapsed():
            return _relapsed(case, at)
        case _:
            assert_never(event)


def _claim(case: Case, person: str, how: Literal["acknowledged", "assigned"]) -> Claim:
    return Claim(person, how, was_paged=person in case.post.ever_asked)


def _given_to(case: Case, team: str, at: datetime) -> Case:
    """Return the case with a team: another one of the same level is paged afresh.

    One of another level is paged by the move that follows.
    """
    post = case.post
    if post.level == "n1" or team == post.team:
        return replace(case, post=replace(post, team=team))
    # Nobody accepted in vain: the stay that they ended is not held against the next.
    counts_from = at if post.accepted_by else post.counts_from
    afresh = LevelSearch(
        post.level,
        team,
        at,
        counts_from,
        at,
        returns=post.returns,
        given=post.given + 1,
    )
    return replace(without_pages(case), post=afresh, claim=None)


def _after_end(  # noqa: PLR0911 one return a case
    case: Case, event: events.AnyEvent, at: datetime
) -> Case:
    """Return the case after an event that ends an incident or reopens it."""
    match event:
        case events.IncidentResolved():
            return replace(case, stage="resolved")
        case events.IncidentClosed():
            return replace(case, stage="closed")
        case events.IncidentCancelled() | events.IncidentRedirected():
            return replace(case, stage="cancelled")
        case events.IncidentMerged():
            return replace(case, stage="merged", merged_at=at)
        case events.IncidentUnmerged():
            shifted = _searched_later(case, case.merged_at, at)
            return replace(shifted, stage="at_work", merged_at=None)
        case events.IncidentReopened():
            return _reopened(case, event, at)
        case _:
            return case


def _resumed(case: Case, at: datetime) -> Case:
    if case.pause is None or case.paused_at is None:
        return case
    stood = StoppedTime(case.paused_at, at, case.pause)
    return replace(case, pause=None, paused_at=None, stood=(*case.stood, stood))


def _relapsed(case: Case, at: datetime) -> Case:
    if case.restored_at is None:
        return case
    stood = StoppedTime(case.restored_at, at, "restored")
    shifted = _searched_later(case, case.restored_at, at)
    return replace(shifted, restored_at=None, stood=(*case.stood, stood))


def _searched_later(case: Case, since: datetime | None, until: datetime) -> Case:
    """Continue paging where it stopped: the time without paging does not count."""
    if since is None:
        return case
    begun = max(since, case.post.searched_from)
    standings = tuple(
        each._replace(since=each.since + (until - max(since, each.since)))
        for each in case.standings
    )
    planned = tuple(
        each.later_by(until - since) if each.notice.is_settled_by_acceptance else each
        for each in case.planned
    )
    return replace(
        case,
        post=case.post.later_by(until - begun),
        standings=standings,
        planned=planned,
    )


def _reopened(case: Case, event: events.IncidentReopened, at: datetime) -> Case:
    return replace(
        without_pages(case),
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
        question=None,
        restored_at=None,
        alarm=None,
    )


def react(case: Case | None, entry: Entry) -> Case | None:
    """Return the case after an entry; None before the incident was opened."""
    event = entry.event
    if isinstance(event, events.IncidentOpened):
        return with_notices_of(None, _opened(event, whole(entry.recorded_at)), entry)
    if case is None:
        return None
    at = whole(entry.recorded_at)
    before = replace(
        case.with_question(event, at),
        changed_at=at,
        tip=_tip(event, at, entry.position),
    )
    match event:
        case (
            events.ProblemIdentified(problem=problem, incident=other)
            | events.ProblemIncidentLinked(problem=problem, incident=other)
        ) if other != case.incident:
            return with_proposal(before, problem)
        case events.ProblemWorkaroundPublished():
            after = with_workaround(before, event, entry.version)
        case _:
            folded = _folded(before, entry, at)
            after = with_update(case, folded, event)
    return with_notices_of(case, after, entry)


def _tip(event: events.AnyEvent, at: datetime, position: int) -> Tip | None:
    match event:
        case events.SlaBreached(target="ttr", breached_at=since):
            return Tip(position, event.policy, since, at)
        case events.SlaOverran(target="ttr", done_at=since):
            return Tip(position, event.policy, since, at)
        case events.IncidentRestored():
            return Tip(position, event.policy, at, at, is_back=True)
        case _:
            return None


def _opened(event: events.IncidentOpened, at: datetime) -> Case:
    return Case(
        **opened_fields(event),
        changed_at=at,
        desk_team=event.team,
        post=LevelSearch("n1", event.team, at, counts_from(event, at), at),
        holders=begun(event.team),
        urgent_since=at if event.priority == "p1" else None,
        standings=(Standing(event.priority, event.service, at),),
    )


def _folded(  # noqa: PLR0911 one return a case
    case: Case, entry: Entry, at: datetime
) -> Case:
    event, position = entry.event, entry.position
    match event:
        case events.IncidentPaused(awaits_delivery=True):
            return replace(_resumed(case, at), question=OpenQuestion(entry.version))
        case (
            events.IncidentAcknowledged()
            | events.IncidentAssigned()
            | events.IncidentPaused()
            | events.IncidentResumed()
            | events.IncidentRestored()
            | events.IncidentRelapsed()
        ):
            return _after_work(case, event, at)
        case (
            events.IncidentContacted()
            | events.IncidentAbsorbed()
            | events.IncidentReleased()
        ):
            return _reported(case, event)
        case events.IncidentClassified():
            return _classified(case, event, at)
        case events.SlaWarned() | events.SlaBreached():
            return _alarmed(case, event, at, position)
        case (
            events.IncidentLinked(relation="problem")
            | events.IncidentUnlinked(relation="problem")
            | events.ProblemIdentified()
            | events.ProblemIncidentLinked()
            | events.ProblemIncidentUnlinked(relation="problem")
        ):
            return tied(case, event, position)
        case _:
            return _after_end(case, event, at)


def _reported(
    case: Case,
    event: events.IncidentContacted | events.IncidentAbsorbed | events.IncidentReleased,
) -> Case:
    after = case.with_reporters(event)
    if isinstance(event, events.IncidentContacted):
        return replace(after, noticed=after_contact(after.noticed, event))
    return after


def _classified(case: Case, event: events.IncidentClassified, at: datetime) -> Case:
    urgent = event.priority == "p1" and not case.taken
    after = replace(
        case,
        **classified_fields(event),
        urgent_since=(case.urgent_since or at) if urgent else None,
    )
    if (after.priority, after.service) == (case.priority, case.service):
        return after
    newest = Standing(after.priority, after.service, at)
    return replace(after, standings=(*case.standings, newest)[-STANDINGS_MAX:])


def _alarmed(
    case: Case,
    event: events.SlaWarned | events.SlaBreached,
    at: datetime,
    position: int,
) -> Case:
    if event.target not in {"tto", "ttr"}:
        return case
    case = replace(case, alarm=_alarm(event))
    if event.target != "ttr" or isinstance(event, events.SlaWarned) or case.handover:
        return case
    wanted = Handover(event.cycle, event.breached_at, at, position)
    return replace(case, handover=wanted)


def _alarm(event: events.SlaWarned | events.SlaBreached) -> Alarm:
    on = _TRIGGERS[event.target, isinstance(event, events.SlaWarned)]
    match event:
        case events.SlaBreached(breached_at=since):
            return Alarm(on, None, event.cycle, since)
        case events.SlaWarned(percent=percent, warned_at=since):
            offset = (event.after_seconds or 0) - (event.before_seconds or 0)
            from_due = None if percent is not None else offset
            return Alarm(on, percent, event.cycle, since, from_due, event.retargets)
        case _:
            assert_never(event)


_TRIGGERS: dict[tuple[str, bool], events.Trigger] = {
    ("tto", True): "tto_warning",
    ("tto", False): "tto_breach",
    ("ttr", True): "ttr_warning",
    ("ttr", False): "ttr_breach",
}
