"""Whether the cause of an incident is still there, as its row in the queue says it.

`problem_refs` holds its problems, and after `@` the cycle in which one was resolved:
`PRB-000001 PRB-000002@1`.
"""

from collections.abc import Mapping
from typing import assert_never

from services.projections.queue.row import Changes, QueueRow
from shared.domain.events.incident import IncidentReopened, IncidentResolved
from shared.domain.events.incident_ties import (
    IncidentLinked,
    IncidentProblemPresumed,
    IncidentProblemResolved,
    IncidentUnlinked,
)
from shared.domain.incident.state import cause_left

Linked = (
    IncidentLinked
    | IncidentUnlinked
    | IncidentProblemPresumed
    | IncidentProblemResolved
)


def linked(row: QueueRow, event: Linked) -> Changes:
    """Return what a link, its end, or what is heard of a problem changes about it."""
    problems = _problems(row)
    match event:
        case IncidentProblemPresumed(problem=problem):
            return {"presumed_problem": problem}
        case IncidentProblemResolved(problem=problem):
            if problem in problems:
                problems[problem] = row.cycle
            return _changes(problems, row.cycle, is_left=row.cause_left)
        case IncidentLinked(relation="problem", target=problem):
            problems.setdefault(problem, None)
        case IncidentUnlinked(relation="problem", target=problem):
            problems.pop(problem, None)
        case IncidentLinked() | IncidentUnlinked():
            return {}
        case _:
            assert_never(event)
    changes = _changes(problems, row.cycle, is_left=row.cause_left)
    answered = row.presumed_problem == problem
    return {**changes, "presumed_problem": None} if answered else changes


def resolved(row: QueueRow, event: IncidentResolved) -> Changes:
    """Return what a resolution changes about it."""
    return _changes(_problems(row), row.cycle, is_left=event.root_cause_open)


def reopened(row: QueueRow, event: IncidentReopened) -> Changes:
    """Return what a reopening changes about it."""
    changes = _changes(_problems(row), event.cycle, is_left=False)
    return {**changes, "quick_fix": row.quick_fix or event.quick_fix}


def _problems(row: QueueRow) -> dict[str, int | None]:
    parts = (each.partition("@") for each in row.problem_refs.split())
    return {ref: int(cycle) if cycle else None for ref, _, cycle in parts}


def _changes(
    problems: Mapping[str, int | None], cycle: int, *, is_left: bool
) -> Changes:
    written = (
        ref if ended is None else f"{ref}@{ended}"
        for ref, ended in sorted(problems.items())
    )
    return {
        "problem_refs": " ".join(written),
        "cause_left": is_left,
        "root_cause": cause_left(problems, cycle, is_left=is_left),
    }
