"""Rules for problems and changes: how they begin, who has them, and how they end."""

from typing import Literal

from services.intake.records.rules.context import DecisionContext
from services.intake.records.rules.links import require_linkable, side_linked
from shared.domain import events
from shared.domain.change import Change
from shared.domain.commands.change import (
    AssignChange,
    CancelChange,
    ImplementChange,
    PlanChange,
    RequestChange,
)
from shared.domain.commands.problem import (
    AssignProblem,
    DiagnoseProblem,
    IdentifyProblem,
    PublishWorkaround,
    ResolveProblem,
)
from shared.domain.incident import Incident
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.problem import Problem
from shared.domain.record import RecordEvent
from shared.domain.refusal import Refused, require_in_policy

LISTED_MAX = 200
"""Incidents listed in an assignment event, whose size is limited."""

_Kind = Literal["problem", "change"]


def identified(command: IdentifyProblem, context: DecisionContext) -> list[RecordEvent]:
    """Return the identification; the incident that revealed the problem is linked."""
    incident = None
    if command.incident:
        incident = require_linkable(command.incident, context)
        _require_no_other(incident, command.beside)
    event = events.ProblemIdentified(
        **context.common(context.by),
        problem=context.ref,
        title=command.title,
        service=_service(command.service, incident, context),
        team=_team("problem", command.team, context),
        origin="incident" if incident else "staff",
        incident=incident.ref if incident else None,
    )
    if incident is None:
        return [event]
    return [event, *side_linked(incident, "problem", context.ref, context)]


def _require_no_other(incident: Incident, known: tuple[str, ...] | None) -> None:
    """Refuse if the incident has a problem that the caller does not know of."""
    if known is not None and (others := sorted(incident.problems - set(known))):
        raise Refused(
            f"{incident.ref} is part of {', '.join(others)} by now: look at that first",
            "state",
        )


def requested(command: RequestChange, context: DecisionContext) -> list[RecordEvent]:
    """Return the request; its incident and the problem it is to solve are linked."""
    incident = problem = None
    if command.incident:
        incident = require_linkable(command.incident, context)
    if command.problem:
        problem = context.require(Problem, command.problem)
    decided: list[RecordEvent] = [
        events.ChangeRequested(
            **context.common(context.by),
            change=context.ref,
            title=command.title,
            service=_service(command.service, incident or problem, context),
            team=_team("change", command.team, context),
            incident=command.incident,
            problem=command.problem,
        )
    ]
    if incident is not None:
        decided += side_linked(incident, "change", context.ref, context)
    if problem is not None:
        both = {"problem": problem.ref, "change": context.ref}
        decided.append(events.ProblemChangeLinked(**context.common(), **both))
    return decided


def _service(
    name: str | None, source: Incident | Problem | None, context: DecisionContext
) -> str:
    """Return the service of a new record. Default: that of the record it stems from."""
    if name:
        return require_in_policy("service", name, context.policy.services)
    return source.service if source else UNKNOWN


def _team(kind: _Kind, name: str | None, context: DecisionContext) -> str:
    """Return `name` if that team takes such records; else raise `Refused`."""
    policy, usual = context.policy, _usual_team(kind, context)
    team = policy.teams[require_in_policy("team", name or usual, policy.teams)]
    if name in (None, usual) or kind in team.takes:
        return name or usual
    takers = {n for n, each in policy.teams.items() if kind in each.takes}
    shown = ", ".join(sorted(takers | {usual}))
    raise Refused(
        f"the team `{name}` takes no {kind}s: choose one of {shown}, or have "
        f"`{kind}` added to what it `takes` in the policy",
        "invalid",
    )


def _usual_team(kind: _Kind, context: DecisionContext) -> str:
    """Return the team that gets records of this kind by default."""
    rules = context.policy.problems
    if kind == "problem" and rules is not None:
        return rules.team
    return context.policy.team_of_first_contact


def assigned(
    command: AssignProblem | AssignChange,
    record: Problem | Change,
    context: DecisionContext,
) -> list[events.ProblemEvent | events.ChangeEvent]:
    """Return the assignment to another team."""
    kind: _Kind = "problem" if isinstance(record, Problem) else "change"
    team = _team(kind, command.team, context)
    if team == record.team:
        return []
    listed = record.incidents[-LISTED_MAX:]
    common = {**context.common(), "team": team, "incidents": listed}
    match record:
        case Problem(ref=ref):
            return [events.ProblemAssigned(**common, problem=ref)]
        case Change(ref=ref):
            return [events.ChangeAssigned(**common, change=ref)]


def workaround_published(
    command: PublishWorkaround, problem: Problem, context: DecisionContext
) -> list[events.ProblemEvent]:
    """Return the workaround, if it differs from the last one."""
    if command.text == problem.workaround:
        return []
    common = {**context.common(context.by), "problem": problem.ref}
    return [events.ProblemWorkaroundPublished(**common, workaround=command.text)]


def diagnosed(
    command: DiagnoseProblem, problem: Problem, context: DecisionContext
) -> list[events.ProblemEvent]:
    """Return the cause, if it differs from the last one."""
    if command.cause == problem.cause:
        return []
    common = {**context.common(context.by), "problem": problem.ref}
    return [events.ProblemDiagnosed(**common, cause=command.cause)]


def resolved(
    command: ResolveProblem, problem: Problem, context: DecisionContext
) -> list[events.ProblemEvent]:
    """Return that the cause was removed."""
    common = context.common(None if command.note is None else context.by)
    return [events.ProblemResolved(**common, problem=problem.ref, note=command.note)]


def planned(
    command: PlanChange, change: Change, context: DecisionContext
) -> list[events.ChangeEvent]:
    """Return the time of the change, if it differs from the last one."""
    if command.planned_for == change.planned_for:
        return []
    common = {**context.common(), "change": change.ref}
    return [events.ChangePlanned(**common, planned_for=command.planned_for)]


def implemented(
    command: ImplementChange, change: Change, context: DecisionContext
) -> list[events.ChangeEvent]:
    """Return that the change was implemented."""
    common = context.common(None if command.note is None else context.by)
    return [events.ChangeImplemented(**common, change=change.ref, note=command.note)]


def cancelled(
    command: CancelChange, change: Change, context: DecisionContext
) -> list[events.ChangeEvent]:
    """Return that the change will not be implemented."""
    common = context.common(context.by)
    return [events.ChangeCancelled(**common, change=change.ref, reason=command.reason)]
