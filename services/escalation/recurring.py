"""A problem is suggested where incidents of one kind are too many: once a row."""

from collections.abc import Iterator
from datetime import datetime

from services.escalation.case import Case
from services.escalation.due import Due, on
from services.escalation.known import Known
from shared.domain.events.problem import ProblemSuggested

LISTED_MAX = 200
"""Incidents an event names: an event has its size."""


def suggesting(case: Case, known: Known) -> Iterator[Due]:
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
