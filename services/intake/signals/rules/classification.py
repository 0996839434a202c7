"""What the policy says about a signal: its service and labels, its team, its group."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from hashlib import sha256

from services.intake.records.signal import Signal
from services.intake.signals.schemas import Delivery
from shared.domain.policy.document import Policy
from shared.domain.policy.mappings import Enrichment
from shared.domain.policy.sources import LABELS, SERVICE


def enriched(deliveries: Sequence[Delivery], policy: Policy) -> Sequence[Delivery]:
    """Return the deliveries with their signals enriched."""
    if not policy.enrichment:
        return deliveries
    return [
        replace(
            delivery,
            heard=tuple(
                enrich(each, policy) if isinstance(each, Signal) else each
                for each in delivery.heard
            ),
        )
        for delivery in deliveries
    ]


def enrich(signal: Signal, policy: Policy) -> Signal:
    """Return the signal after each matching row; each row sees the earlier ones."""
    for row in policy.enrichment:
        if _matches(row, signal, policy):
            labels = {**signal.labels, **row.set.labels}
            service = row.set.service or signal.service
            signal = signal.model_copy(update={"service": service, "labels": labels})
    return signal


def team_for(signal: Signal, policy: Policy) -> str | None:
    """Return the team for the signal's incident: the last matching row decides."""
    teams = (
        row.set.team
        for row in reversed(policy.enrichment)
        if row.set.team and _matches(row, signal, policy)
    )
    return next(teams, None)


def group_key(policy: Policy, signal: Signal) -> str | None:
    """Return the key of a signal's group, or None if it belongs to none."""
    monitor = policy.monitor(signal.source)
    if monitor is None or monitor.correlate is None:
        return None
    values = [_value(name, signal, policy) for name in monitor.correlate.by]
    if not all(values):
        return None
    parts = "\0".join((signal.source, *monitor.correlate.by, *map(str, values)))
    return sha256(f"group\0{parts}".encode(errors="replace")).hexdigest()


def _matches(row: Enrichment, signal: Signal, policy: Policy) -> bool:
    return all(
        (value := _value(name, signal, policy)) is not None
        and fnmatchcase(value, pattern)
        for name, pattern in row.when.items()
    )


def _value(name: str, signal: Signal, policy: Policy) -> str | None:
    if name == "source":
        return signal.source
    if name == SERVICE:
        return policy.service_of(signal.source, signal.service, signal.labels)
    return signal.labels.get(name.removeprefix(LABELS))
