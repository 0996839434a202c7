"""The rules for changes: requested, planned, implemented or cancelled."""

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
from services.intake.commands.rules.record_status_tables import CHANGES, is_record_to_do
from services.intake.commands.rules.repeats import repeated_on_change
from shared.domain.change import Change
from shared.domain.commands.change import (
    AssignChange,
    CancelChange,
    ChangeWish,
    ImplementChange,
    LinkChange,
    PlanChange,
    RequestChange,
    UnlinkChange,
)
from shared.domain.events import ChangeEvent, ProblemEvent
from shared.domain.events.change import (
    ChangeAssigned,
    ChangeCancelled,
    ChangeImplemented,
    ChangePlanned,
    ChangeRequested,
)
from shared.domain.events.incident_ties import (
    IncidentLinked,
    IncidentProblemResolved,
    IncidentUnlinked,
)
from shared.domain.events.problem import ProblemChangeLinked
from shared.domain.incident import Incident
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.policy.document import Policy
from shared.domain.problem import Problem

Decided = list[
    ChangeEvent
    | ProblemEvent
    | IncidentLinked
    | IncidentUnlinked
    | IncidentProblemResolved
]


def decide_change(
    command: RecordCommand[ChangeWish],
    change: Change | None,
    *,
    incident: Incident | None,
    problem: Problem | None,
    policy: Policy,
    policy_version: int,
) -> Decided:
    """Return the events that `command` produces, in order; empty if already done.

    `incident` and `problem` are those that the command names; a link to them is
    recorded on their sides too. Raises `Refused`.
    """
    rules, wish = Rules(command, policy, policy_version), command.wish
    if isinstance(wish, RequestChange):
        return _requested(wish, incident, problem, rules) if change is None else []
    if change is None:
        raise Refused(
            f"there is no change {command.ref} to {wish.verb}", "unknown_change"
        )
    if not is_record_to_do(CHANGES, wish.verb, change):
        return Decided(repeated_on_change(wish, change, rules))
    return _done(wish, change, incident or problem, rules)


def _requested(
    wish: RequestChange,
    incident: Incident | None,
    problem: Problem | None,
    rules: Rules,
) -> Decided:
    if wish.incident:
        incident = require_incident(wish.incident, incident)
    if wish.problem and problem is None:
        raise Refused(f"there is no problem {wish.problem}", "unknown_target")
    source = incident or problem
    service = source.service if source else UNKNOWN
    if wish.service:
        service = known("service", wish.service, rules.policy.services)
    requested = ChangeRequested(
        **rules.common(words=True),
        change=rules.command.ref,
        title=wish.title,
        team=rules.team("change", wish.team or rules.usual_team("change")),
        service=service,
        incident=wish.incident,
        problem=wish.problem,
    )
    ref, decided = rules.command.ref, Decided([requested])
    if incident is not None:
        decided += linked_on_incident(incident, "change", ref, rules)
    if problem is not None:
        common = rules.common()
        decided.append(ProblemChangeLinked(**common, problem=problem.ref, change=ref))
    return decided


def _done(  # noqa: C901, PLR0911 # one branch for each verb
    wish: LinkChange
    | UnlinkChange
    | AssignChange
    | PlanChange
    | ImplementChange
    | CancelChange,
    change: Change,
    other: Incident | Problem | None,
    rules: Rules,
) -> Decided:
    ref = change.ref
    match wish:
        case LinkChange():
            return Decided(link_of_record(change, wish, other, rules))
        case UnlinkChange():
            return Decided(unlink_of_record(change, wish, other, rules))
        case AssignChange():
            team = rules.team("change", wish.team)
            if team == change.team:
                return []
            listed = change.incidents[-LISTED_MAX:]
            common = {**rules.common(), "team": team, "incidents": listed}
            return [ChangeAssigned(**common, change=ref)]
        case PlanChange(planned_for=instant):
            if instant == change.planned_for:
                return []
            return [ChangePlanned(**rules.common(), change=ref, planned_for=instant)]
        case ImplementChange(note=note):
            common = rules.common(words=note is not None)
            return [ChangeImplemented(**common, change=ref, note=note)]
        case CancelChange(reason=reason):
            common = rules.common(words=True)
            return [ChangeCancelled(**common, change=ref, reason=reason)]
        case _:
            assert_never(wish)
