"""Suggests a problem if too many incidents have the same signature. Pure.

The signature says which incidents are of the same kind.
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
"""Incidents that an event lists, since the size of an event is limited."""


def problem_suggestions(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the suggestion if opening this incident reached the threshold."""
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
"""A word with a digit, such as a percentage, a host or a time."""


def signature_of(event: IncidentOpened) -> bytes | None:
    """Return the signature of an incident; None if it cannot have one.

    Incidents from monitoring are of one kind if source, service and the words of the
    title are equal, ignoring words with digits. Incidents that people reported are of
    one kind if they have the same service and category: their words are not compared.
    """
    if event.origin == "monitoring" and event.title != FORGOTTEN:
        words = " ".join(_VARIES.sub("", event.title.casefold()).split())
        parts = ["signal", event.source or "", event.service, words]
    elif event.category is not None:
        parts = ["category", event.service, event.category]
    else:
        return None
    return sha256("\0".join(parts).encode()).digest()
