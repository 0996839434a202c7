"""Applies the service's own decisions to a case, whether new or read from the log."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar, assert_never

from services.escalation.acknowledgements.rules import lapsed, reminded
from services.escalation.rules.case import (
    Acknowledgement,
    Case,
    Handover,
    LevelSearch,
    PendingNotice,
    ProblemAnswer,
    ServiceHandover,
)
from services.escalation.rules.contact_rules import (
    after_acceptance,
    after_decline,
    after_delivery,
    after_failure,
    after_success,
    after_throttling,
    with_page,
    without_pages,
)
from services.escalation.rules.notification_requests import (
    planned,
    requested,
    with_notices,
)
from services.escalation.rules.page_answers import called, declined, paged, skipped
from shared.domain import events
from shared.domain.identifiers import escalation_stream, handover_stream
from shared.domain.sla import whole

_Held = TypeVar("_Held", Handover, ServiceHandover)


def evolve(case: Case, event: events.AnyEvent) -> Case:
    """Return the case after a decision. TypeError for an event of another service."""
    if events.is_escalation_event(event):
        version = case.escalations + 1
        return _sought(replace(case, escalations=version), event)
    if events.is_service_handover(event):
        return _service_handed(replace(case, handovers=case.handovers + 1), event)
    match event:
        case (
            events.HandoverRequested()
            | events.HandoverAccepted()
            | events.HandoverJoined()
            | events.HandoverDeclined()
            | events.HandoverUnanswered()
            | events.HandoverReopened()
            | events.HandoverProposed()
        ):
            version = case.handovers + 1
            return _handed(replace(case, handovers=version), event)
        case _:
            raise TypeError(f"{event.type} is not a decision of this service")


def _sought(  # noqa: C901, PLR0911, PLR0912 one return a case
    case: Case, event: events.EscalationEvent
) -> Case:
    post = case.post
    match event:
        case (
            events.Escalated(escalated_at=at)
            | events.EscalationReturned(returned_at=at)
        ):
            return _moved(case, event, at)
        case events.EscalationPaged():
            done = paged(replace(post, unanswered=False, exhausted_at=None), event)
            return _paged(replace(case, post=done), event)
        case events.EscalationStepSkipped():
            return replace(case, post=skipped(post, event))
        case events.EscalationDeclined(person=person):
            after = replace(case, post=declined(post, event))
            return after_decline(after, person)
        case events.EscalationAnotherRequested():
            return replace(case, post=called(post, event))
        case events.EscalationAccepted():
            return _accepted(case, event)
        case events.EscalationAcknowledgementReminded(person=person):
            return _news(reminded(case), "reminder", (person,))
        case events.EscalationAcknowledgementLapsed():
            return lapsed(case, event)
        case events.EscalationUnanswered(unanswered_at=at):
            return replace(case, post=replace(post, unanswered=True, unanswered_at=at))
        case events.EscalationExhausted():
            return _exhausted(case, event)
        case events.EscalationRaised():
            raised = replace(case, raised=(*case.raised, event.key))
            return _news(raised, "manager", event.people)
        case events.ProblemSuggested():
            return _suggested(case, event)
        case events.EscalationUnreachable(person=person):
            known = replace(case, unreachable=(*case.unreachable, person))
            return _news(known, "unreachable", event.people)
        case events.EscalationNobodyNotified():
            return _news(_alarmed(case, event), "nobody_notified", event.people)
        case (
            events.NotificationPlanned()
            | events.NotificationRequested()
            | events.NotificationThrottled()
            | events.NotificationBundled()
            | events.NotificationSent()
            | events.NotificationConfirmed()
            | events.NotificationDelivered()
            | events.NotificationFailed()
        ):
            asked = case.with_question(event, whole(event.at))
            return _notified(asked, event)
        case _:
            assert_never(event)


def _accepted(case: Case, event: events.EscalationAccepted) -> Case:
    at = whole(event.at) if event.how == "accepted" else case.changed_at
    post = replace(case.post, still_wanted=event.still_wanted or 0)
    if post.accepted_by is None:
        post = replace(post, accepted_by=event.person, accepted_at=at)
    elif event.person not in post.takers:
        also = (*post.also_accepted_by, event.person)
        post = replace(post, also_accepted_by=also)
    held = case.acknowledgement
    if held is None or event.how != "acknowledged":
        held = Acknowledgement(event.person, at, is_acceptance=True)
    accepted = replace(case, post=post, acknowledgement=held)
    accepted = after_acceptance(accepted, event.person)
    notice = _notice(accepted, "taken_by_colleague", event.others_paged or ())
    reached_by = dict(post.team_channels)
    return with_notices(
        accepted,
        notice,
        *(
            notice._replace(people=(), channel=reached_by[name], team_channel=name)
            for name in event.team_channels or ()
            if name in reached_by
        ),
    )


def _exhausted(case: Case, event: events.EscalationExhausted) -> Case:
    at = event.exhausted_at
    post = replace(
        case.post,
        exhausted=event.number,
        exhausted_at=at,
        exhausted_version=case.escalations,
    )
    told = replace(case, post=post)
    notice = _notice(told, "manager", event.people, quiet=event.quiet)
    return with_notices(told, notice._replace(exhausted=True))


def _alarmed(case: Case, event: events.EscalationNobodyNotified) -> Case:
    left = tuple(each for each in case.deliveries if each.page != event.key)
    return replace(case, deliveries=left)


def _notified(  # noqa: PLR0911 one return a case
    case: Case, event: events.NotificationEvent
) -> Case:
    match event:
        case events.NotificationPlanned():
            return planned(case, event)
        case events.NotificationRequested():
            return requested(case, event)
        case events.NotificationThrottled():
            return after_throttling(case, event)
        case events.NotificationBundled() | events.NotificationSent():
            return case
        case events.NotificationConfirmed(key=key):
            return after_success(case, key)
        case events.NotificationDelivered(key=key):
            return after_delivery(case, key)
        case events.NotificationFailed(key=key):
            return after_failure(case, key)
        case _:
            assert_never(event)


def _paged(case: Case, event: events.EscalationPaged) -> Case:
    sent = with_page(case, event) if event.people else case
    notice = _notice(
        sent,
        "page",
        event.people,
        quiet=event.quiet,
        channel=event.channel,
        since=event.due_at,
    )
    return with_notices(sent, notice._replace(team_channel=event.team_channel))


def _suggested(case: Case, event: events.ProblemSuggested) -> Case:
    stream = escalation_stream(case.incident)
    tell = PendingNotice("suggestion", stream, case.escalations, None, case.changed_at)
    return with_notices(replace(case, suggested=event.team), tell)


def _moved(
    case: Case, event: events.Escalated | events.EscalationReturned, at: datetime
) -> Case:
    back = isinstance(event, events.EscalationReturned)
    post = LevelSearch(
        event.to_level,
        event.team,
        at,
        counts_from=at,
        searched_from=at,
        returns=case.post.returns + back,
    )
    holders = case.held_by(event.team, at)
    moved = replace(
        without_pages(case),
        post=post,
        claim=None,
        acknowledgement=None,
        moves_to=None,
        holders=holders,
    )
    return _news(moved, "returned" if back else "escalated", case.reporters)


def _news(case: Case, kind: events.Kind, people: tuple[str, ...]) -> Case:
    return with_notices(case, _notice(case, kind, people))


def _notice(
    case: Case,
    kind: events.Kind,
    people: tuple[str, ...],
    *,
    quiet: bool = False,
    channel: events.Channel | None = None,
    since: datetime | None = None,
) -> PendingNotice:
    """Return the notice about the newest event of the escalation.

    What follows it counts from `since`.
    """
    return PendingNotice(
        kind,
        escalation_stream(case.incident),
        case.escalations,
        tuple(dict.fromkeys(people)),
        since or case.changed_at,
        quiet=quiet,
        channel=channel,
    )


def _handed(case: Case, event: events.HandoverEvent) -> Case:
    held = case.handover
    if held is None:
        return case
    settled = replace(_settled(held), to_be_confirmed=False, proposed=(), to_propose=())
    match event:
        case events.HandoverRequested():
            return _requested(case, held, event)
        case events.HandoverAccepted(problem=problem):
            held = replace(settled, state="accepted", joined=problem)
        case events.HandoverJoined(problem=problem, to_be_confirmed=unsure):
            held = replace(settled, state="joined", joined=problem)
            held = replace(held, to_be_confirmed=unsure)
        case events.HandoverDeclined():
            held = replace(settled, state="declined")
        case events.HandoverUnanswered():
            held = replace(held, state="unanswered")
        case events.HandoverReopened(answer_by=by):
            held = _reopened(case, settled, by)
        case events.HandoverProposed(problem=problem):
            held = replace(held, proposed=(*held.proposed, problem), to_propose=())
        case _:
            assert_never(event)
    return replace(case, handover=held)


def _settled(held: _Held) -> _Held:
    """Return the hand-over without anything left to be recorded."""
    return replace(held, answer=None, joined=None, undone=False)


def _reopened(case: Case, settled: _Held, answer_by: datetime | None) -> _Held:
    answer = ProblemAnswer("joined", case.problems[-1]) if case.problems else None
    return replace(settled, state="requested", answer=answer, answer_by=answer_by)


def _requested(case: Case, held: Handover, event: events.HandoverRequested) -> Case:
    answer = None
    if case.problems:
        answer = ProblemAnswer("joined", case.problems[-1])
    elif event.problem and event.matched:
        answer = ProblemAnswer("joined", event.problem, event.matched)
    handover = replace(
        held,
        state="requested",
        team=event.team,
        answer_by=event.answer_by,
        answer=answer,
        proposed=event.proposed,
    )
    stream = handover_stream(case.incident)
    tell = PendingNotice("handover", stream, case.handovers, None, case.changed_at)
    return with_notices(replace(case, handover=handover), tell)


def _service_handed(case: Case, event: events.ServiceHandoverEvent) -> Case:
    if isinstance(event, events.ServiceHandoverRequested):
        return _service_requested(case, event)
    held = case.service_handover
    if held is None:
        return case
    settled = _settled(held)
    match event:
        case events.ServiceHandoverAccepted(problem=problem):
            held = replace(settled, state="accepted", joined=problem)
        case events.ServiceHandoverJoined(problem=problem):
            held = replace(settled, state="joined", joined=problem)
        case events.ServiceHandoverReopened(answer_by=by):
            held = _reopened(case, settled, by)
        case events.ServiceHandoverDeclined():
            held = replace(settled, state="declined")
        case events.ServiceHandoverUnanswered():
            held = replace(held, state="unanswered")
        case _:
            assert_never(event)
    return replace(case, service_handover=held)


def _service_requested(case: Case, event: events.ServiceHandoverRequested) -> Case:
    held = ServiceHandover(event.service, event.team, event.answer_by)
    if event.problem is not None:
        held = replace(held, answer=ProblemAnswer("joined", event.problem))
    stream = handover_stream(case.incident)
    tell = PendingNotice(
        "service_handover", stream, case.handovers, None, case.changed_at
    )
    return with_notices(replace(case, service_handover=held), tell)
