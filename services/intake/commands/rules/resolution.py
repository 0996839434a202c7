"""Rules for restoring, resolving, closing, cancelling and reopening an incident."""

from datetime import datetime, timedelta
from typing import Literal, assert_never

from services.intake.commands.command import CloseSilent
from services.intake.commands.rules.assignment import back_at_the_desk, place, taken
from services.intake.commands.rules.context import DecisionContext, Refused
from services.intake.commands.rules.repeats import repeated
from services.intake.commands.rules.solution_notes import noted, require_solution
from shared.domain.commands.incident import (
    Cancel,
    Close,
    NoteSolution,
    Relapse,
    Reopen,
    Resolve,
    Restore,
)
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentCancelled,
    IncidentClosed,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentResumed,
)
from shared.domain.grace_periods import HOLDS_DAYS, is_within
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy

EndWish = (
    Restore | Relapse | Resolve | NoteSolution | Reopen | Close | CloseSilent | Cancel
)


def ended(  # noqa: PLR0911 # one return for each case
    wish: EndWish, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of a command that the status table allows."""
    common = circumstances.about(incident)
    match wish:
        case Restore():
            return _restored(wish, incident, circumstances)
        case Relapse():
            return _relapsed(wish, incident, circumstances)
        case Resolve():
            return _resolved(wish, incident, circumstances)
        case NoteSolution(note=note):
            return noted(note, incident, circumstances)
        case Reopen():
            return _reopened(wish, incident, circumstances)
        case Close() | CloseSilent():
            return _closed(wish, incident, circumstances)
        case Cancel(reason=reason, note=note):
            cancelled = IncidentCancelled(**common, reason=reason, note=note)
            return [*unpaused(incident, circumstances, "cancelled"), cancelled]
        case _:
            assert_never(wish)


def _resolved(
    wish: Resolve, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of resolving by hand; refused while a signal fires."""
    firing = sum(state == "firing" for state in incident.signals.values())
    if firing and not wish.force:
        raise Refused(
            f"{incident.ref} has a signal that still fires ({firing}): wait until it "
            "recovers, or resolve it with `force` and a `reason`",
            "firing",
        )
    require_solution(wish, incident, circumstances.other)
    level = place(incident, circumstances).level
    described = wish.solution or wish.solution_note or incident.solution
    *before, resolved = resolution(
        incident, circumstances, wish.note, cause_removed=wish.cause_removed
    )
    more = {
        "forced_because": wish.reason if firing else None,
        "level": None if level == "n1" else level,
        "solution": wish.solution,
        "asks_for_solution": level != "n1" and not described,
    }
    return [
        *taken(incident, circumstances),
        *before,
        resolved.model_copy(update=more),
        *noted(wish.solution_note, incident, circumstances),
    ]


def resolution(
    incident: Incident,
    circumstances: DecisionContext,
    note: str | None = None,
    *,
    cause_removed: bool = False,
) -> list[IncidentEvent]:
    """Return the events of resolving: the pause ends, service is back, work is done."""
    events = unpaused(incident, circumstances, "resolved")
    if incident.restored_at is None:
        events.append(IncidentRestored(**circumstances.on(incident.ref)))
    common = circumstances.about(incident)
    resolved = IncidentResolved(
        **common,
        cycle=incident.cycle,
        note=note,
        root_cause_open=incident.workaround and not cause_removed,
    )
    return [*events, resolved]


def unpaused(
    incident: Incident,
    circumstances: DecisionContext,
    cause: Literal["resolved", "cancelled", "merged"],
) -> list[IncidentEvent]:
    """Return the end of the pause, if there is one."""
    if incident.pause is None:
        return []
    return [IncidentResumed(**circumstances.on(incident.ref), cause=cause)]


def may_reopen(incident: Incident, at: datetime, policy: Policy) -> bool:
    """Return whether `at` is within the window after closure, or else resolution."""
    since = incident.closed_at or incident.resolved_at
    return since is not None and is_within(
        policy.reopen_within, incident, since, at, policy
    )


def is_quick_fix(incident: Incident, at: datetime) -> bool:
    """Return whether reopening at `at` shows that a workaround did not hold."""
    since = incident.resolved_at
    if since is None or not incident.root_cause_open:
        return False
    return at - since <= timedelta(days=HOLDS_DAYS)


def _restored(
    wish: Restore, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    if incident.restored_at is not None:
        return repeated(wish, incident, circumstances)
    restored = IncidentRestored(
        **circumstances.about(incident), workaround=wish.workaround, note=wish.note
    )
    return [*taken(incident, circumstances), restored]


def _relapsed(
    wish: Relapse, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    if incident.restored_at is None:
        return repeated(wish, incident, circumstances)
    return [IncidentRelapsed(**circumstances.about(incident), reason=wish.reason)]


def _closed(
    wish: Close | CloseSilent, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    common, asks = circumstances.about(incident), incident.root_cause == "open"
    match wish:
        case Close(note=note):
            return [IncidentClosed(**common, note=note, asks_for_problem=asks)]
        case CloseSilent(cycle=cycle):
            is_silent = not incident.answered and incident.cycle == cycle
            closed = IncidentClosed(**common, cause="silence", asks_for_problem=asks)
            return [closed] if is_silent else []
        case _:
            assert_never(wish)


def _reopened(
    wish: Reopen, incident: Incident, circumstances: DecisionContext
) -> list[IncidentEvent]:
    if not may_reopen(incident, circumstances.command.at, circumstances.policy):
        raise Refused(
            f"{incident.ref} was {incident.status} too long ago to be reopened: open a "
            "new incident and link it",
            "window",
        )
    return [
        IncidentReopened(
            **circumstances.about(incident),
            cycle=incident.cycle + 1,
            cause=wish.cause,
            reason=wish.reason,
            after_closure=incident.status is Status.CLOSED,
            quick_fix=is_quick_fix(incident, circumstances.command.at),
        ),
        *back_at_the_desk(incident, circumstances),
    ]
