"""Links between incidents and other records; each side records its own.

A missing side is added whenever the link is requested again.
"""

from collections.abc import Collection, Mapping
from typing import assert_never

from services.intake.records.rules.context import DecisionContext
from shared.domain import events
from shared.domain.change import Change
from shared.domain.commands.change import LinkChange, UnlinkChange
from shared.domain.commands.incident import Link, Unlink
from shared.domain.commands.problem import LinkProblem, UnlinkProblem
from shared.domain.external_record import ExternalRecord
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.problem import Problem
from shared.domain.problem import Status as ProblemStatus
from shared.domain.record import Record, RecordEvent, RecordKind, kind_of
from shared.domain.refusal import Refused

MIRRORED: Mapping[events.Relation, events.Relation] = {
    "related": "related",
    "caused_by": "causes",
    "causes": "caused_by",
}
"""The relation as seen from the other incident; others are not between incidents."""
_RELATIONS: Mapping[RecordKind, tuple[events.Relation, ...]] = {
    "problem": ("problem", "related"),
    "change": ("change", "caused_by", "related"),
    "record": ("record",),
}
"""The relations that an incident may have to a record of another kind."""


def linked(
    command: Link, incident: Incident, context: DecisionContext
) -> list[RecordEvent]:
    """Return the link on both sides, as far as it does not exist yet."""
    relation, other = command.relation, _target(command, incident, context)
    mirrored = MIRRORED[relation] if isinstance(other, Incident) else relation
    return [
        *side_linked(incident, relation, other.ref, context),
        *side_linked(other, mirrored, incident.ref, context),
        *resolved_on_incident(incident, relation, other, context),
    ]


def _target(command: Link, incident: Incident, context: DecisionContext) -> Record:
    """Return the record to link to; raises `Refused` if that makes no sense."""
    target, relation = command.target, command.relation
    if not is_incident_ref(target):
        return _other_record(target, relation, context)
    if relation not in MIRRORED:
        raise Refused(
            f"{target} is an incident, not a {relation}: link it as "
            f"{', '.join(MIRRORED)}",
            "invalid",
        )
    if target == incident.ref:
        raise Refused("an incident is not linked to itself", "invalid")
    return require_linkable(target, context)


def _other_record(
    target: str, relation: events.Relation, context: DecisionContext
) -> Problem | Change | ExternalRecord:
    kind = kind_of(target)
    if kind not in _RELATIONS:
        raise Refused(
            f"{target} is not a record of this desk: link an incident (INC-…), a "
            "problem (PRB-…) or a change (CHG-…)",
            "invalid",
        )
    if relation not in (fitting := _RELATIONS[kind]):
        raise Refused(
            f"{target} is a {kind}, not to be linked as {relation}: link it as "
            f"{' or '.join(fitting)}",
            "invalid",
        )
    if kind == "problem":
        return context.require(Problem, target)
    if kind == "record":
        return context.require(ExternalRecord, target)
    return context.require(Change, target)


def require_linkable(ref: str, context: DecisionContext) -> Incident:
    """Return the incident that a command names; raise `Refused` if not linkable."""
    incident = context.require(Incident, ref)
    if incident.status is Status.MERGED:
        raise Refused(
            f"{ref} was merged: link to {incident.merged_into} instead", "state"
        )
    return incident


def unlinked(
    command: Unlink, incident: Incident, context: DecisionContext
) -> list[RecordEvent]:
    """Return the removal of the link on both sides, as far as it exists."""
    relation, target = command.relation, command.target
    decided = side_unlinked(incident, relation, target, context)
    other = context.others.get(target)
    mirrored = MIRRORED.get(relation) if isinstance(other, Incident) else relation
    if other is not None and mirrored is not None:
        decided += side_unlinked(other, mirrored, incident.ref, context)
    return decided


def record_linked(
    command: LinkProblem | LinkChange,
    record: Problem | Change,
    context: DecisionContext,
) -> list[RecordEvent]:
    """Return the link that a problem or change command requests, on both sides."""
    if command.incident is None:
        return [
            *link_of_change(*_problem_and_change(command, record, context), context)
        ]
    incident = require_linkable(command.incident, context)
    return [
        *side_linked(record, command.relation, incident.ref, context),
        *side_linked(incident, command.relation, record.ref, context),
        *resolved_on_incident(incident, command.relation, record, context),
    ]


def record_unlinked(
    command: UnlinkProblem | UnlinkChange,
    record: Problem | Change,
    context: DecisionContext,
) -> list[RecordEvent]:
    """Return the removal of a link of a problem or change, on both sides."""
    if command.incident is None:
        both = _problem_and_change(command, record, context)
        return [*unlink_of_change(*both, context)]
    incident = context.require(Incident, command.incident)
    return [
        *side_unlinked(record, command.relation, incident.ref, context),
        *side_unlinked(incident, command.relation, record.ref, context),
    ]


def _problem_and_change(
    command: LinkProblem | UnlinkProblem | LinkChange | UnlinkChange,
    record: Problem | Change,
    context: DecisionContext,
) -> tuple[Problem, Change]:
    """Return the problem and the change of a link; raises `Refused` if missing."""
    match command, record:
        case (LinkProblem() | UnlinkProblem(), Problem()):
            return record, context.require(Change, command.change or "")
        case (LinkChange() | UnlinkChange(), Change()):
            return context.require(Problem, command.problem or ""), record
        case _:
            raise TypeError(f"{command.verb} is not about {record.ref}")


def side_linked(
    record: Record, relation: events.Relation, ref: str, context: DecisionContext
) -> list[RecordEvent]:
    """Return the link of a record to `ref` on its own side, unless it exists."""
    if (relation, ref) in record.links:
        return []
    common = context.common()
    match record:
        case Incident(ref=own):
            link = {"incident": own, "relation": relation, "target": ref}
            return [events.IncidentLinked(**common, **link)]
        case Problem(ref=own) if relation == "problem":
            return [events.ProblemIncidentLinked(**common, problem=own, incident=ref)]
        case Problem(ref=own):
            return [events.ProblemIncidentRelated(**common, problem=own, incident=ref)]
        case Change(ref=own):
            link = {"change": own, "relation": relation, "incident": ref}
            return [events.ChangeIncidentLinked(**common, **link)]
        case ExternalRecord(ref=own):
            return [events.ExternalRecordLinked(**common, record=own, incident=ref)]
        case _:
            assert_never(record)


def side_unlinked(
    record: Record, relation: events.Relation, ref: str, context: DecisionContext
) -> list[RecordEvent]:
    """Return the removal of a link, or of a presumed one, on the record's own side."""
    if (relation, ref) not in record.links and not (
        relation == "problem" and ref in _presumed(record)
    ):
        return []
    common = {**context.common(), "relation": relation}
    match record:
        case Incident(ref=own):
            return [events.IncidentUnlinked(**common, incident=own, target=ref)]
        case Problem(ref=own):
            return [events.ProblemIncidentUnlinked(**common, problem=own, incident=ref)]
        case Change(ref=own):
            return [events.ChangeIncidentUnlinked(**common, change=own, incident=ref)]
        case ExternalRecord(ref=own):
            return [events.ExternalRecordUnlinked(**common, record=own, incident=ref)]
        case _:
            assert_never(record)


def _presumed(record: Record) -> Collection[str]:
    match record:
        case Incident():
            return record.presumed_problems
        case Problem():
            return record.presumed
        case Change() | ExternalRecord():
            return ()
        case _:
            assert_never(record)


def resolved_on_incident(
    incident: Incident,
    relation: events.Relation,
    record: Record,
    context: DecisionContext,
) -> list[events.IncidentProblemResolved]:
    """Return that an incident's problem was resolved, if that matters to it.

    It matters if the incident is still active, or ended with an open root cause.
    """
    if relation != "problem" or not isinstance(record, Problem):
        return []
    matters = incident.root_cause_open or incident.status in AT_WORK
    said = incident.resolved_problems.get(record.ref) == incident.cycle
    if record.status is not ProblemStatus.RESOLVED or not matters or said:
        return []
    common = {**context.common(), "incident": incident.ref}
    return [events.IncidentProblemResolved(**common, problem=record.ref)]


Joined = (
    events.ProblemIncidentLinked
    | events.ProblemIncidentPresumed
    | events.ProblemIncidentUnlinked
    | events.IncidentLinked
    | events.IncidentProblemPresumed
    | events.IncidentProblemResolved
    | events.IncidentUnlinked
)
"""The events of links between an incident and a problem that are made automatically."""


def joined(
    problem: Problem,
    incident: Incident,
    match: events.Match,
    context: DecisionContext,
    *,
    certain: bool,
) -> list[Joined]:
    """Return that an incident joins a problem automatically, on both sides.

    Empty if it was merged in the meantime, or a person has linked a problem to it.
    """
    ref = incident.ref
    if incident.status is Status.MERGED or incident.problems:
        return []
    common = context.common()
    if not certain:
        if problem.ref in incident.presumed_problems:
            return []
        return [
            events.ProblemIncidentPresumed(**common, problem=problem.ref, incident=ref),
            events.IncidentProblemPresumed(**common, problem=problem.ref, incident=ref),
        ]
    link = {**common, "incident": ref, "matched": match}
    return [
        events.ProblemIncidentLinked(**link, problem=problem.ref),
        events.IncidentLinked(**link, relation="problem", target=problem.ref),
    ]


def no_longer_presumed(
    problem: Problem, incident: Incident, context: DecisionContext
) -> list[Joined]:
    """Return the removal of a presumed link that no longer needs confirmation."""
    if problem.ref not in incident.presumed_problems:
        return []
    common = {**context.common(), "incident": incident.ref, "relation": "problem"}
    on_record = [events.ProblemIncidentUnlinked(**common, problem=problem.ref)]
    return [*on_record, events.IncidentUnlinked(**common, target=problem.ref)]


def link_of_change(
    problem: Problem, change: Change, context: DecisionContext
) -> list[events.ProblemEvent | events.ChangeEvent]:
    """Return the link of a change to the one problem it solves, on both sides."""
    if change.problem not in {None, problem.ref}:
        raise Refused(
            f"{change.ref} is to solve {change.problem}: unlink it there first", "state"
        )
    both = {**context.common(), "problem": problem.ref, "change": change.ref}
    decided = list[events.ProblemEvent | events.ChangeEvent]()
    if change.ref not in problem.changes:
        decided.append(events.ProblemChangeLinked(**both))
    if change.problem is None:
        decided.append(events.ChangeProblemLinked(**both))
    return decided


def unlink_of_change(
    problem: Problem, change: Change, context: DecisionContext
) -> list[events.ProblemEvent | events.ChangeEvent]:
    """Return the removal of the link of a change to a problem, on both sides."""
    both = {**context.common(), "problem": problem.ref, "change": change.ref}
    decided = list[events.ProblemEvent | events.ChangeEvent]()
    if change.ref in problem.changes:
        decided.append(events.ProblemChangeUnlinked(**both))
    if change.problem == problem.ref:
        decided.append(events.ChangeProblemUnlinked(**both))
    return decided
