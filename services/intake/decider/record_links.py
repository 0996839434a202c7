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
from shared.events.incident_ties import IncidentLinked, IncidentUnlinked, Relation
from shared.events.problem import (
    ProblemIncidentLinked,
    ProblemIncidentRelated,
    ProblemIncidentUnlinked,
)
from shared.incident import Incident
from shared.problems import Problem
from shared.problems.wishes import LinkProblem, UnlinkProblem


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
    if (relation, incident) not in record.links:
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
    if (relation, record) not in incident.links:
        return []
    common = {**rules.common(), "incident": incident.ref}
    return [IncidentUnlinked(**common, relation=relation, target=record)]


def link_of_record(
    record: Problem | Change,
    wish: LinkProblem | LinkChange,
    incident: Incident | None,
    rules: Rules,
) -> list[ProblemEvent | ChangeEvent | IncidentLinked]:
    """Return the link that a problem or change asks for, on both sides."""
    incident = require_incident(wish.incident, incident)
    return [
        *linked_on_record(record, wish.relation, incident.ref, rules),
        *linked_on_incident(incident, wish.relation, record.ref, rules),
    ]


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
