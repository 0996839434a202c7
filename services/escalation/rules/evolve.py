"""Applies the service's own decisions to a case, whether new or read from the log."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from services.escalation.rules.case import (
    Case,
    Handover,
    LevelSearch,
    ProblemAnswer,
    ServiceHandover,
    Tell,
)
from services.escalation.rules.notification_requests import told, with_news
from shared.domain.events import (
    AnyEvent,
    EscalationEvent,
    HandoverEvent,
    ServiceHandoverEvent,
    is_escalation_event,
    is_service_handover,
)
from shared.domain.events.escalation import (
    Escalated,
    EscalationAccepted,
    EscalationPaged,
    EscalationRaised,
    EscalationReturned,
    EscalationUnanswered,
)
from shared.domain.events.handover import (
    HandoverAccepted,
    HandoverDeclined,
    HandoverJoined,
    HandoverReopened,
    HandoverRequested,
    HandoverUnanswered,
    ServiceHandoverAccepted,
    ServiceHandoverDeclined,
    ServiceHandoverJoined,
    ServiceHandoverRequested,
    ServiceHandoverUnanswered,
)
from shared.domain.events.notification import (
    Kind,
    NotificationConfirmed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from shared.domain.events.problem import ProblemSuggested
from shared.domain.identifiers import escalation_stream, handover_stream
from shared.domain.sla import whole


def evolve(case: Case, event: AnyEvent) -> Case:
    """Return the case after a decision. TypeError for an event of another service."""
    if is_escalation_event(event):
        version = case.escalations + 1
        return _sought(replace(case, escalations=version), event)
    if is_service_handover(event):
        return _service_handed(replace(case, handovers=case.handovers + 1), event)
    match event:
        case (
            HandoverRequested()
            | HandoverAccepted()
            | HandoverJoined()
            | HandoverDeclined()
            | HandoverUnanswered()
            | HandoverReopened()
        ):
            version = case.handovers + 1
            return _handed(replace(case, handovers=version), event)
        case _:
            raise TypeError(f"{event.type} is no decision of ours")


def _sought(  # noqa: C901, PLR0911 one return a case
    case: Case, event: EscalationEvent
) -> Case:
    post = case.post
    match event:
        case Escalated(escalated_at=at) | EscalationReturned(returned_at=at):
            return _moved(case, event, at)
        case EscalationPaged():
            paged = replace(post, paged=(*post.paged, event.key))
            return _news(replace(case, post=paged), "page", event.people)
        case EscalationAccepted():
            at = whole(event.at) if event.how == "accepted" else case.changed_at
            accepted = replace(post, accepted_by=event.person, accepted_at=at)
            return replace(case, post=accepted)
        case EscalationUnanswered():
            return replace(case, post=replace(post, unanswered=True))
        case EscalationRaised():
            raised = replace(case, raised=(*case.raised, event.key))
            return _news(raised, "manager", event.people)
        case ProblemSuggested():
            return _suggested(case, event)
        case NotificationRequested():
            return told(case, event)
        case NotificationSent() | NotificationConfirmed() | NotificationFailed():
            return case
        case _:
            assert_never(event)


def _suggested(case: Case, event: ProblemSuggested) -> Case:
    stream = escalation_stream(case.incident)
    tell = Tell("suggestion", stream, case.escalations, None, case.changed_at)
    return with_news(replace(case, suggested=event.team), tell)


def _moved(case: Case, event: Escalated | EscalationReturned, at: datetime) -> Case:
    back = isinstance(event, EscalationReturned)
    post = LevelSearch(
        event.to_level,
        event.team,
        at,
        counts_from=at,
        searched_from=at,
        returns=case.post.returns + back,
    )
    holders = case.held_by(event.team, at)
    moved = replace(case, post=post, claim=None, moves_to=None, holders=holders)
    return _news(moved, "returned" if back else "escalated", case.reporters)


def _news(case: Case, kind: Kind, people: tuple[str, ...]) -> Case:
    stream = escalation_stream(case.incident)
    each = tuple(dict.fromkeys(people))
    tell = Tell(kind, stream, case.escalations, each, case.changed_at)
    return with_news(case, tell)


def _handed(case: Case, event: HandoverEvent) -> Case:
    held = case.handover
    if held is None:
        return case
    match event:
        case HandoverRequested():
            return _requested(case, held, event)
        case HandoverAccepted():
            held = replace(_settled(held), state="accepted")
        case HandoverJoined(to_be_confirmed=unsure):
            alone = event.problem if event.matched else None
            held = replace(
                _settled(held), state="joined", joined=alone, to_be_confirmed=unsure
            )
        case HandoverDeclined():
            held = replace(_settled(held), state="declined")
        case HandoverUnanswered():
            held = replace(held, state="unanswered")
        case HandoverReopened(answer_by=by):
            return _reopened(case, replace(_settled(held), answer_by=by))
        case _:
            assert_never(event)
    return replace(case, handover=held)


def _settled(held: Handover) -> Handover:
    """Return the hand-over without anything left to be recorded."""
    return replace(held, answer=None, joined=None, to_be_confirmed=False, undone=False)


def _reopened(case: Case, held: Handover) -> Case:
    answer = ProblemAnswer("joined", case.problems[-1]) if case.problems else None
    return replace(case, handover=replace(held, state="requested", answer=answer))


def _requested(case: Case, held: Handover, event: HandoverRequested) -> Case:
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
    )
    stream = handover_stream(case.incident)
    tell = Tell("handover", stream, case.handovers, None, case.changed_at)
    return with_news(replace(case, handover=handover), tell)


def _service_handed(case: Case, event: ServiceHandoverEvent) -> Case:
    if isinstance(event, ServiceHandoverRequested):
        return _service_requested(case, event)
    held = case.service_handover
    if held is None:
        return case
    match event:
        case ServiceHandoverAccepted():
            held = replace(held, state="accepted")
        case ServiceHandoverJoined():
            held = replace(held, state="joined")
        case ServiceHandoverDeclined():
            held = replace(held, state="declined")
        case ServiceHandoverUnanswered():
            held = replace(held, state="unanswered")
        case _:
            assert_never(event)
    return replace(case, service_handover=held)


def _service_requested(case: Case, event: ServiceHandoverRequested) -> Case:
    held = ServiceHandover(event.service, event.team, event.answer_by)
    if event.problem is not None:
        held = replace(held, answer=ProblemAnswer("joined", event.problem))
    stream = handover_stream(case.incident)
    tell = Tell("service_handover", stream, case.handovers, None, case.changed_at)
    return with_news(replace(case, service_handover=held), tell)
