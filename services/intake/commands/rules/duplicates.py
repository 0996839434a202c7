"""Rules for merging duplicates, for undoing a merge, and for splitting an incident."""

from services.intake.commands.rules.assignment import taken
from services.intake.commands.rules.context import DecisionContext, Refused
from services.intake.commands.rules.resolution import unpaused
from shared.domain.commands.incident import Merge, Split
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.incident_ties import (
    IncidentAbsorbed,
    IncidentMerged,
    IncidentReleased,
    IncidentSplit,
    IncidentUnmerged,
)
from shared.domain.incident import AT_WORK, Incident, Status, evolve

SIGNALS_MAX, REPORTERS_MAX = 400, 200
"""What one event can carry over to another incident."""


def merged(
    wish: Merge, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a merge: signals and reporters move to the target."""
    if incident.merged_into == wish.into:
        return []
    target = _target(wish, incident, circumstances.other)
    if len(incident.signals) > SIGNALS_MAX or len(incident.reporters) > REPORTERS_MAX:
        raise Refused(
            f"{incident.ref} has more than {SIGNALS_MAX} signals or {REPORTERS_MAX} "
            "reporters: merge the other way round, or link the two instead",
            "invalid",
        )
    return [
        *unpaused(incident, circumstances, "merged"),
        IncidentMerged(**circumstances.on(incident.ref), into=target.ref),
        IncidentAbsorbed(
            **circumstances.on(target.ref),
            merged=incident.ref,
            signals=dict(incident.signals),
            reporters=tuple(sorted(incident.reporters)),
        ),
    ]


def _target(wish: Merge, incident: Incident, other: Incident | None) -> Incident:
    if incident.status is Status.MERGED:
        raise Refused(
            f"{incident.ref} is merged into {incident.merged_into}: unmerge it first",
            "state",
        )
    if wish.into == incident.ref:
        raise Refused("an incident is not merged into itself", "invalid")
    if other is None:
        raise Refused(f"there is no incident {wish.into}", "unknown_target")
    if other.status is Status.MERGED:
        raise Refused(
            f"{other.ref} is merged itself: merge into {other.merged_into}", "state"
        )
    if other.status not in AT_WORK:
        raise Refused(
            f"{other.ref} is {other.status}: reopen it first, or link the two instead",
            "state",
        )
    return other


def unmerged(incident: Incident, circumstances: DecisionContext) -> list[IncidentEvent]:
    """Return the events that undo a merge: its signals return as they are now."""
    other = circumstances.other
    if other is None:
        raise Refused(f"there is no incident {incident.merged_into}", "unknown_target")
    if other.status is Status.MERGED:
        raise Refused(f"{other.ref} is merged itself: unmerge that first", "state")
    signals = {
        key: other.signals[key] for key in incident.signals if key in other.signals
    }
    return [
        IncidentUnmerged(
            **circumstances.on(incident.ref), out_of=other.ref, signals=signals
        ),
        IncidentReleased(
            **circumstances.on(other.ref),
            merged=incident.ref,
            signal_keys=tuple(signals),
        ),
    ]


def split(
    wish: Split, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events that open an incident for a part; it keeps `reported_at`."""
    new = circumstances.command.new
    if new is None:
        raise ValueError("a split needs the reference of the new incident")
    if new in incident.split_into:
        return []
    unknown = [key for key in wish.signal_keys if key not in incident.signals]
    if unknown:
        raise Refused(
            f"{incident.ref} has no signal {unknown[0]}: name keys of its `signals`",
            "invalid",
        )
    if wish.reporter and wish.reporter not in incident.reporters:
        raise Refused(
            f"{wish.reporter} did not report {incident.ref}: name one of its "
            "`reporters`, or nobody",
            "invalid",
        )
    opening = _opening(wish, new, incident, circumstances)
    return [
        IncidentSplit(
            **circumstances.on(incident.ref), into=new, signal_keys=wish.signal_keys
        ),
        opening,
        *taken(evolve(None, opening), circumstances),
    ]


def _opening(
    wish: Split, new: str, incident: Incident, circumstances: DecisionContext
) -> IncidentOpened:
    whose = f"person:{wish.reporter}" if wish.reporter else circumstances.command.by
    return IncidentOpened(
        **circumstances.on(new, whose),
        origin="split",
        title=wish.title,
        service=incident.service,
        category=incident.category,
        client=incident.client,
        impact=incident.impact,
        urgency=incident.urgency,
        priority=incident.priority,
        override=incident.override,
        team=incident.team,
        reporter=wish.reporter,
        reported_at=incident.reported_at,
        split_from=incident.ref,
        split_signals={key: incident.signals[key] for key in wish.signal_keys},
    )
