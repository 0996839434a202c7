"""Hand-over to Problem Management of an incident that broke its promise: once."""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.case import Case, Handover
from services.escalation.due import Due, on
from services.escalation.known import Known
from shared.events import HandoverEvent
from shared.events.handover import (
    HandoverAccepted,
    HandoverJoined,
    HandoverRequested,
    HandoverUnanswered,
)
from shared.policy.problems import Problems


def handing_over(case: Case, known: Known) -> Iterator[Due]:
    """Yield the hand-over where it is wanted, then its answer or that there is none."""
    handover = case.handover
    if handover is None:
        return
    if handover.state == "wanted":
        problems = known.policy_of(case.policy).problems
        if problems and "ttr_breach" in problems.handover_on:
            yield _request(case, handover, problems, known)
    if handover.awaits and handover.answer is not None:
        how, problem = handover.answer
        yield Due(case.changed_at, lambda at: [_answered(case, at, how, problem)])
    elif handover.state == "requested" and handover.answer_by is not None:
        by = handover.answer_by
        yield Due(by, lambda at: [_unanswered(case, at, by)])


def _request(case: Case, wanted: Handover, problems: Problems, known: Known) -> Due:
    within = problems.accept_within

    def events(at: datetime) -> list[HandoverRequested]:
        linked = case.problems[-1] if case.problems else None
        return [
            HandoverRequested(
                **on(case, at),
                service=case.service,
                team=problems.team,
                cycle=wanted.cycle,
                breached_at=wanted.breached_at,
                problem=linked or known.open_problem(case.service, wanted.position),
                answer_by=wanted.detected_at + within if within else None,
            )
        ]

    return Due(case.changed_at, events)


def _answered(case: Case, at: datetime, how: str, problem: str) -> HandoverEvent:
    common = _on_handover(case, at)
    if how == "accepted":
        return HandoverAccepted(**common, problem=problem)
    return HandoverJoined(**common, problem=problem)


def _unanswered(case: Case, at: datetime, by: datetime) -> HandoverUnanswered:
    return HandoverUnanswered(**_on_handover(case, at), unanswered_at=by)


def _on_handover(case: Case, at: datetime) -> dict[str, object]:
    return {k: v for k, v in on(case, at).items() if k != "policy"}
