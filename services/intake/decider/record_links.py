"""Links between incidents and problems or changes: each side holds its own.

A side that is missing is made good whenever the link is asked for again.
"""

from services.intake.decider.record_rules import (
    Rules,
    require_incident,
    require_known,
)
from shared.changes import Change
from shared.changes.wishes import LinkChange, UnlinkChange
from shared.events import ChangeEvent, ProblemEvent
from shared.events.change import ChangeIncidentLinked, ChangeIncidentUnlinked
from shared.events.incident_ties import (
    IncidentLinked,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentUnlinked,
    Relation,
)
from shared.events.problem import (
    Match,
    ProblemIncidentLinked,
    ProblemIncidentPresumed,
    ProblemIncidentRelated,
    ProblemIncidentUnlinked,
)
from shared.incident import AT_WORK, Incident, Status
from shared.problems import Problem
from shared.problems import Status as ProblemStatus
from shared.problems.wishes import LinkProblem, UnlinkProblem

Joined = (
    ProblemIncidentLinked
    | ProblemIncidentPresumed
    | ProblemIncidentUnlinked
    | IncidentLinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
    | IncidentUnlinked
)
"""What becomes of an incident and a problem that nobody linked by hand."""


def linked_on_record(
    record: Problem | Change, relation: Relation, incident: str, rules: Rules
) -> list[ProblemEvent | ChangeEvent]:
    """Return the link on the side of a problem or change, if it is not there."""
    if (relation, incident) in record.links:
        return []
    common = {**rules.common(), "incident": incident}
    match record:
        case Problem(ref=ref) if relation == "problem":
            return [ProblemIncidentLinked(**common, problem=ref)]
        case Problem(ref=ref):
            return [ProblemIncidentRelated(**common, problem=ref)]
        case Change(ref=ref):
            return [ChangeIncidentLinked(**common, change=ref, relation=relation)]


def unlinked_on_record(
    record: Problem | Change, relation: Relation, incident: str, rules: Rules
) -> list[ProblemEvent | ChangeEvent]:
    """Return the end of the link on the side of a problem or change."""
    presumed = (
        isinstance(record, Problem)
        and relation == "problem"
        and incident in record.presumed
    )
    if (relation, incident) not in record.links and not presumed:
        return []
    common = {**rules.common(), "incident": incident, "relation": relation}
    match record:
        case Problem(ref=ref):
            return [ProblemIncidentUnlinked(**common, problem=ref)]
        case Change(ref=ref):
            return [ChangeIncidentUnlinked(**common, change=ref)]


def linked_on_incident(
    incident: Incident, relation: Relation, record: str, rules: Rules
) -> list[IncidentLinked]:
    """Return the link on the side of an incident, if it is not there."""
    if (relation, record) in incident.links:
        return []
    common = {**rules.common(), "incident": incident.ref}
    return [IncidentLinked(**common, relation=relation, target=record)]


def unlinked_on_incident(
    incident: Incident, relation: Relation, record: str, rules: Rules
) -> list[IncidentUnlinked]:
    """Return the end of the link on the side of an incident."""
    if not is_linked(incident, relation, record):
        return []
    common = {**rules.common(), "incident": incident.ref}
    return [IncidentUnlinked(**common, relation=relation, target=record)]


def is_linked(incident: Incident, relation: Relation, record: str) -> bool:
    """Tell whether there is a link to take back, be it presumed only."""
    presumed = relation == "problem" and record in incident.presumed_problems
    return presumed or (relation, record) in incident.links


def link_of_record(
    record: Problem | Change,
    wish: LinkProblem | LinkChange,
    incident: Incident | None,
    rules: Rules,
) -> list[ProblemEvent | ChangeEvent | IncidentLinked | IncidentProblemResolved]:
    """Return the link that a problem or change asks for, on both sides."""
    incident = require_incident(wish.incident, incident)
    return [
        *linked_on_record(record, wish.relation, incident.ref, rules),
        *linked_on_incident(incident, wish.relation, record.ref, rules),
        *resolved_on_incident(incident, wish.relation, record, rules),
    ]


def resolved_on_incident(
    incident: Incident, relation: Relation, record: Problem | Change, rules: Rules
) -> list[IncidentProblemResolved]:
    """Return that the problem of an incident was resolved, where that matters to it.

    It does where the incident is not over, or ended with its cause left open.
    """
    if relation != "problem" or not isinstance(record, Problem):
        return []
    matters = incident.root_cause_open or incident.status in AT_WORK
    said = incident.resolved_problems.get(record.ref) == incident.cycle
    if record.status is not ProblemStatus.RESOLVED or not matters or said:
        return []
    common = {**rules.common(), "incident": incident.ref}
    return [IncidentProblemResolved(**common, problem=record.ref)]


def joined(
    problem: Problem,
    incident: Incident,
    match: Match,
    rules: Rules,
    *,
    certain: bool,
) -> list[Joined]:
    """Return that an incident joins a problem by itself, on both sides.

    Nothing where it was merged meanwhile, or a person has found a cause of it.
    """
    ref = incident.ref
    if incident.status is Status.MERGED or incident.problems:
        return []
    common = rules.common()
    if not certain:
        if problem.ref in incident.presumed_problems:
            return []
        return [
            ProblemIncidentPresumed(**common, problem=problem.ref, incident=ref),
            IncidentProblemPresumed(**common, problem=problem.ref, incident=ref),
        ]
    linked = {**common, "incident": ref, "matched": match}
    return [
        ProblemIncidentLinked(**linked, problem=problem.ref),
        IncidentLinked(**linked, relation="problem", target=problem.ref),
    ]


def no_longer_presumed(
    problem: Problem, incident: Incident, rules: Rules
) -> list[Joined]:
    """Return that nobody has to confirm any more that an incident has a problem."""
    if problem.ref not in incident.presumed_problems:
        return []
    common = {**rules.common(), "incident": incident.ref, "relation": "problem"}
    on_record = [ProblemIncidentUnlinked(**common, problem=problem.ref)]
    return [*on_record, IncidentUnlinked(**common, target=problem.ref)]


def unlink_of_record(
    record: Problem | Change,
    wish: UnlinkProblem | UnlinkChange,
    incident: Incident | None,
    rules: Rules,
) -> list[ProblemEvent | ChangeEvent | IncidentUnlinked]:
    """Return the end of a link that a problem or change asks for, on both sides."""
    incident = require_known(wish.incident, incident)
    return [
        *unlinked_on_record(record, wish.relation, incident.ref, rules),
        *unlinked_on_incident(incident, wish.relation, record.ref, rules),
    ]
