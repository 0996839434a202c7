"""Attributes a breach: a manager records the responsible party. The breach stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.sla_watcher.clocks.arm import on
from services.sla_watcher.clocks.case import Case
from shared.domain.commands.sla import AttributeBreach
from shared.domain.events.sla import SlaBreachAttributed
from shared.domain.refusal import Refused
from shared.domain.sla import Clock
from shared.messaging.commands import CommandRequest, Scope

_MAY: frozenset[Scope] = frozenset({"manager", "admin"})


def attributed(
    command: AttributeBreach, case: Case, request: CommandRequest[Any], at: datetime
) -> Sequence[SlaBreachAttributed]:
    """Return the attribution; empty if it is recorded already. Raises `Refused`."""
    if _MAY.isdisjoint(request.scopes):
        raise Refused("it takes a manager to say whose a breach is", "role")
    clock = _broken(command, case)
    if command.party == "user" and not command.reason and not _waited_for_user(clock):
        raise Refused(
            f"the clock of {case.incident} never stood for the user: write in `reason` "
            "why the breach is theirs",
            "invalid",
        )
    if _says_the_same(command, clock):
        return []
    return [
        SlaBreachAttributed(
            **on(case, clock.name, at) | {"by": request.actor, "whose": request.actor},
            party=command.party,
            who=command.who,
            reason=command.reason,
            evidence=command.evidence,
        )
    ]


def _broken(command: AttributeBreach, case: Case) -> Clock:
    """Return the clock that is meant: the one named, else the last that was broken."""
    found = [
        clock
        for clock in case.clocks
        if clock.name.target == command.target
        and command.cycle in {None, clock.name.cycle}
        and command.round in {None, clock.name.round}
    ]
    if not found:
        raise Refused(
            f"nothing of that kind was promised about {case.incident}: see its `/sla`",
            "unknown_promise",
        )
    broken = [clock for clock in found if clock.breached_at is not None]
    if not broken:
        raise Refused(
            f"`{command.target}` of {case.incident} was not broken: there is no "
            "breach to attribute",
            "state",
        )
    return broken[-1]


def _waited_for_user(clock: Clock) -> bool:
    return clock.standing_for == "user" or any(
        stop.why == "user" for stop in clock.stopped
    )


def _says_the_same(command: AttributeBreach, clock: Clock) -> bool:
    """Tell whether nothing changes; a reason always does, as the case omits it."""
    said = clock.attributed
    return (
        said is not None
        and command.reason is None
        and (command.party, command.who, command.evidence)
        == (said.party, said.who, said.evidence)
    )
