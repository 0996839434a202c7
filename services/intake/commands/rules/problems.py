"""The rules for problems: identified, linked, assigned, worked around, resolved."""

from typing import assert_never

from services.intake.commands.command import RecordCommand
from services.intake.commands.rules.context import Refused, known
from services.intake.commands.rules.links import (
    link_of_record,
    linked_on_incident,
    unlink_of_record,
)
from services.intake.commands.rules.record_rules import (
    LISTED_MAX,
    Rules,
    require_incident,
)
from services.intake.commands.rules.record_status_tables import (
    PROBLEMS,
    is_record_to_do,
)
from services.intake.commands.rules.repeats import repeated_on_problem
from shared.domain.change import Change
from shared.domain.commands.problem import (
    AssignProblem,
    DiagnoseProblem,
    IdentifyProblem,
    LinkProblem,
    ProblemWish,
    PublishWorkaround,
    ResolveProblem,
    UnlinkProblem,
)
from shared.domain.events import ChangeEvent, ProblemEvent
from shared.domain.events.incident_ties import (
    IncidentLinked,
    IncidentProblemResolved,
    IncidentUnlinked,
)
from shared.domain.events.problem import (
    ProblemAssigned,
    ProblemDiagnosed,
    ProblemIdentified,
    ProblemResolved,
    ProblemWorkaroundPublished,
)
from shared.domain.incident import Incident
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.policy.document import Policy
from shared.domain.problem import Problem

Decided = list[
    ProblemEvent
    | ChangeEvent
    | IncidentLinked
    | IncidentUnlinked
    | IncidentProblemResolved
]


def decide_problem(
    command: RecordCommand[ProblemWish],
    problem: Problem | None,
    *,
    other: Incident | Change | None,
    policy: Policy,
    policy_version: int,
) -> Decided:
    """Return the events that `command` produces, in order; empty if already done.

    `other` is the record that the command names; a link to it is recorded on its side
    too. Raises `Refused`.
    """
    rules, wish = Rules(command, policy, policy_version), command.wish
    if isinstance(wish, IdentifyProblem):
        incident = other if isinstance(other, Incident) else None
        return _identified(wish, incident, rules) if problem is None else []
    if problem is None:
        raise Refused(
            f"there is no problem {command.ref} to {wish.verb}", "unknown_problem"
        )
    if not is_record_to_do(PROBLEMS, wish.verb, problem):
        return Decided(repeated_on_problem(wish, problem, rules))
    return _done(wish, problem, other, rules)


def _identified(
    wish: IdentifyProblem, incident: Incident | None, rules: Rules
) -> Decided:
    if wish.incident:
        incident = require_incident(wish.incident, incident)
        _require_no_other(incident, wish.beside)
    service = incident.service if incident else UNKNOWN
    if wish.service:
        service = known("service", wish.service, rules.policy.services)
    identified = ProblemIdentified(
        **rules.common(words=True),
        problem=rules.command.ref,
        title=wish.title,
        service=service,
        team=rules.team("problem", wish.team or rules.usual_team("problem")),
        origin="incident" if incident else "staff",
        incident=incident.ref if incident else None,
    )
    if incident is None:
        return [identified]
    return [
        identified,
        *linked_on_incident(incident, "problem", rules.command.ref, rules),
    ]


def _require_no_other(incident: Incident, known: tuple[str, ...] | None) -> None:
    """Refuse if the incident has a problem that the caller does not know of."""
    if known is not None and (others := sorted(incident.problems - set(known))):
        raise Refused(
            f"{incident.ref} is part of {', '.join(others)} by now: look at that first",
            "state",
        )


def _done(  # noqa: C901, PLR0911 # one branch for each verb
    wish: LinkProblem
    | UnlinkProblem
    | AssignProblem
    | PublishWorkaround
    | DiagnoseProblem
    | ResolveProblem,
    problem: Problem,
    other: Incident | Change | None,
    rules: Rules,
) -> Decided:
    ref = problem.ref
    match wish:
        case LinkProblem():
            return Decided(link_of_record(problem, wish, other, rules))
        case UnlinkProblem():
            return Decided(unlink_of_record(problem, wish, other, rules))
        case AssignProblem():
            team = rules.team("problem", wish.team)
            if team == problem.team:
                return []
            listed = problem.incidents[-LISTED_MAX:]
            common = {**rules.common(), "team": team, "incidents": listed}
            return [ProblemAssigned(**common, problem=ref)]
        case PublishWorkaround(text=text):
            if text == problem.workaround:
                return []
            common = rules.common(words=True)
            return [ProblemWorkaroundPublished(**common, problem=ref, workaround=text)]
        case DiagnoseProblem(cause=cause):
            if cause == problem.cause:
                return []
            common = rules.common(words=True)
            return [ProblemDiagnosed(**common, problem=ref, cause=cause)]
        case ResolveProblem(note=note):
            common = rules.common(words=note is not None)
            return [ProblemResolved(**common, problem=ref, note=note)]
        case _:
            assert_never(wish)
