"""Rules for the effect of signals on an incident.

The signals arrive here after correlation, which decides which ones matter.
"""

from typing import assert_never

from services.intake.records.rules.assignment import back_at_the_desk
from services.intake.records.rules.context import DecisionContext
from services.intake.records.rules.resolution import (
    is_quick_fix,
    may_reopen,
    resolution,
)
from services.intake.records.rules.snooze import end_of_snooze
from services.intake.records.signal import AUTHOR, Signal
from services.intake.records.system_command import (
    AcknowledgeSource,
    Flap,
    NoteSource,
    Recover,
    Trigger,
)
from shared.domain import events
from shared.domain.incident import AT_WORK, Incident, Status, evolve
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.policy.document import Classification, Policy
from shared.domain.policy.priorities import Severity
from shared.domain.refusal import Refused

ASSUMED: Severity = "error"
"""The severity of a signal whose source gives none: better a page too many."""


def opened(command: Trigger, context: DecisionContext) -> list[events.IncidentEvent]:
    """Return the opening of an incident by a signal."""
    signal = command.signal
    found = _classification(context.policy, signal, signal.service)
    unlisted = signal.service if found.service == UNKNOWN else None
    return [
        events.IncidentOpened(
            **context.on(context.ref, context.by),
            origin="monitoring",
            title=signal.title,
            service=found.service,
            claimed_service=unlisted,
            impact=found.impact,
            urgency=found.urgency,
            severity=signal.severity,
            priority=found.priority,
            team=context.policy.team_of_first_contact,
            source=signal.source,
            signal_key=command.signal_key,
            dedup_key=signal.dedup_key,
            labels=signal.labels or None,
            details=signal.details,
            reported_at=command.reported_at or command.received_at,
            received_at=command.received_at,
            occurred_at=signal.occurred_at,
            follows=command.follows,
            rule=command.rule,
            rule_of=command.of,
        ),
        *_assigned(command, context),
    ]


def _assigned(command: Trigger, context: DecisionContext) -> list[events.IncidentEvent]:
    """Assign it to the team from the policy's table; the desk stays its owner."""
    if command.team in (None, context.policy.team_of_first_contact):
        return []
    common = context.on(context.ref)
    return [events.IncidentAssigned(**common, team=command.team)]


def fired(
    command: Trigger, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the effect of a signal that fires, which may reopen the incident."""
    is_over = incident.status not in AT_WORK
    return [
        _firing(command, incident, context),
        *(back_at_the_desk(incident, context) if is_over else ()),
        *_raised(command.signal, incident, context),
        *(end_of_snooze("severity", incident, context) if command.wakes else ()),
    ]


def source_acknowledged(
    command: AcknowledgeSource, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return that somebody acknowledged the alert at its source."""
    if command.signal_key in incident.source_acknowledged:
        return []
    return [
        events.IncidentSourceAcknowledged(
            **context.on(incident.ref),
            source=command.signal.source,
            signal_key=command.signal_key,
            occurred_at=command.signal.occurred_at,
        )
    ]


def source_noted(
    command: NoteSource, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the note that somebody wrote at the source."""
    signal = command.signal
    return [
        events.IncidentSourceNoted(
            **context.on(incident.ref, context.by),
            source=signal.source,
            signal_key=command.signal_key,
            note=signal.details or signal.title,
            author=signal.labels.get(AUTHOR),
            occurred_at=signal.occurred_at,
        )
    ]


def _firing(
    command: Trigger, incident: Incident, context: DecisionContext
) -> events.IncidentEvent:
    signal = command.signal
    said = {
        **context.on(incident.ref),
        "signal_key": command.signal_key,
        "severity": signal.severity,
        "occurred_at": signal.occurred_at,
        "rule": command.rule,
        "rule_of": command.of,
    }
    if incident.status not in AT_WORK:
        return _reopened(incident, context, {**said, "repeats": command.repeats})
    fires_already = incident.signals.get(command.signal_key) == "firing"
    if incident.restored_at is not None and not fires_already:
        return events.IncidentRelapsed(**said)
    if command.joins:
        said["whose"] = f"source:{signal.source}"
    return events.IncidentSignalled(
        **said,
        source=signal.source,
        repeats=command.repeats,
        last_at=command.received_at,
        title=signal.title if command.joins else None,
        dedup_key=signal.dedup_key if command.joins else None,
    )


def flapped(
    command: Flap, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return that the alert started to flap, or stopped."""
    said = {
        **context.on(incident.ref),
        "source": command.source,
        "signal_key": command.signal_key,
        "changes": command.changes,
        "since": command.since,
    }
    if command.held_until is None:
        return [events.IncidentFlappingStarted(**said)]
    return [events.IncidentFlappingEnded(**said, held_until=command.held_until)]


def _reopened(
    incident: Incident, context: DecisionContext, said: dict[str, object]
) -> events.IncidentEvent:
    if not may_reopen(incident, context.at, context.policy):
        raise Refused(
            f"{incident.ref} was {incident.status} too long ago to be reopened: open "
            "one that follows it",
            "window",
        )
    closed = incident.status is Status.CLOSED
    return events.IncidentReopened(
        **said,
        cycle=incident.cycle + 1,
        cause="signal",
        after_closure=closed,
        quick_fix=is_quick_fix(incident, context.at),
    )


def _raised(
    signal: Signal, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return a higher priority from a signal, unless a person has classified it."""
    by_person = incident.classified_by and incident.classified_by.startswith("person:")
    if signal.severity is None or incident.origin != "monitoring" or by_person:
        return []
    found = _classification(context.policy, signal, incident.service)
    if found.priority >= incident.priority:
        return []
    return [
        events.IncidentClassified(
            **context.on(incident.ref),
            category=incident.category,
            service=incident.service,
            client=incident.client,
            impact=found.impact,
            urgency=found.urgency,
            priority=found.priority,
        )
    ]


def recovered(
    command: Recover, incident: Incident, context: DecisionContext
) -> list[events.IncidentEvent]:
    """Return the recovery; the last one restores or resolves, as the policy says."""
    event = events.IncidentRecovered(
        **context.on(incident.ref),
        source=command.source,
        signal_key=command.signal_key,
        repeats=command.repeats,
        occurred_at=command.occurred_at,
        held_until=command.held_until,
        rule=command.rule,
        rule_of=command.of,
    )
    after = evolve(incident, event)
    if incident.status not in AT_WORK or "firing" in after.signals.values():
        return [event]
    if _resolves(incident, context.policy):
        return [event, *resolution(after, context)]
    if incident.restored_at is None:
        return [event, events.IncidentRestored(**context.on(incident.ref))]
    return [event]


def _resolves(incident: Incident, policy: Policy) -> bool:
    match policy.recovery_resolves:
        case "always":
            return True
        case "never":
            return False
        case "unreported":
            return not incident.reporters and incident.origin != "agent"
        case unknown:
            assert_never(unknown)


def _classification(
    policy: Policy, signal: Signal, service: str | None
) -> Classification:
    severity = signal.severity or ASSUMED
    return policy.for_signal(signal.source, service, severity, signal.labels)
