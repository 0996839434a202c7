"""Rules for merging duplicates, for undoing a merge, and for splitting an incident."""

from services.intake.records.rules.assignment import taken
from services.intake.records.rules.contacts import unpaused
from services.intake.records.rules.context import DecisionContext
from shared.domain import events
from shared.domain.commands.incident import Merge, Split, Unmerge
from shared.domain.incident import AT_WORK, Incident, Status, evolve
from shared.domain.refusal import Refused

SIGNALS_MAX, REPORTERS_MAX = 400, 200
"""What one event can carry over to another incident."""


def merged(
    command: Merge, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the events of a merge: signals and reporters move to the target."""
    if incident.merged_into == command.into:
        return []
    target = _target(command, incident, context)
    if len(incident.signals) > SIGNALS_MAX or len(incident.reporters) > REPORTERS_MAX:
        raise Refused(
            f"{incident.ref} has more than {SIGNALS_MAX} signals or {REPORTERS_MAX} "
            "reporters: merge the other way round, or link the two instead",
            "invalid",
        )
    return [
        *unpaused("merged", incident, context),
        events.IncidentMerged(**context.on(incident.ref), into=target.ref),
        events.IncidentAbsorbed(
            **context.on(target.ref),
            merged=incident.ref,
            signals=dict(incident.signals),
            reporters=tuple(sorted(incident.reporters)),
        ),
    ]


def _target(command: Merge, incident: Incident, context: DecisionContext) -> Incident:
    if incident.status is Status.MERGED:
        raise Refused(
            f"{incident.ref} is merged into {incident.merged_into}: unmerge it first",
            "state",
        )
    if command.into == incident.ref:
        raise Refused("an incident is not merged into itself", "invalid")
    other = context.require(Incident, command.into)
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


def unmerged(
    _: Unmerge, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the events that undo a merge: its signals return as they are now."""
    other = context.require(Incident, str(incident.merged_into))
    if other.status is Status.MERGED:
        raise Refused(f"{other.ref} is merged itself: unmerge that first", "state")
    signals = {
        key: other.signals[key] for key in incident.signals if key in other.signals
    }
    return [
        events.IncidentUnmerged(
            **context.on(incident.ref), out_of=other.ref, signals=signals
        ),
        events.IncidentReleased(
            **context.on(other.ref),
            merged=incident.ref,
            signal_keys=tuple(signals),
        ),
    ]


def split(
    command: Split, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the events that open an incident for a part; it keeps `reported_at`."""
    new = context.new
    if new is None:
        raise ValueError("a split needs the reference of the new incident")
    if new in incident.split_into:
        return []
    unknown = [key for key in command.signal_keys if key not in incident.signals]
    if unknown:
        raise Refused(
            f"{incident.ref} has no signal {unknown[0]}: name keys of its `signals`",
            "invalid",
        )
    if command.reporter and command.reporter not in incident.reporters:
        raise Refused(
            f"{command.reporter} did not report {incident.ref}: name one of its "
            "`reporters`, or nobody",
            "invalid",
        )
    opening = _opening(command, new, incident, context)
    return [
        events.IncidentSplit(
            **context.on(incident.ref), into=new, signal_keys=command.signal_keys
        ),
        opening,
        *taken(evolve(None, opening), context),
    ]


def _opening(
    command: Split, new: str, incident: Incident, context: DecisionContext
) -> events.IncidentOpened:
    whose = f"person:{command.reporter}" if command.reporter else context.by
    return events.IncidentOpened(
        **context.on(new, whose),
        origin="split",
        title=command.title,
        service=incident.service,
        category=incident.category,
        client=incident.client,
        impact=incident.impact,
        urgency=incident.urgency,
        priority=incident.priority,
        override=incident.override,
        team=incident.team,
        reporter=command.reporter,
        reported_at=incident.reported_at,
        split_from=incident.ref,
        split_signals={key: incident.signals[key] for key in command.signal_keys},
    )
