"""Accepts or refuses a longer delay: by those who may agree, or by an agent."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.sla_watcher.clocks.arm import on
from services.sla_watcher.clocks.case import Case, PolicyOf
from services.sla_watcher.extensions.proposal import (
    REPORTER,
    due_now,
    may_agree,
    require_longer,
)
from shared.domain.commands.sla import AcceptExtension, RefuseExtension
from shared.domain.events.sla import SlaExtensionAccepted, SlaExtensionRefused
from shared.domain.identifiers import extended_incident
from shared.domain.refusal import Refused
from shared.domain.sla import Clock, Extension, State, stood, whole
from shared.domain.working_time import due, hours_of
from shared.messaging.commands import CommandRequest, Scope

_TAKE_DOWN: frozenset[Scope] = frozenset({"agent", "manager", "admin"})


def accepted(
    command: AcceptExtension,
    case: Case,
    request: CommandRequest[Any],
    at: datetime,
    policy_of: PolicyOf,
) -> Sequence[SlaExtensionAccepted]:
    """Return that it is agreed, in working seconds from now on. Raises `Refused`."""
    clock, extension = _asked_about(request, case)
    who = command.accepted_by or _person(request.actor)
    if extension.state == "accepted":
        return []
    _require_open(extension)
    _require_may_agree(case, clock, who, policy_of)
    _require_own_word(request, who, command.evidence)
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    now, new = whole(at), extension.proposed_due_at
    seconds = require_longer(clock, hours, new, now)
    stands = clock.standing_since is not None
    due_at = due(hours, clock.started_at, seconds, stood(clock, now))
    return [
        SlaExtensionAccepted(
            **_common(case, clock, request.actor, who, at),
            extension=extension.ref,
            accepted_by=who,
            channel=command.channel,
            evidence=command.evidence,
            accepted_at=now,
            seconds=seconds,
            was_seconds=clock.longest,
            due_at=None if stands else due_at,
            was_due_at=due_now(clock, hours),
            agreed_due_at=new,
            after_breach=clock.state is State.BREACHED,
        )
    ]


def refused(
    command: RefuseExtension,
    case: Case,
    request: CommandRequest[Any],
    at: datetime,
    policy_of: PolicyOf,
) -> Sequence[SlaExtensionRefused]:
    """Return that it is not agreed: nothing changes. Raises `Refused`."""
    clock, extension = _asked_about(request, case)
    who = command.refused_by or _person(request.actor)
    if extension.state == "refused":
        return []
    _require_open(extension)
    _require_may_agree(case, clock, who, policy_of)
    return [
        SlaExtensionRefused(
            **_common(case, clock, request.actor, who, at),
            extension=extension.ref,
            refused_by=who,
            channel=command.channel,
            evidence=command.evidence,
            refused_at=whole(at),
        )
    ]


def _asked_about(request: CommandRequest[Any], case: Case) -> tuple[Clock, Extension]:
    ref = request.record
    if ref is None or extended_incident(ref) != case.incident:
        raise Refused(
            f"name in `record` which longer delay of {case.incident} is answered",
            "invalid",
        )
    for clock in case.clocks:
        for extension in clock.extensions:
            if extension.ref == ref:
                return clock, extension
    raise Refused(f"nobody asked for a longer delay {ref}", "unknown_extension")


def _require_open(extension: Extension) -> None:
    if not extension.is_open:
        raise Refused(
            f"{extension.ref} was {extension.state} before: propose another one",
            "state",
        )


def _require_may_agree(case: Case, clock: Clock, who: str, policy_of: PolicyOf) -> None:
    contract = policy_of(clock.policy).contract(clock.contract)
    named = [each for each in contract.may_agree if each != REPORTER]
    allowed = dict.fromkeys((*may_agree(case, clock, policy_of), *named))
    if who not in allowed:
        known = ", ".join(allowed) or "nobody"
        raise Refused(
            f"{who} may not answer for {case.incident}: by contract {clock.contract} "
            f"that is for {known}",
            "role",
        )


def _require_own_word(
    request: CommandRequest[Any], who: str, evidence: str | None
) -> None:
    """Refuse an answer given for somebody else, unless an agent cites evidence."""
    if _person(request.actor) == who:
        return
    if _TAKE_DOWN.isdisjoint(request.scopes):
        raise Refused(f"only {who}, or an agent for them, can accept it", "role")
    if evidence is None:
        raise Refused(
            f"say in `evidence` what {who} said and how, or have them accept it "
            "themselves",
            "invalid",
        )


def _common(
    case: Case, clock: Clock, actor: str, who: str, at: datetime
) -> Mapping[str, Any]:
    # The words are the user's: they are sealed under the user's key.
    return on(case, clock.name, at) | {"by": actor, "whose": f"person:{who}"}


def _person(actor: str) -> str:
    return actor.partition(":")[2]
