"""Hand-over of a service that breaks its promises too often: once for each breach.

It belongs to the incident whose breach was one too many; that incident's problem is the
service's, too.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from services.escalation.budget import Crossing, cause_of, overrun_of
from services.escalation.case import Case, ProblemAnswer, ServiceHandover, Tip
from services.escalation.due import Due, on
from services.escalation.known import Known
from services.escalation.problem_match import PROPOSED_MAX
from shared.domain.events import ServiceHandoverEvent
from shared.domain.events.handover import (
    CountedBreach,
    ServiceHandoverAccepted,
    ServiceHandoverJoined,
    ServiceHandoverRequested,
    ServiceHandoverUnanswered,
)
from shared.domain.policy.escalation import BreachBudget, Problems

LISTED_MAX = 200
"""Breaches an event names one by one: an event has its size."""


def handing_over_service(case: Case, known: Known) -> Iterator[Due]:
    """Yield the hand-over of the service, then its answer or that there is none."""
    held = case.service_handover
    if held is None:
        if case.tip is not None:
            yield from _crossed(case, case.tip, known)
        return
    if held.awaits and held.answer is not None:
        answer = held.answer
        yield Due(case.changed_at, lambda at: [_answered(case, held, at, answer)])
    elif held.state == "requested" and held.answer_by is not None:
        by = held.answer_by
        yield Due(by, lambda at: [_unanswered(case, held, at, by)])


def _crossed(case: Case, tip: Tip, known: Known) -> Iterator[Due]:
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


def _answered(
    case: Case, held: ServiceHandover, at: datetime, answer: ProblemAnswer
) -> ServiceHandoverEvent:
    common = _on_handover(case, held, at) | {"problem": answer.problem}
    if answer.how == "accepted":
        return ServiceHandoverAccepted(**common)
    return ServiceHandoverJoined(**common)


def _unanswered(
    case: Case, held: ServiceHandover, at: datetime, by: datetime
) -> ServiceHandoverUnanswered:
    return ServiceHandoverUnanswered(**_on_handover(case, held, at), unanswered_at=by)


def _on_handover(case: Case, held: ServiceHandover, at: datetime) -> dict[str, Any]:
    common = {k: v for k, v in on(case, at).items() if k != "policy"}
    return common | {"service": held.service}
