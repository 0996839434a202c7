"""Enriches signals from the policy's table: service, labels and team."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from services.intake.signals.delivery import Delivery
from services.intake.signals.schemas import Signal
from shared.domain.policy.document import Policy
from shared.domain.policy.mappings import Enrichment
from shared.domain.policy.sources import LABELS


def enriched(deliveries: Sequence[Delivery], policy: Policy) -> Sequence[Delivery]:
    """Return the deliveries with their signals enriched."""
    if not policy.enrichment:
        return deliveries
    return [
        replace(
            delivery,
            heard=tuple(
                enrich(heard, policy) if isinstance(heard, Signal) else heard
                for heard in delivery.heard
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


def _matches(row: Enrichment, signal: Signal, policy: Policy) -> bool:
    return all(
        (value := _value(what, signal, policy)) is not None
        and fnmatchcase(value, pattern)
        for what, pattern in row.when.items()
    )


def _value(what: str, signal: Signal, policy: Policy) -> str | None:
    match what:
        case "source":
            return signal.source
        case "service":
            return policy.service_of(signal.source, signal.service, signal.labels)
        case _:
            return signal.labels.get(what.removeprefix(LABELS))
