"""Rules for restoring, resolving, closing, cancelling and reopening an incident."""

from datetime import datetime, timedelta

from services.intake.records.rules.assignment import back_at_the_desk, place, taken
from services.intake.records.rules.contacts import unpaused
from services.intake.records.rules.context import DecisionContext
from services.intake.records.system_command import CloseSilent
from shared.domain.commands.incident import (
    Cancel,
    Close,
    NoteSolution,
    Redirect,
    Relapse,
    Reopen,
    Resolve,
    Restore,
)
from shared.domain.events import IncidentEvent
from shared.domain.events.incident import (
    IncidentCancelled,
    IncidentClosed,
    IncidentRedirected,
    IncidentRelapsed,
    IncidentReopened,
    IncidentResolved,
    IncidentRestored,
    IncidentSolutionNoted,
)
from shared.domain.grace_periods import HOLDS_DAYS, is_within
from shared.domain.incident import Incident, Status
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused, require_in_policy


def restored(
    command: Restore, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return that service is restored, unless it is already."""
    if incident.restored_at is not None:
        return []
    restoration = IncidentRestored(
        **context.about(incident), workaround=command.workaround, note=command.note
    )
    return [*taken(incident, context), restoration]


def relapsed(
    command: Relapse, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return that service is down again, unless it was not restored."""
    if incident.restored_at is None:
        return []
    return [IncidentRelapsed(**context.about(incident), reason=command.reason)]


def resolved(
    command: Resolve, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the events of resolving by hand; refused while a signal fires."""
    firing = sum(state == "firing" for state in incident.signals.values())
    if firing and not command.force:
        raise Refused(
            f"{incident.ref} has a signal that still fires ({firing}): wait until it "
            "recovers, or resolve it with `force` and a `reason`",
            "firing",
        )
    _require_solution(command, incident, context)
    level = place(incident, context).level
    described = command.solution or command.solution_note or incident.solution
    *before, last = resolution(
        incident, context, command.note, cause_removed=command.cause_removed
    )
    more = {
        "forced_because": command.reason if firing else None,
        "level": None if level == "n1" else level,
        "solution": command.solution,
        "asks_for_solution": level != "n1" and not described,
    }
    return [
        *taken(incident, context),
        *before,
        last.model_copy(update=more),
        *new_solution_note(command.solution_note, incident, context),
    ]


def resolution(
    incident: Incident,
    context: DecisionContext,
    note: str | None = None,
    *,
    cause_removed: bool = False,
) -> list[IncidentEvent]:
    """Return the events of resolving: the pause ends, service is back, work is done."""
    events = unpaused("resolved", incident, context)
    if incident.restored_at is None:
        events.append(IncidentRestored(**context.on(incident.ref)))
    last = IncidentResolved(
        **context.about(incident),
        cycle=incident.cycle,
        note=note,
        root_cause_open=incident.workaround and not cause_removed,
    )
    return [*events, last]


def _require_solution(
    command: Resolve, incident: Incident, context: DecisionContext
) -> None:
    """Refuse a reference to the incident itself, or to a note that does not exist."""
    if command.solution == incident.ref:
        raise Refused(
            f"{incident.ref} is not its own solution: name the other incident whose "
            "note was used, or say in `solution_note` what helped",
            "invalid",
        )
    other = context.other(Incident, command.solution)
    if command.solution and (other is None or other.solution is None):
        raise Refused(
            f"{command.solution} has no solution note: GET /v1/solutions lists those "
            "there are; leave `solution` out if none was used",
            "invalid",
        )


def solution_noted(
    command: NoteSolution, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the note that N1 can use next time."""
    return new_solution_note(command.note, incident, context)


def new_solution_note(
    note: str | None, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return a solution note that differs from the last one, owned by its author."""
    if note is None or note == incident.solution:
        return []
    common = context.on(incident.ref, context.by)
    return [IncidentSolutionNoted(**common, service=incident.service, note=note)]


def closed(
    command: Close, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the closure by a person; a user may only close what concerns no other."""
    is_user = context.person in incident.reporters and not context.roles
    if is_user and len(incident.reporters) > 1:
        raise Refused(
            f"others reported {incident.ref} too: add that it is solved for you, and "
            "the desk closes it",
            "role",
        )
    asks = incident.root_cause == "open"
    common = context.about(incident)
    return [IncidentClosed(**common, note=command.note, asks_for_problem=asks)]


def closed_silently(
    command: CloseSilent, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the closure after silence; none if a user has answered since."""
    if incident.answered or incident.cycle != command.cycle:
        return []
    asks = incident.root_cause == "open"
    common = context.about(incident)
    return [IncidentClosed(**common, cause="silence", asks_for_problem=asks)]


def cancelled(
    command: Cancel, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the end of the pause, and the cancellation."""
    common = context.about(incident)
    end = IncidentCancelled(**common, reason=command.reason, note=command.note)
    return [*unpaused("cancelled", incident, context), end]


def redirected(
    command: Redirect, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the end of the pause, and the hand-over of a request to elsewhere."""
    require_in_policy("destination", command.to, context.policy.destinations)
    if not incident.reporters:
        raise Refused(
            f"nobody reported {incident.ref}, so nobody can be told where it went: "
            "cancel it instead",
            "state",
        )
    if "firing" in incident.signals.values():
        raise Refused(
            f"{incident.ref} has a signal that still fires: it is not a request",
            "firing",
        )
    common = context.about(incident)
    end = IncidentRedirected(**common, to=command.to, message=command.message)
    return [*unpaused("cancelled", incident, context), end]


def reopened(
    command: Reopen, incident: Incident, context: DecisionContext
) -> list[IncidentEvent]:
    """Return the next cycle of the incident, which starts at the desk."""
    if not may_reopen(incident, context.at, context.policy):
        raise Refused(
            f"{incident.ref} was {incident.status} too long ago to be reopened: open a "
            "new incident and link it",
            "window",
        )
    return [
        IncidentReopened(
            **context.about(incident),
            cycle=incident.cycle + 1,
            cause=command.cause,
            reason=command.reason,
            after_closure=incident.status is Status.CLOSED,
            quick_fix=is_quick_fix(incident, context.at),
        ),
        *back_at_the_desk(incident, context),
    ]


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
