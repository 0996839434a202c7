"""Rules for the effect of signals on an incident, and for snoozing it.

The signals arrive here after correlation, which decides which ones matter. While an
incident is snoozed, repeats are only counted; nothing else waits.
"""

from datetime import timedelta
from typing import assert_never

from services.intake.commands.command import (
    AcknowledgeSource,
    Flap,
    MachinesWish,
    NoteSource,
    Recover,
    Trigger,
)
from services.intake.commands.rules.assignment import back_at_the_desk
from services.intake.commands.rules.context import DecisionContext, Refused
from services.intake.commands.rules.resolution import (
    is_quick_fix,
    may_reopen,
    resolution,
)
from services.intake.signals.schemas import AUTHOR, Signal
from shared.domain.commands.incident import Snooze, Wake
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentAssigned,
    IncidentClassified,
    IncidentOpened,
    IncidentRelapsed,
    IncidentReopened,
    IncidentRestored,
)
from shared.domain.events.incident_signals import (
    IncidentFlappingEnded,
    IncidentFlappingStarted,
    IncidentRecovered,
    IncidentSignalled,
    IncidentSnoozed,
    IncidentSourceAcknowledged,
    IncidentSourceNoted,
    IncidentWoken,
)
from shared.domain.incident import AT_WORK, Incident, Status, evolve
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.policy.document import Classification, Policy
from shared.domain.policy.priorities import Severity

ASSUMED: Severity = "error"
"""The severity of a signal whose source gives none: better a page too many."""


def opened(wish: Trigger, circumstances: DecisionContext) -> list[IncidentEvent]:
    """Return the opening of an incident by a signal."""
    signal, command = wish.signal, circumstances.command
    found = _classification(circumstances.policy, signal, signal.service)
    unlisted = signal.service if found.service == UNKNOWN else None
    return [
        IncidentOpened(
            **circumstances.on(command.incident, command.by),
            origin="monitoring",
            title=signal.title,
            service=found.service,
            claimed_service=unlisted,
            impact=found.impact,
            urgency=found.urgency,
            severity=signal.severity,
            priority=found.priority,
            team=circumstances.policy.team_of_first_contact,
            source=signal.source,
            signal_key=wish.signal_key,
            dedup_key=signal.dedup_key,
            labels=signal.labels or None,
            details=signal.details,
            reported_at=wish.reported_at or wish.received_at,
            received_at=wish.received_at,
            occurred_at=signal.occurred_at,
            follows=wish.follows,
            rule=wish.rule,
            rule_of=wish.of,
        ),
        *_assigned(wish, circumstances),
    ]


def _assigned(wish: Trigger, circumstances: DecisionContext) -> list[IncidentEvent]:
    """Assign it to the team from the policy's table; the desk stays its owner."""
    if wish.team in (None, circumstances.policy.team_of_first_contact):
        return []
    common = circumstances.on(circumstances.command.incident)
    return [IncidentAssigned(**common, team=wish.team)]


def heard(
    wish: MachinesWish, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a command that the status table allows."""
    match wish:
        case Trigger():
            is_over = incident.status not in AT_WORK
            return [
                _fired(wish, incident, circumstances),
                *(back_at_the_desk(incident, circumstances) if is_over else ()),
                *_raised(wish.signal, incident, circumstances),
                *_woken(wish, incident, circumstances),
            ]
        case Recover():
            return _recovered(wish, incident, circumstances)
        case Flap():
            return [_flapping(wish, incident, circumstances)]
        case AcknowledgeSource(signal_key=key):
            if key in incident.source_acknowledged:
                return []
            return [
                IncidentSourceAcknowledged(
                    **circumstances.on(incident.ref),
                    source=wish.signal.source,
                    signal_key=key,
                    occurred_at=wish.signal.occurred_at,
                )
            ]
        case NoteSource():
            return [_noted(wish, incident, circumstances)]
        case _:
            assert_never(wish)


def _noted(
    wish: NoteSource, incident: Incident, circumstances: DecisionContext
) -> IncidentEvent:
    signal = wish.signal
    return IncidentSourceNoted(
        **circumstances.on(incident.ref, circumstances.command.by),
        source=signal.source,
        signal_key=wish.signal_key,
        note=signal.details or signal.title,
        author=signal.labels.get(AUTHOR),
        occurred_at=signal.occurred_at,
    )


def _fired(
    wish: Trigger, incident: Incident, circumstances: DecisionContext
) -> IncidentEvent:
    signal = wish.signal
    said = {
        **circumstances.on(incident.ref),
        "signal_key": wish.signal_key,
        "severity": signal.severity,
        "occurred_at": signal.occurred_at,
        "rule": wish.rule,
        "rule_of": wish.of,
    }
    if incident.status not in AT_WORK:
        return _reopened(incident, circumstances, {**said, "repeats": wish.repeats})
    fires_already = incident.signals.get(wish.signal_key) == "firing"
    if incident.restored_at is not None and not fires_already:
        return IncidentRelapsed(**said)
    if wish.joins:
        said["whose"] = f"source:{signal.source}"
    return IncidentSignalled(
        **said,
        source=signal.source,
        repeats=wish.repeats,
        last_at=wish.received_at,
        title=signal.title if wish.joins else None,
        dedup_key=signal.dedup_key if wish.joins else None,
    )


def _woken(
    wish: Trigger, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    until = incident.snoozed_until
    if not wish.wakes or until is None or until <= circumstances.command.at:
        return []
    return [IncidentWoken(**circumstances.on(incident.ref), cause="severity")]


def _flapping(
    wish: Flap, incident: Incident, circumstances: DecisionContext
) -> IncidentEvent:
    said = {
        **circumstances.on(incident.ref),
        "source": wish.source,
        "signal_key": wish.signal_key,
        "changes": wish.changes,
        "since": wish.since,
    }
    if wish.held_until is None:
        return IncidentFlappingStarted(**said)
    return IncidentFlappingEnded(**said, held_until=wish.held_until)


def _reopened(
    incident: Incident, circumstances: DecisionContext, said: dict[str, object]
) -> IncidentEvent:
    if not may_reopen(incident, circumstances.command.at, circumstances.policy):
        raise Refused(
            f"{incident.ref} was {incident.status} too long ago to be reopened: open "
            "one that follows it",
            "window",
        )
    closed = incident.status is Status.CLOSED
    return IncidentReopened(
        **said,
        cycle=incident.cycle + 1,
        cause="signal",
        after_closure=closed,
        quick_fix=is_quick_fix(incident, circumstances.command.at),
    )


def _raised(
    signal: Signal, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return a higher priority from a signal, unless a person has classified it."""
    by_person = incident.classified_by and incident.classified_by.startswith("person:")
    if signal.severity is None or incident.origin != "monitoring" or by_person:
        return []
    found = _classification(circumstances.policy, signal, incident.service)
    if found.priority >= incident.priority:
        return []
    return [
        IncidentClassified(
            **circumstances.on(incident.ref),
            category=incident.category,
            service=incident.service,
            client=incident.client,
            impact=found.impact,
            urgency=found.urgency,
            priority=found.priority,
        )
    ]


def _recovered(
    wish: Recover, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    recovered = IncidentRecovered(
        **circumstances.on(incident.ref),
        source=wish.source,
        signal_key=wish.signal_key,
        repeats=wish.repeats,
        occurred_at=wish.occurred_at,
        held_until=wish.held_until,
        rule=wish.rule,
        rule_of=wish.of,
    )
    after = evolve(incident, recovered)
    if incident.status not in AT_WORK or "firing" in after.signals.values():
        return [recovered]
    if _resolves(incident, circumstances.policy):
        return [recovered, *resolution(after, circumstances)]
    if incident.restored_at is None:
        return [recovered, IncidentRestored(**circumstances.on(incident.ref))]
    return [recovered]


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


LONGEST = timedelta(days=31)


def snoozed(
    wish: Snooze | Wake, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a command that the status table allows."""
    at = circumstances.command.at
    if isinstance(wish, Wake):
        if incident.snoozed_until is None or incident.snoozed_until <= at:
            return []
        return [IncidentWoken(**circumstances.on(incident.ref), cause="agent")]
    until = wish.until or at + (wish.for_ or timedelta())
    if until <= at:
        raise Refused("that is past: say until when in the future", "invalid")
    if until - at > LONGEST:
        raise Refused(f"at most {LONGEST.days} days: choose a sooner end", "invalid")
    if until == incident.snoozed_until:
        return []
    common = circumstances.on(incident.ref, circumstances.command.by)
    return [IncidentSnoozed(**common, until=until, reason=wish.reason)]
