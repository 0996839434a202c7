"""Rules for commands whose effect exists already: nothing is repeated or lost.

A new note is recorded beside the first one. Anything else that differs cannot be
changed by repeating the command: that is refused.
"""

from services.intake.commands.rules.context import DecisionContext, Refused
from services.intake.commands.rules.record_rules import Rules
from services.intake.commands.rules.solution_notes import noted
from shared.domain.change import Change
from shared.domain.commands.change import CancelChange, ChangeWish, ImplementChange
from shared.domain.commands.incident import (
    Cancel,
    Close,
    Relapse,
    Reopen,
    Resolve,
    Restore,
)
from shared.domain.commands.problem import ProblemWish, ResolveProblem
from shared.domain.events import ChangeEvent, IncidentEvent, ProblemEvent
from shared.domain.events.change import ChangeNoteAdded
from shared.domain.events.incident import IncidentNoteAdded
from shared.domain.events.problem import ProblemNoteAdded
from shared.domain.incident import Incident
from shared.domain.problem import Problem


def repeated(
    wish: object, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events that a repeated command about an incident adds."""
    match wish:
        case Restore(note=words):
            _require_same_restoration(wish, incident)
        case Resolve(note=words):
            _require_same_resolution(wish, incident)
        case Cancel(note=words):
            _require_same_reason(wish, incident)
        case Relapse(reason=words) | Reopen(reason=words) | Close(note=words):
            pass
        case _:
            return []
    solution = wish.solution_note if isinstance(wish, Resolve) else None
    more = noted(solution, incident, circumstances)
    if words is None or (wish.verb, words) in incident.said:
        return more
    common = circumstances.about(incident)
    return [IncidentNoteAdded(**common, about=wish.verb, note=words), *more]


def repeated_on_problem(
    wish: ProblemWish, problem: Problem, rules: Rules
) -> list[ProblemEvent]:
    """Return the events that a repeated command about a problem adds."""
    match wish:
        case ResolveProblem(note=str(words)) if ("resolve", words) not in problem.said:
            common = {**rules.common(words=True), "problem": problem.ref}
            return [ProblemNoteAdded(**common, about="resolve", note=words)]
        case _:
            return []


def repeated_on_change(
    wish: ChangeWish, change: Change, rules: Rules
) -> list[ChangeEvent]:
    """Return the events that a repeated command about a change adds."""
    match wish:
        case ImplementChange(note=words) | CancelChange(reason=words):
            if words is None or (wish.verb, words) in change.said:
                return []
            common = {**rules.common(words=True), "change": change.ref}
            return [ChangeNoteAdded(**common, about=wish.verb, note=words)]
        case _:
            return []


def _require_same_restoration(wish: Restore, incident: Incident) -> None:
    if wish.workaround and not incident.workaround:
        raise Refused(
            f"{incident.ref} was restored already, and not by a workaround: say that "
            "it relapsed first, if it did",
            "state",
        )


def _require_same_resolution(wish: Resolve, incident: Incident) -> None:
    if wish.cause_removed and incident.root_cause_open:
        raise Refused(
            f"{incident.ref} was resolved already, on a workaround, and its root cause "
            "is open: link it to a problem that is resolved when the cause is gone",
            "state",
        )
    if wish.solution and wish.solution != incident.used_solution:
        by = incident.used_solution
        how = f"by the solution note of {by}" if by else "without a solution note"
        raise Refused(
            f"{incident.ref} was resolved already, {how}: leave `solution` out, or "
            "reopen it first",
            "state",
        )


def _require_same_reason(wish: Cancel, incident: Incident) -> None:
    if wish.reason != incident.cancelled_because:
        raise Refused(
            f"{incident.ref} was cancelled already, with the reason "
            f"`{incident.cancelled_because}`: that stays",
            "state",
        )
