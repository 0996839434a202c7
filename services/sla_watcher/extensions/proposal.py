"""Proposes a longer delay to those who may agree: it must exceed what is promised."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.sla_watcher.clocks.arm import on
from services.sla_watcher.clocks.case import Case, PolicyOf
from shared.domain.commands.sla import ProposeExtension
from shared.domain.events.sla import SlaExtensionProposed
from shared.domain.identifiers import extension_ref
from shared.domain.refusal import Refused
from shared.domain.sla import Clock, extendable, stood, whole
from shared.domain.working_time import Hours, due, elapsed, hours_of

EXTENSION_MAX = timedelta(days=366)
"""How far ahead a longer delay may end."""
EXTENSIONS_MAX = 100
"""Longer delays that may be proposed for one incident."""
REPORTER = "reporter"
"""The word in a contract for the people who reported an incident."""


def proposed(
    command: ProposeExtension, case: Case, actor: str, at: datetime, policy_of: PolicyOf
) -> Sequence[SlaExtensionProposed]:
    """Return the proposal to the users. Raises `Refused`."""
    clock = _to_extend(command, case)
    hours = hours_of(policy_of(clock.policy).calendars[clock.calendar])
    now, new = whole(at), whole(command.new_due_at)
    require_longer(clock, hours, new, now)
    expires = new if command.answer_by is None else whole(command.answer_by)
    if not at < expires <= new:
        raise Refused(
            f"`answer_by` {said(expires)} is not between now and {said(new)}: name an "
            "instant by which the users can answer",
            "invalid",
        )
    number = 1 + sum(len(each.extensions) for each in case.clocks)
    if number > EXTENSIONS_MAX:
        raise Refused(
            f"{case.incident} was extended or asked about {EXTENSIONS_MAX} times: "
            "resolve it",
            "state",
        )
    return [
        SlaExtensionProposed(
            **on(case, clock.name, at) | {"by": actor, "whose": actor},
            extension=extension_ref(case.incident, number),
            proposed_at=now,
            proposed_due_at=new,
            was_due_at=due_now(clock, hours),
            reason=command.reason,
            expires_at=expires,
            asked=may_agree(case, clock, policy_of),
        )
    ]


def require_longer(clock: Clock, hours: Hours, new: datetime, now: datetime) -> int:
    """Return the working seconds until `new`; `Refused` unless they are more.

    If the clock is paused, they are counted as if it resumed now.
    """
    if new - now > EXTENSION_MAX:
        raise Refused(
            f"{said(new)} is more than {EXTENSION_MAX.days} days ahead: nobody agrees "
            "to that; name an earlier instant",
            "invalid",
        )
    stops = stood(clock, now)
    present = due(hours, clock.started_at, clock.longest, stops)
    if new <= max(present, now):
        raise Refused(
            f"{said(new)} is not later than {said(max(present, now))}: a longer delay "
            "ends after what is agreed already, and after now",
            "state",
        )
    seconds = elapsed(hours, clock.started_at, new, stops)
    if seconds <= clock.longest:
        raise Refused(
            f"until {said(new)} calendar {clock.calendar} has no more open hours than "
            f"until {said(present)}: name an instant within them",
            "state",
        )
    return seconds


def may_agree(case: Case, clock: Clock, policy_of: PolicyOf) -> tuple[str, ...]:
    """Return who is asked: the reporters, or those whom the contract names instead."""
    named = policy_of(clock.policy).contract(clock.contract).may_agree
    if REPORTER in named:
        return case.reporters
    return tuple(each for each in named if each != REPORTER)


def due_now(clock: Clock, hours: Hours) -> datetime | None:
    """Return when a clock is due by the latest agreement; None while it is paused."""
    if clock.standing_since is not None:
        return None
    pauses = stood(clock, clock.started_at)
    return due(hours, clock.started_at, clock.longest, pauses)


def said(at: datetime) -> str:
    """Return an instant in the format of messages to people and programs."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _to_extend(command: ProposeExtension, case: Case) -> Clock:
    """Return the clock whose users can be asked for more time."""
    if command.target != "ttr":
        raise Refused(
            f"`{command.target}` cannot be extended, only `ttr`: take it on, or tell "
            "the users how it stands",
            "invalid",
        )
    return extendable(case.incident, case.clocks, case.cycle, case.reporters)
