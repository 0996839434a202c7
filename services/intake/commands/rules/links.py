"""Links between incidents, problems and changes; each side records its own.

A missing side is added whenever the link is requested again.
"""

from collections.abc import Mapping

from services.intake.commands.rules.context import DecisionContext, Refused
from services.intake.commands.rules.record_rules import (
    Rules,
    require_incident,
    require_known,
)
from shared.domain.change import Change
from shared.domain.commands.change import LinkChange, UnlinkChange
from shared.domain.commands.incident import Link, Unlink
from shared.domain.commands.problem import LinkProblem, UnlinkProblem
from shared.domain.events import ChangeEvent, IncidentEvent, ProblemEvent
from shared.domain.events.change import (
    ChangeIncidentLinked,
    ChangeIncidentUnlinked,
    ChangeProblemLinked,
    ChangeProblemUnlinked,
)
from shared.domain.events.incident_ties import (
    IncidentLinked,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentUnlinked,
    Relation,
)
from shared.domain.events.problem import (
    Match,
    ProblemChangeLinked,
    ProblemChangeUnlinked,
    ProblemIncidentLinked,
    ProblemIncidentPresumed,
    ProblemIncidentRelated,
    ProblemIncidentUnlinked,
)
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import AT_WORK, Incident, Status
from shared.domain.problem import Problem
from shared.domain.problem import Status as ProblemStatus

Joined = (
    ProblemIncidentLinked
    | ProblemIncidentPresumed
    | ProblemIncidentUnlinked
    | IncidentLinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
    | IncidentUnlinked
)
"""The events of links between an incident and a problem that are made automatically."""


def linked_on_record(
    record: Problem | Change, relation: Relation, incident: str, rules: Rules
) -> list[ProblemEvent | ChangeEvent]:
    """Return the link on the side of a problem or change, unless it exists."""
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
    """Return the removal of the link on the side of a problem or change."""
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
    """Return the link on the side of an incident, unless it exists."""
    if (relation, record) in incident.links:
        return []
    common = {**rules.common(), "incident": incident.ref}
    return [IncidentLinked(**common, relation=relation, target=record)]


def unlinked_on_incident(
    incident: Incident, relation: Relation, record: str, rules: Rules
) -> list[IncidentUnlinked]:
    """Return the removal of the link on the side of an incident."""
    if not is_linked(incident, relation, record):
        return []
    common = {**rules.common(), "incident": incident.ref}
    return [IncidentUnlinked(**common, relation=relation, target=record)]


def is_linked(incident: Incident, relation: Relation, record: str) -> bool:
    """Return whether there is a link to remove, including a presumed one."""
    presumed = relation == "problem" and record in incident.presumed_problems
    return presumed or (relation, record) in incident.links


def link_of_record(
    record: Problem | Change,
    wish: LinkProblem | LinkChange,
    other: Incident | Problem | Change | None,
    rules: Rules,
) -> list[ProblemEvent | ChangeEvent | IncidentLinked | IncidentProblemResolved]:
    """Return the link that a problem or change command requests, on both sides."""
    if wish.incident is None:
        return [*link_of_change(*_problem_and_change(record, wish, other), rules)]
    found = other if isinstance(other, Incident) else None
    incident = require_incident(wish.incident, found)
    return [
        *linked_on_record(record, wish.relation, incident.ref, rules),
        *linked_on_incident(incident, wish.relation, record.ref, rules),
        *resolved_on_incident(incident, wish.relation, record, rules),
    ]


def resolved_on_incident(
    incident: Incident, relation: Relation, record: Problem | Change, rules: Rules
) -> list[IncidentProblemResolved]:
    """Return that an incident's problem was resolved, if that matters to it.

    It matters if the incident is still active, or ended with an open root cause.
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
    """Return that an incident joins a problem automatically, on both sides.

    Empty if it was merged in the meantime, or a person has linked a problem to it.
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
    """Return the removal of a presumed link that no longer needs confirmation."""
    if problem.ref not in incident.presumed_problems:
        return []
    common = {**rules.common(), "incident": incident.ref, "relation": "problem"}
    on_record = [ProblemIncidentUnlinked(**common, problem=problem.ref)]
    return [*on_record, IncidentUnlinked(**common, target=problem.ref)]


def unlink_of_record(
    record: Problem | Change,
    wish: UnlinkProblem | UnlinkChange,
    other: Incident | Problem | Change | None,
    rules: Rules,
) -> list[ProblemEvent | ChangeEvent | IncidentUnlinked]:
    """Return the removal of a link of a problem or change, on both sides."""
    if wish.incident is None:
        return [*unlink_of_change(*_problem_and_change(record, wish, other), rules)]
    found = other if isinstance(other, Incident) else None
    incident = require_known(wish.incident, found)
    return [
        *unlinked_on_record(record, wish.relation, incident.ref, rules),
        *unlinked_on_incident(incident, wish.relation, record.ref, rules),
    ]


def link_of_change(
    problem: Problem, change: Change, rules: Rules
) -> list[ProblemEvent | ChangeEvent]:
    """Return the link of a change to the one problem it solves, on both sides."""
    if change.problem not in {None, problem.ref}:
        raise Refused(
            f"{change.ref} is to solve {change.problem}: unlink it there first", "state"
        )
    common, decided = rules.common(), list[ProblemEvent | ChangeEvent]()
    if change.ref not in problem.changes:
        linked = ProblemChangeLinked(**common, problem=problem.ref, change=change.ref)
        decided.append(linked)
    if change.problem is None:
        named = {"problem": problem.ref, "change": change.ref}
        decided.append(ChangeProblemLinked(**common, **named))
    return decided


def unlink_of_change(
    problem: Problem, change: Change, rules: Rules
) -> list[ProblemEvent | ChangeEvent]:
    """Return the removal of the link of a change to a problem, on both sides."""
    common, decided = rules.common(), list[ProblemEvent | ChangeEvent]()
    named = {"problem": problem.ref, "change": change.ref}
    if change.ref in problem.changes:
        decided.append(ProblemChangeUnlinked(**common, **named))
    if change.problem == problem.ref:
        decided.append(ChangeProblemUnlinked(**common, **named))
    return decided


def _problem_and_change(
    record: Problem | Change,
    wish: LinkProblem | UnlinkProblem | LinkChange | UnlinkChange,
    other: Incident | Problem | Change | None,
) -> tuple[Problem, Change]:
    """Return the problem and the change of a link; raises `Refused` if missing."""
    match record, other:
        case (Problem() as problem, Change() as change):
            return problem, change
        case (Change() as change, Problem() as problem):
            return problem, change
        case _:
            pass
    if isinstance(wish, LinkProblem | UnlinkProblem):
        raise Refused(f"there is no change {wish.change}", "unknown_target")
    raise Refused(f"there is no problem {wish.problem}", "unknown_target")


MIRRORED: Mapping[Relation, Relation] = {
    "related": "related",
    "caused_by": "causes",
    "causes": "caused_by",
}
"""The relation as seen from the other incident; others are not between incidents."""

_KINDS: Mapping[str, str] = {"PRB": "problem", "CHG": "change"}
_RELATIONS: Mapping[str, tuple[Relation, ...]] = {
    "problem": ("problem", "related"),
    "change": ("change", "caused_by", "related"),
}
"""The relations that an incident may have to a record of another kind."""


def linked(
    wish: Link, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the link on both sides, as far as it does not exist yet."""
    other = _other(wish, incident, circumstances)
    return [
        IncidentLinked(**circumstances.on(side.ref), relation=relation, target=target)
        for side, relation, target in _sides(wish, incident, other)
        if (relation, target) not in side.links
    ]


def unlinked(
    wish: Unlink, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the removal of the link on both sides, as far as it exists."""
    return [
        IncidentUnlinked(**circumstances.on(side.ref), relation=relation, target=target)
        for side, relation, target in _sides(wish, incident, circumstances.other)
        if is_linked(side, relation, target)
    ]


def _sides(
    wish: Link | Unlink, incident: Incident, other: Incident | None
) -> list[tuple[Incident, Relation, str]]:
    own = (incident, wish.relation, wish.target)
    mirrored = MIRRORED.get(wish.relation)
    if other is None or mirrored is None:
        return [own]
    return [own, (other, mirrored, incident.ref)]


def _other(
    wish: Link, incident: Incident, circumstances: DecisionContext
) -> Incident | None:
    target, other = wish.target, circumstances.other
    if not is_incident_ref(target):
        _require_record(wish, circumstances.record)
        return None
    if wish.relation not in MIRRORED:
        raise Refused(
            f"{target} is an incident, not a {wish.relation}: link it as "
            f"{', '.join(MIRRORED)}",
            "invalid",
        )
    if target == incident.ref:
        raise Refused("an incident is not linked to itself", "invalid")
    if other is None:
        raise Refused(f"there is no incident {target}", "unknown_target")
    if other.status is Status.MERGED:
        raise Refused(
            f"{target} was merged: link to {other.merged_into} instead", "state"
        )
    return other


def _require_record(wish: Link, record: Problem | Change | None) -> None:
    target, relation = wish.target, wish.relation
    kind = _KINDS.get(target.partition("-")[0])
    if kind is None:
        raise Refused(
            f"{target} is no record of this desk: link an incident (INC-…), a problem "
            "(PRB-…) or a change (CHG-…)",
            "invalid",
        )
    if relation not in (fitting := _RELATIONS[kind]):
        raise Refused(
            f"{target} is a {kind}, not to be linked as {relation}: link it as "
            f"{' or '.join(fitting)}",
            "invalid",
        )
    if record is None:
        raise Refused(f"there is no {kind} {target}", "unknown_target")
