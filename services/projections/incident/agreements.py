"""What people wrote when they agreed about promises: words that no clock holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.domain.events.sla import (
    SlaBreachAttributed,
    SlaExtensionAccepted,
    SlaExtensionProposed,
    SlaExtensionRefused,
)
from shared.domain.sla import ClockName
from shared.eventlog.entry import Entry


@dataclass(frozen=True)
class Wording:
    """By extension why it was asked for and what was said to it; by clock why whose."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    attributions: Mapping[ClockName, str | None] = field(default_factory=dict)


def wording(past: Iterable[Entry]) -> Wording:
    """Return the words in what happened to an incident's promises."""
    reasons: dict[str, str] = {}
    evidence: dict[str, str] = {}
    attributions: dict[ClockName, str | None] = {}
    for entry in past:
        match entry.event:
            case SlaExtensionProposed(extension=ref, reason=reason):
                reasons[ref] = reason
            case (
                SlaExtensionAccepted(extension=ref, evidence=str(said))
                | SlaExtensionRefused(extension=ref, evidence=str(said))
            ):
                evidence[ref] = said
            case SlaBreachAttributed() as event:
                name = ClockName(event.target, event.cycle, event.round)
                attributions[name] = event.reason
            case _:
                pass
    return Wording(reasons, evidence, attributions)
