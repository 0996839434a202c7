"""A problem is suggested where incidents of one kind are too many: once a row.

What makes two incidents of one kind, for whoever looks for a cause. Pure.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from services.escalation.rules.case import Case
from services.escalation.rules.context import Due, EscalationContext, on
from shared.domain.events.event import FORGOTTEN
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.problem import ProblemSuggested

LISTED_MAX = 200
"""Incidents an event names: an event has its size."""


def suggesting(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the suggestion where the opening of this incident completed a row."""
    alike = known.alike.get(case.incident)
    if not alike or case.suggested:
        return
    problems = known.policy_of(case.policy).problems
    if problems is None or problems.suggest is None:
        return
    team, within = problems.team, problems.suggest.within_days

    def events(at: datetime) -> list[ProblemSuggested]:
        return [
            ProblemSuggested(
                **on(case, at),
                service=case.service,
                team=team,
                within_days=within,
                incidents=tuple(alike[-LISTED_MAX:]),
            )
        ]

    yield Due(case.changed_at, events)


_VARIES = re.compile(r"\S*\d\S*")
"""A word with a digit: how full, which host, at what time."""


def signature_of(event: IncidentOpened) -> bytes | None:
    """Return the signature of an incident; None where nothing is like it.

    What monitoring opened is alike where source, service and the words of the title
    are, whatever numbers stand among them. What people report is alike where they were
    given the same service and category: of their words no machine judges.
    """
    if event.origin == "monitoring" and event.title != FORGOTTEN:
        words = " ".join(_VARIES.sub("", event.title.casefold()).split())
        parts = ["signal", event.source or "", event.service, words]
    elif event.category is not None:
        parts = ["category", event.service, event.category]
    else:
        return None
    return sha256("\0".join(parts).encode()).digest()
