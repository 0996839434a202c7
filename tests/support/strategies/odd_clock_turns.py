"""A P2 that a monitor reported, and the odd turns its clock may take."""

from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentClassified,
    IncidentPaused,
    IncidentResumed,
)
from shared.domain.policy.document import Policy
from tests.support.builders.promises import VALMONT, Watch, shown

MONITORED = {"reporter": None, "origin": "monitoring", "by": "source:prometheus"}


def taken(when: str = "09:10", policy: Policy = VALMONT) -> Watch:
    """Return a P2 that a monitor reported and somebody took on at once: TTR alone."""
    watch = Watch(policy)
    watch.opened(when, **MONITORED)
    watch.happens(when, IncidentAcknowledged)
    return watch


def paused(watch: Watch, when: str, reason: str = "user") -> list[str]:
    return watch.happens(when, IncidentPaused, reason=reason, question="?")


def resumed(watch: Watch, when: str) -> list[str]:
    return watch.happens(when, IncidentResumed, cause="agent")


def moved(watch: Watch, when: str, client: str) -> list[str]:
    words = {"service": "paie", "impact": "high", "urgency": "medium"}
    given = {**words, "priority": "p2", "client": client}
    return watch.happens(when, IncidentClassified, **given)


def ttr_due(watch: Watch) -> str | None:
    return shown(watch.clock("ttr").due_at)
