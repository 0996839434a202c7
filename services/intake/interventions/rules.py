"""Which interventions a person may declare and withdraw. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from shared.domain.commands.intervention import (
    DeclareIntervention,
    WithdrawIntervention,
)
from shared.domain.events.event import Actor
from shared.domain.events.on_call_history import (
    InterventionEvent,
    OnCallInterventionDeclared,
    OnCallInterventionWithdrawn,
)
from shared.domain.on_call.statement import REST
from shared.domain.refusal import Refused

BACK = timedelta(days=92)
"""How long afterwards an intervention may be declared."""
LENGTH_MAX = timedelta(hours=24)

Interventions = Mapping[str, OnCallInterventionDeclared]
"""Those of a person that were not withdrawn, by id."""


def replay(history: Sequence[InterventionEvent]) -> Interventions:
    """Return a person's interventions after the events of their stream."""
    held: dict[str, OnCallInterventionDeclared] = {}
    for event in history:
        if isinstance(event, OnCallInterventionDeclared):
            held[event.intervention] = event
        else:
            held.pop(event.intervention, None)
    return held


def declared(
    command: DeclareIntervention,
    held: Interventions,
    version: int,
    by: Actor,
    at: datetime,
) -> Sequence[OnCallInterventionDeclared]:
    """Return the events of a declaration; empty if it is known. Raises `Refused`."""
    _require_oneself(command.person, by)
    if command.end <= command.start:
        raise Refused("`end` is not after `start`: correct one", "invalid")
    if command.end > at:
        raise Refused("it has not ended yet: declare it afterwards", "invalid")
    if command.end - command.start > LENGTH_MAX:
        raise Refused(
            "an intervention lasts 24 hours at most: declare several", "invalid"
        )
    if command.start < at - BACK:
        raise Refused(
            f"it began more than {BACK.days} days ago: tell those who do the payroll",
            "invalid",
        )
    for each in held.values():
        if (each.start, each.end) == (command.start, command.end):
            return ()
        if each.start < command.end and command.start < each.end:
            raise Refused(
                f"it overlaps {each.intervention}: withdraw that one first", "state"
            )
    event = OnCallInterventionDeclared(
        at=at,
        by=by,
        person=command.person,
        intervention=f"{command.person}.{version + 1}",
        start=command.start,
        end=command.end,
        incident=command.incident,
    )
    return (event,)


def withdrawn(
    command: WithdrawIntervention, held: Interventions, by: Actor, at: datetime
) -> Sequence[OnCallInterventionWithdrawn]:
    """Return the events of a withdrawal. Raises `Refused`."""
    _require_oneself(command.person, by)
    if command.intervention not in held:
        raise Refused(
            f"{command.person} has no intervention {command.intervention}: it was "
            "withdrawn before, or see GET /v1/people/{id}/on-call-statement",
            "unknown_intervention",
        )
    event = OnCallInterventionWithdrawn(
        at=at, by=by, person=command.person, intervention=command.intervention
    )
    return (event,)


def short_rests(held: Interventions) -> list[str]:
    """Return the interventions after which the next one came within `REST`."""
    ordered = sorted(held.values(), key=lambda each: each.start)
    return [
        before.intervention
        for before, after in pairwise(ordered)
        if timedelta() < after.start - before.end < REST
    ]


def _require_oneself(person: str, by: Actor) -> None:
    if by != f"person:{person}":
        raise Refused("only the person declares their own interventions", "role")
