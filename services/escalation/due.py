"""Something that is true from an instant on, and the events that say so."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.escalation.case import Case
from shared.domain.events import AnyEvent

BY = "system:escalation"


class Due(NamedTuple):
    """`events` makes the events, given the present instant."""

    when: datetime
    events: Callable[[datetime], Sequence[AnyEvent]]


def on(case: Case, at: datetime) -> dict[str, Any]:
    """Return what every decision about an incident has in common."""
    return {"incident": case.incident, "policy": case.policy, "at": at, "by": BY}
