"""A promise whose users are asked for more time, and what they say to it."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.events.incident import IncidentAcknowledged, IncidentClassified
from shared.domain.refusal import Refused
from tests.support.builders.promises import INCIDENT, Watch

TEN_TOMORROW = 10 * 3_600 + 50 * 60
"""Working seconds from 09:10 until ten o'clock of the next day."""
E1 = f"{INCIDENT}-E1"


def payroll(**words: Any) -> Watch:
    """Return a P2 of Roche's, reported and taken at 09:10, due at 15:10."""
    watch = Watch()
    watch.opened("09:10", **words)
    watch.happens("09:10", IncidentAcknowledged)
    return watch


def extended() -> Watch:
    """Return the same, with Roche's word at 14:05 for ten o'clock tomorrow."""
    watch = payroll()
    watch.accepts("14:05", watch.proposes("14:00", "07-01 10:00"))
    return watch


def refusal(act: Callable[[], Any]) -> Refused:
    """Return why something is refused."""
    with pytest.raises(Refused) as no:
        act()
    return no.value


def states(watch: Watch) -> list[str]:
    """Return how the proposals about TTR stand."""
    return [each.state for each in watch.clock("ttr").extensions]


def classified(watch: Watch, when: str, priority: str) -> list[str]:
    """Give the incident another priority."""
    given = {"service": "paie", "impact": "high", "urgency": "medium", "client": None}
    return watch.happens(when, IncidentClassified, **(given | {"priority": priority}))
