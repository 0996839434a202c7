"""Hands over incidents and services that broke their promises to Problem Management.

An incident is handed over once. A service is handed over each time its budget of
breaches is used up; that hand-over belongs to the incident whose breach used it up, and
the problem of that incident is taken for the service as well. Both are answered alike.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, assert_never

from services.escalation.rules.budget import Crossing, cause_of, overrun_of
from services.escalation.rules.case import (
    Case,
    Handover,
    ProblemAnswer,
    ServiceHandover,
    Tip,
)
from services.escalation.rules.context import (
    PROPOSED_MAX,
    Due,
    EscalationContext,
    OpenProblems,
    on,
)
from shared.domain import events
from shared.domain.events import HandoverEvent, ServiceHandoverEvent
from shared.domain.events.handover import (
    CountedBreach,
    HandoverAccepted,
    HandoverJoined,
    HandoverProposed,
    HandoverReopened,
    HandoverRequested,
    HandoverUnanswered,
    ServiceHandoverAccepted,
    ServiceHandoverJoined,
    ServiceHandoverReopened,
    ServiceHandoverRequested,
    ServiceHandoverUnanswered,
)
from shared.domain.events.problem import Match
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.policy.escalation import BreachBudget, Problems

LISTED_MAX = 200
"""Breaches that an event lists, since the size of an event is limited."""


def handing_over(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield what is due about the hand-over of the incident, and that of its service.

    That is the request if it is wanted, then the answer or that nobody answered.
    """
    if case.handover is not None:
        yield from _of_incident(case, case.handover, known)
    if case.service_handover is not None:
        yield from _after_request(case, case.service_handover, known)
    elif case.tip is not None:
        yield from _of_service(case, case.tip, known)


def _of_incident(
    case: Case, handover: Handover, known: EscalationContext
) -> Iterator[Due]:
    if handover.state == "wanted":
        problems = known.policy_of(case.policy).problems
        if problems and "ttr_breach" in problems.handover_on:
            yield _requested(case, handover, problems, known)
    yield from _after_request(case, handover, known)
    for problem in handover.to_propose:
        yield _proposed(case, handover, problem)


def _after_request(
    case: Case, handover: Handover | ServiceHandover, known: EscalationContext
) -> Iterator[Due]:
    if handover.undone and handover.joined is not None:
        yield _reopened(case, handover, handover.joined, known)
    elif handover.awaits and handover.answer is not None:
        answer = handover.answer
        yield Due(case.changed_at, lambda at: [_answered(case, handover, answer, at)])
    elif handover.state == "requested" and handover.answer_by is not None:
        by = handover.answer_by
        yield Due(by, lambda at: [_unanswered(case, handover, by, at)])


def _answered(
    case: Case,
    handover: Handover | ServiceHandover,
    answer: ProblemAnswer,
    at: datetime,
) -> HandoverEvent | ServiceHandoverEvent:
    common = _common(case, handover, at) | {"problem": answer.problem}
    is_service = isinstance(handover, ServiceHandover)
    match answer.how:
        case "accepted" if is_service:
            return ServiceHandoverAccepted(**common)
        case "accepted":
            return HandoverAccepted(**common)
        case "joined" if is_service:
            return ServiceHandoverJoined(**common)
        case "joined":
            unsure = answer.matched == "service"
            return HandoverJoined(
                **common, matched=answer.matched, to_be_confirmed=unsure
            )
        case _:
            assert_never(answer.how)


def _unanswered(
    case: Case, handover: Handover | ServiceHandover, by: datetime, at: datetime
) -> HandoverUnanswered | ServiceHandoverUnanswered:
    common = _common(case, handover, at) | {"unanswered_at": by}
    if isinstance(handover, ServiceHandover):
        return ServiceHandoverUnanswered(**common)
    return HandoverUnanswered(**common)


def _common(
    case: Case, handover: Handover | ServiceHandover, at: datetime
) -> dict[str, Any]:
    """Return the fields that all events after the request have in common."""
    fields = {name: value for name, value in on(case, at).items() if name != "policy"}
    if isinstance(handover, ServiceHandover):
        fields["service"] = handover.service
    return fields


def _requested(
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


def _reopened(
    case: Case,
    handover: Handover | ServiceHandover,
    problem: str,
    known: EscalationContext,
) -> Due:
    """It was taken out of the problem it was part of: it waits for another answer."""
    problems = known.policy_of(case.policy).problems
    within = problems.accept_within if problems else None

    def events(at: datetime) -> list[HandoverReopened | ServiceHandoverReopened]:
        by = case.changed_at + within if within else None
        words = _common(case, handover, at) | {"problem": problem, "answer_by": by}
        if isinstance(handover, ServiceHandover):
            return [ServiceHandoverReopened(**words)]
        return [HandoverReopened(**words)]

    return Due(case.changed_at, events)


def tied(case: Case, event: events.AnyEvent, position: int) -> Case:
    """Return the case after the incident was linked to a problem, or unlinked."""
    match event:
        case events.IncidentLinked(target=problem):
            return _with_problem(case, problem, position)
        case (
            events.IncidentUnlinked(target=problem)
            | events.ProblemIncidentUnlinked(problem=problem)
        ):
            return _without_problem(case, problem)
        case events.ProblemIdentified(problem=problem):
            found = _with_answer(case, "accepted", problem)
            return _with_problem(found, problem, position)
        case events.ProblemIncidentLinked(problem=problem):
            found = _with_answer(case, "joined", problem)
            return _with_problem(found, problem, position)
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
    left = tuple(each for each in case.problems if each != problem)
    handover, service = case.handover, case.service_handover
    if handover is not None and _was_in(handover, problem, left):
        handover = replace(handover, joined=problem, undone=True)
    # That a problem is presumed of the incident says nothing of its service.
    is_linked = problem in case.problems
    if service is not None and is_linked and _was_in(service, problem, left):
        service = replace(service, joined=problem, undone=True)
    return replace(
        case,
        handover=handover,
        service_handover=service,
        parted=tuple(dict.fromkeys((*case.parted, problem))),
        problems=left,
        joined={ref: at for ref, at in case.joined.items() if ref != problem},
        workarounds={ref: n for ref, n in case.workarounds.items() if ref != problem},
    )


def _was_in(
    handover: Handover | ServiceHandover, problem: str, left: Sequence[str]
) -> bool:
    """Tell whether a hand-over was part of the problem that its incident left.

    Cases kept by a version that knew this of automatic joins alone: nothing is `left`.
    """
    if handover.joined is None:
        return handover.state in {"accepted", "joined"} and not left
    return handover.joined == problem


def _with_answer(case: Case, how: Literal["accepted", "joined"], problem: str) -> Case:
    own, service = case.handover, case.service_handover
    if own is not None and own.awaits:
        answer = ProblemAnswer(how, problem)
        case = replace(case, handover=replace(own, answer=answer))
        how = "joined"  # found for the incident, it covers its service as well
    if service is not None and service.awaits:
        service = replace(service, answer=ProblemAnswer(how, problem))
        case = replace(case, service_handover=service)
    return case


def with_proposal(case: Case, problem: str) -> Case:
    """Return the case after an incident of the same signature came to a problem.

    The hand-over does not join that: Problem Management has begun to look at it.
    """
    held = case.handover
    if held is None or not held.awaits or len(held.proposed) >= PROPOSED_MAX:
        return case
    if problem in (held.joined, *held.proposed, *case.parted):
        return case
    return replace(case, handover=replace(held, to_propose=(problem,)))


def _proposed(case: Case, handover: Handover, problem: str) -> Due:
    return Due(
        case.changed_at,
        lambda at: [HandoverProposed(**_common(case, handover, at), problem=problem)],
    )


class Matching(NamedTuple):
    """The one problem that matches, and by what; or several to choose from."""

    problem: str | None = None
    matched: Match | None = None
    proposed: tuple[str, ...] = ()


def matching(found: OpenProblems, service: str, parted: Collection[str]) -> Matching:
    """Return the problem an incident of `service` joins, or those proposed to a person.

    A signature is more specific than a service: if any problem matches by signature,
    the service is ignored. Problems the incident was taken out of are neither joined
    nor proposed again. The unknown service never matches.
    """
    alike = [each for each in found.of_signature if each not in parted]
    same = [each for each in found.of_service if each not in parted]
    if alike:
        return _one_of(alike, "signature")
    return Matching() if service == UNKNOWN else _one_of(same, "service")


def _one_of(problems: Sequence[str], matched: Match) -> Matching:
    match problems:
        case []:
            return Matching()
        case [one]:
            return Matching(one, matched)
        case several:
            return Matching(proposed=tuple(several[:PROPOSED_MAX]))


def _of_service(case: Case, tip: Tip, known: EscalationContext) -> Iterator[Due]:
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
    match = _one_of(found, "service")
    if case.problems and match.problem is None:
        match = Matching(case.problems[-1])
    joins = {"problem": match.problem, "proposed": match.proposed}

    def events(at: datetime) -> list[ServiceHandoverRequested]:
        request = _service_requested(case, tip, crossing, problems, budget, at)
        return [request.model_copy(update=joins)]

    yield Due(case.changed_at, events)


def _service_requested(
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
