"""Hand-over to Problem Management of an incident that broke its promise: once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from services.escalation.case import Case, Handover, ProblemAnswer
from services.escalation.due import Due, on
from services.escalation.known import Known
from services.escalation.problem_match import Matching, matching
from shared.domain.events import HandoverEvent
from shared.domain.events.handover import (
    HandoverAccepted,
    HandoverJoined,
    HandoverReopened,
    HandoverRequested,
    HandoverUnanswered,
)
from shared.domain.policy.escalation import Problems


def handing_over(case: Case, known: Known) -> Iterator[Due]:
    """Yield the hand-over where it is wanted, then its answer or that there is none."""
    handover = case.handover
    if handover is None:
        return
    if handover.state == "wanted":
        problems = known.policy_of(case.policy).problems
        if problems and "ttr_breach" in problems.handover_on:
            yield _request(case, handover, problems, known)
    if handover.undone and handover.joined is not None:
        yield _reopened(case, handover.joined, known)
    elif handover.awaits and handover.answer is not None:
        answer = handover.answer
        yield Due(case.changed_at, lambda at: [_answered(case, at, answer)])
    elif handover.state == "requested" and handover.answer_by is not None:
        by = handover.answer_by
        yield Due(by, lambda at: [_unanswered(case, at, by)])


def _request(case: Case, wanted: Handover, problems: Problems, known: Known) -> Due:
    within = problems.accept_within
    if case.problems:
        match = Matching(case.problems[-1])
    else:
        found = known.open_problems(case.incident, case.service, wanted.position)
        match = matching(found, case.service, case.parted)

    def events(at: datetime) -> list[HandoverRequested]:
        return [
            HandoverRequested(
                **on(case, at),
                service=case.service,
                team=problems.team,
                cycle=wanted.cycle,
                breached_at=wanted.breached_at,
                **match._asdict(),
                answer_by=wanted.detected_at + within if within else None,
            )
        ]

    return Due(case.changed_at, events)


def _answered(case: Case, at: datetime, answer: ProblemAnswer) -> HandoverEvent:
    common = _on_handover(case, at) | {"problem": answer.problem}
    if answer.how == "accepted":
        return HandoverAccepted(**common)
    return HandoverJoined(
        **common, matched=answer.matched, to_be_confirmed=answer.matched == "service"
    )


def _reopened(case: Case, problem: str, known: Known) -> Due:
    """It was taken out of the problem it had joined: somebody has to answer now."""
    problems = known.policy_of(case.policy).problems
    within = problems.accept_within if problems else None

    def events(at: datetime) -> list[HandoverReopened]:
        by = case.changed_at + within if within else None
        common = _on_handover(case, at) | {"problem": problem}
        return [HandoverReopened(**common, answer_by=by)]

    return Due(case.changed_at, events)


def _unanswered(case: Case, at: datetime, by: datetime) -> HandoverUnanswered:
    return HandoverUnanswered(**_on_handover(case, at), unanswered_at=by)


def _on_handover(case: Case, at: datetime) -> dict[str, Any]:
    return {k: v for k, v in on(case, at).items() if k != "policy"}
