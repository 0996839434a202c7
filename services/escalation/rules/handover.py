"""Hands over incidents and services that broke their promises to Problem Management.

An incident is handed over once. A service is handed over each time its budget of
breaches is used up; that hand-over belongs to the incident whose breach used it up, and
the problem of that incident is taken for the service as well.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from services.escalation.rules.case import (
    Case,
    Handover,
    ProblemAnswer,
    ServiceHandover,
    Tip,
)
from services.escalation.rules.context import (
    Crossing,
    Due,
    EscalationContext,
    cause_of,
    on,
    overrun_of,
)
from services.escalation.rules.problem_match import PROPOSED_MAX, Matching, matching
from shared.domain.events import HandoverEvent, ServiceHandoverEvent
from shared.domain.events.handover import (
    CountedBreach,
    HandoverAccepted,
    HandoverJoined,
    HandoverReopened,
    HandoverRequested,
    HandoverUnanswered,
    ServiceHandoverAccepted,
    ServiceHandoverJoined,
    ServiceHandoverRequested,
    ServiceHandoverUnanswered,
)
from shared.domain.policy.escalation import BreachBudget, Problems


def handing_over(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the hand-over if it is wanted, then the answer or that nobody answered."""
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


def _request(
    case: Case, wanted: Handover, problems: Problems, known: EscalationContext
) -> Due:
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


def _reopened(case: Case, problem: str, known: EscalationContext) -> Due:
    """It was taken out of the problem it joined: somebody has to answer now."""
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


LISTED_MAX = 200
"""Breaches that an event lists, since the size of an event is limited."""


def handing_over_service(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the hand-over of the service, then the answer or that nobody answered."""
    held = case.service_handover
    if held is None:
        if case.tip is not None:
            yield from _crossed(case, case.tip, known)
        return
    if held.awaits and held.answer is not None:
        answer = held.answer
        yield Due(
            case.changed_at,
            lambda at: [_handing_over_service_answered(case, held, at, answer)],
        )
    elif held.state == "requested" and held.answer_by is not None:
        by = held.answer_by
        yield Due(by, lambda at: [_handing_over_service_unanswered(case, held, at, by)])


def _crossed(case: Case, tip: Tip, known: EscalationContext) -> Iterator[Due]:
    problems = known.policy_of(tip.policy).problems
    if problems is None or problems.service is None:
        return
    budget = problems.service
    if tip.is_back and (budget.downtime is None or case.priority != "p1"):
        return
    crossing = known.crossing(tip.position)
    if crossing is None:
        return
    found = known.open_problems(None, crossing.service, tip.position).of_service
    problem = found[0] if len(found) == 1 else None
    proposed = tuple(found[:PROPOSED_MAX]) if len(found) > 1 else ()
    if case.problems and problem is None:
        problem, proposed = case.problems[-1], ()
    joins = {"problem": problem, "proposed": proposed}

    def events(at: datetime) -> list[ServiceHandoverRequested]:
        asked = _requested(case, tip, crossing, problems, budget, at)
        return [asked.model_copy(update=joins)]

    yield Due(case.changed_at, events)


def _requested(
    case: Case,
    tip: Tip,
    crossing: Crossing,
    problems: Problems,
    budget: BreachBudget,
    at: datetime,
) -> ServiceHandoverRequested:
    counted, within = crossing.counted, problems.accept_within
    down = crossing.downtime
    return ServiceHandoverRequested(
        **on(case, at) | {"policy": tip.policy},
        service=crossing.service,
        team=problems.team,
        cause=cause_of(counted, budget, down) or "breaches",
        breaches=len(counted),
        overrun_seconds=overrun_of(counted) or None,
        budget_breaches=budget.breaches,
        budget_seconds=_seconds(budget.overrun),
        downtime_seconds=_seconds(down),
        budget_downtime_seconds=_seconds(budget.downtime),
        outages=crossing.outages,
        within_days=budget.within_days,
        crossed_at=tip.since,
        counted=tuple(
            CountedBreach(
                incident=each.incident,
                breached_at=each.breached_at,
                overrun_seconds=each.overrun_seconds,
            )
            for each in counted[-LISTED_MAX:]
        ),
        answer_by=tip.at + within if within else None,
    )


def _seconds(allowed: timedelta | None) -> int | None:
    return int(allowed.total_seconds()) if allowed else None


def _handing_over_service_answered(
    case: Case, held: ServiceHandover, at: datetime, answer: ProblemAnswer
) -> ServiceHandoverEvent:
    common = _handing_over_service_on_handover(case, held, at) | {
        "problem": answer.problem
    }
    if answer.how == "accepted":
        return ServiceHandoverAccepted(**common)
    return ServiceHandoverJoined(**common)


def _handing_over_service_unanswered(
    case: Case, held: ServiceHandover, at: datetime, by: datetime
) -> ServiceHandoverUnanswered:
    return ServiceHandoverUnanswered(
        **_handing_over_service_on_handover(case, held, at), unanswered_at=by
    )


def _handing_over_service_on_handover(
    case: Case, held: ServiceHandover, at: datetime
) -> dict[str, Any]:
    common = {k: v for k, v in on(case, at).items() if k != "policy"}
    return common | {"service": held.service}
