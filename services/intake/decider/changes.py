"""Every rule about a change: requested, planned, implemented or cancelled."""

from typing import assert_never

from services.intake.commands import RecordCommand
from services.intake.decider.names import known
from services.intake.decider.record_links import (
    linked_on_incident,
    linked_on_record,
    unlinked_on_incident,
    unlinked_on_record,
)
from services.intake.decider.record_rules import (
    Rules,
    require_incident,
    require_known,
)
from services.intake.decider.record_tables import CHANGES, is_record_to_do
from services.intake.decider.refused import Refused
from shared.changes import Change
from shared.changes.wishes import (
    CancelChange,
    ChangeWish,
    ImplementChange,
    LinkChange,
    PlanChange,
    RequestChange,
    UnlinkChange,
)
from shared.events import ChangeEvent, ProblemEvent
from shared.events.change import (
    ChangeCancelled,
    ChangeImplemented,
    ChangePlanned,
    ChangeRequested,
)
from shared.events.incident_ties import IncidentLinked, IncidentUnlinked
from shared.events.problem import ProblemChangeLinked
from shared.incident import Incident
from shared.policy.document import Policy
from shared.policy.services import UNKNOWN
from shared.problems import Problem

Decided = list[ChangeEvent | ProblemEvent | IncidentLinked | IncidentUnlinked]


def decide_change(
    command: RecordCommand[ChangeWish],
    change: Change | None,
    *,
    incident: Incident | None,
    problem: Problem | None,
    policy: Policy,
    policy_version: int,
) -> Decided:
    """Return the events `command` makes true, in order; none if it is so already.

    `incident` and `problem` are those the wish names; a link to them is recorded on
    their sides too. Raises `Refused` for no.
    """
    rules, wish = Rules(command, policy, policy_version), command.wish
    if isinstance(wish, RequestChange):
        return _requested(wish, incident, problem, rules) if change is None else []
    if change is None:
        raise Refused(
            f"there is no change {command.ref} to {wish.verb}", "unknown_change"
        )
    if not is_record_to_do(CHANGES, wish.verb, change):
        return []
    return _done(wish, change, incident, rules)


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


def _done(
    wish: LinkChange | UnlinkChange | PlanChange | ImplementChange | CancelChange,
    change: Change,
    incident: Incident | None,
    rules: Rules,
) -> Decided:
    ref = change.ref
    match wish:
        case LinkChange(incident=named, relation=relation):
            incident = require_incident(named, incident)
            return [
                *linked_on_record(change, relation, named, rules),
                *linked_on_incident(incident, relation, ref, rules),
            ]
        case UnlinkChange(incident=named, relation=relation):
            incident = require_known(named, incident)
            return [
                *unlinked_on_record(change, relation, named, rules),
                *unlinked_on_incident(incident, relation, ref, rules),
            ]
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
