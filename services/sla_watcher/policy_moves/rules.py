"""Rules for moving promises to another policy version: who may, and what changes.

Pure. The clocks themselves are reset by the same rules as after a change of class.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.sla_watcher.clocks.case import Case
from shared.domain.commands.policy_moves import (
    Change,
    MovedPromise,
    MovePromises,
    MoveScope,
)
from shared.domain.events.administration import PromisesMoved
from shared.domain.policy.contracts import is_of
from shared.domain.refusal import Refused
from shared.domain.sla import Clock, State, named, whole
from shared.messaging.commands import CommandRequest, Scope

_MAY: frozenset[Scope] = frozenset({"manager", "admin"})
_PERSON = "person:"


def require_may_move(request: CommandRequest[Any]) -> None:
    """Refuse anyone who may not change what many users were promised."""
    if not request.actor.startswith(_PERSON) or _MAY.isdisjoint(request.scopes):
        raise Refused(
            "moving promises to another policy takes the role desk-manager: ask one",
            "role",
        )


def is_for(case: Case, which: MoveScope) -> bool:
    """Tell whether promises of an incident are to be moved: it must be open."""
    at_work = case.gone is None and case.resolved_at is None
    covered = which.contract is None or any(
        is_of(clock.contract, which.contract) for clock in case.clocks
    )
    asked = which.incident in {None, case.incident}
    return (
        at_work and covered and asked and which.service in {None, case.service}
    ) and case.policy != which.to


def moved(
    command: MovePromises, case: Case, actor: str, at: datetime
) -> Sequence[PromisesMoved]:
    """Return that its promises move to a version; empty if this move did that."""
    if command.operation in case.moves or not is_for(case, command):
        return []
    return [
        PromisesMoved(
            incident=case.incident,
            policy=command.to,
            was_policy=case.policy,
            operation=command.operation,
            moved_at=whole(at),
            reason=command.reason,
            contract=command.contract,
            service=command.service,
            alone=command.incident is not None,
            at=at,
            by=actor,
            whose=actor,
        )
    ]


def differences(before: Case, after: Case) -> tuple[MovedPromise, ...]:
    """Return each promise that can still be kept or was broken, before and after."""
    told = [
        _difference(named(before.clocks, clock.name), clock)
        for clock in after.clocks
        if clock.name.cycle == after.cycle
    ]
    return tuple(each for each in told if each is not None)


def _difference(was: Clock | None, now: Clock) -> MovedPromise | None:
    if was is not None and not was.measures:
        return None  # it was over before: nothing can change
    change = _change(was, now)
    return MovedPromise(
        target=now.name.target,
        cycle=now.name.cycle,
        round=now.name.round,
        change=change,
        was_contract=was.contract if was else None,
        contract=None if change == "cancelled" else now.contract,
        was_seconds=was.seconds if was else None,
        seconds=None if change == "cancelled" else now.seconds,
        was_due_at=was.due_at if was else None,
        due_at=now.due_at,
        breached_at_once=now.state is State.BREACHED
        and (was is None or was.state is not State.BREACHED),
    )


def _change(was: Clock | None, now: Clock) -> Change:
    if was is None:
        return "armed"
    if was.state is State.BREACHED:
        return "stays_breached"
    if now.state is State.CANCELLED:
        return "cancelled"
    return "kept" if was.policy == now.policy else "retargeted"
