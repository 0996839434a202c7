"""Commands from people: extend a promise, answer, attribute a breach. Pure rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never

from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.extensions.answer import accepted, refused
from services.sla_watcher.extensions.attribution import attributed
from services.sla_watcher.extensions.proposal import proposed
from shared.domain.commands.sla import (
    AcceptExtension,
    AttributeBreach,
    ProposeExtension,
    RefuseExtension,
    SlaCommand,
)
from shared.domain.events import SlaEvent
from shared.domain.refusal import Refused
from shared.messaging.commands import CommandRequest

PERSON = "person:"


def decide_command(
    request: CommandRequest[Any], case: Case, at: datetime, policy_of: PolicyOf
) -> Sequence[SlaEvent]:
    """Return the events of a command; empty if it is already so. Raises `Refused`."""
    command: SlaCommand = request.body
    if not request.actor.startswith(PERSON):
        raise Refused("only a person can ask that", "role")
    match command:
        case ProposeExtension():
            return proposed(command, case, request.actor, at, policy_of)
        case AcceptExtension():
            return accepted(command, case, request, at, policy_of)
        case RefuseExtension():
            return refused(command, case, request, at, policy_of)
        case AttributeBreach():
            return attributed(command, case, request, at)
        case _:
            assert_never(command)


def owners(request: CommandRequest[Any]) -> Sequence[str]:
    """Return the people under whose keys the words of a command are sealed."""
    match request.body:
        case AcceptExtension(accepted_by=str(person)):
            return request.actor, f"{PERSON}{person}"
        case RefuseExtension(refused_by=str(person)):
            return request.actor, f"{PERSON}{person}"
        case _:
            return (request.actor,)
