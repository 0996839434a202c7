"""Rules for commands whose effect exists already: nothing is repeated or lost.

A new note is recorded beside the first one. Anything else that differs cannot be
changed by repeating the command: that is refused.
"""

from typing import assert_never

from services.intake.records.rules.context import DecisionContext
from services.intake.records.rules.resolution import new_solution_note
from services.intake.records.system_command import AnyCommand
from shared.domain.change import Change
from shared.domain.commands.change import CancelChange, ImplementChange
from shared.domain.commands.incident import (
    Cancel,
    Close,
    Redirect,
    Relapse,
    Reopen,
    Resolve,
    Restore,
)
from shared.domain.commands.problem import ResolveProblem
from shared.domain.events.change import ChangeNoteAdded
from shared.domain.events.incident import IncidentNoteAdded
from shared.domain.events.problem import ProblemNoteAdded
from shared.domain.incident import Incident
from shared.domain.problem import Problem
from shared.domain.record import OwnRecord, RecordEvent
from shared.domain.refusal import Refused


def repeated(
    command: AnyCommand, record: OwnRecord, context: DecisionContext
) -> list[RecordEvent]:
    """Return the events that a repeated command adds: notes that are new."""
    _require_same(command, record)
    more = list[RecordEvent]()
    if isinstance(command, Resolve) and isinstance(record, Incident):
        more += new_solution_note(command.solution_note, record, context)
    match command:
        case (
            Restore(note=words)
            | Resolve(note=words)
            | Cancel(note=words)
            | Close(note=words)
            | Relapse(reason=words)
            | Reopen(reason=words)
            | ResolveProblem(note=words)
            | ImplementChange(note=words)
            | CancelChange(reason=words)
        ) if words is not None and (command.verb, words) not in record.said:
            return [_note(command.verb, words, record, context), *more]
        case _:
            return more


def _note(
    verb: str, words: str, record: OwnRecord, context: DecisionContext
) -> RecordEvent:
    said = {"about": verb, "note": words}
    match record:
        case Incident():
            return IncidentNoteAdded(**context.about(record), **said)
        case Problem(ref=ref):
            return ProblemNoteAdded(**context.common(context.by), **said, problem=ref)
        case Change(ref=ref):
            return ChangeNoteAdded(**context.common(context.by), **said, change=ref)
        case _:
            assert_never(record)


def _require_same(command: AnyCommand, record: OwnRecord) -> None:
    """Refuse what differs from the first time, and would be lost."""
    match command, record:
        case Restore(workaround=True), Incident(workaround=False):
            why = (
                "restored already, and not by a workaround: say that it relapsed "
                "first, if it did"
            )
        case Resolve(cause_removed=True), Incident(root_cause_open=True):
            why = (
                "resolved already, on a workaround, and its root cause is open: link "
                "it to a problem that is resolved when the cause is gone"
            )
        case Resolve(solution=str(given)), Incident(used_solution=by) if given != by:
            how = f"by the solution note of {by}" if by else "without a solution note"
            why = f"resolved already, {how}: leave `solution` out, or reopen it first"
        case (Cancel(), Incident(redirected_to=str(to))) | (
            Redirect(),
            Incident(redirected_to=str(to)),
        ) if getattr(command, "to", None) != to:
            why = f"redirected already, to `{to}`: that stays"
        case Redirect(), Incident(redirected_to=None):
            why = "cancelled already: that stays"
        case Cancel(reason=given), Incident(cancelled_because=by) if given != by:
            why = f"cancelled already, with the reason `{by}`: that stays"
        case _:
            return
    raise Refused(f"{record.ref} was {why}", "state")
