"""Links to other records; between two incidents each side holds its own.

A problem or change holds its side too: see `record_links`.
"""

from collections.abc import Mapping

from services.intake.decider.circumstances import Circumstances
from services.intake.decider.record_links import is_linked
from services.intake.decider.refused import Refused
from shared.domain.change import Change
from shared.domain.commands.incident import Link, Unlink
from shared.domain.events import IncidentEvent
from shared.domain.events.incident_ties import (
    IncidentLinked,
    IncidentUnlinked,
    Relation,
)
from shared.domain.identifiers import is_incident_ref
from shared.domain.incident import Incident, Status
from shared.domain.problem import Problem

MIRRORED: Mapping[Relation, Relation] = {
    "related": "related",
    "caused_by": "causes",
    "causes": "caused_by",
}
"""How the other incident sees it; what is not here is no relation of two incidents."""

_KINDS: Mapping[str, str] = {"PRB": "problem", "CHG": "change"}
_RELATIONS: Mapping[str, tuple[Relation, ...]] = {
    "problem": ("problem", "related"),
    "change": ("change", "caused_by", "related"),
}
"""What an incident may have to do with a record of another kind."""


def linked(
    wish: Link, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    """Return the link on both sides, as far as it is not there already."""
    other = _other(wish, incident, circumstances)
    return [
        IncidentLinked(**circumstances.on(side.ref), relation=relation, target=target)
        for side, relation, target in _sides(wish, incident, other)
        if (relation, target) not in side.links
    ]


def unlinked(
    wish: Unlink, incident: Incident, circumstances: Circumstances
) -> list[IncidentEvent]:
    """Return the end of the link on both sides, as far as it is there."""
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
    wish: Link, incident: Incident, circumstances: Circumstances
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
