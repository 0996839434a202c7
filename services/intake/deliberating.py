"""What a batch of people's commands comes to, given what was true before it. Pure.

Commands are taken in order; each sees what the ones before it did to its incident.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Literal

from services.intake.command_answers import misused, moved, refused
from services.intake.commands import Command
from services.intake.decider import Refused, decide
from services.intake.incident_cache import UNOPENED, Versioned, advance
from shared.append import Known, Misused, Repeated, repeated
from shared.command import CommandAnswer, CommandRequest
from shared.events import IncidentEvent
from shared.incident import Incident
from shared.policy.document import Policy
from shared.problem import Problem
from shared.references import is_incident_ref
from shared.wishes import (
    Link,
    Merge,
    Open,
    PersonsWish,
    Split,
    Unlink,
    Unmerge,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command as it came: who asks is in `request`, what for in `wish`."""

    request: CommandRequest[Any]
    wish: PersonsWish
    digest: bytes


@dataclass(frozen=True, slots=True)
class Before:
    """What is true before the batch; `fresh` has a reference for each that opens.

    `clients` are those the directory gives to people who report in it.
    """

    states: Mapping[str, Versioned]
    known: Known
    policy: Policy
    policy_version: int
    now: datetime
    fresh: Mapping[int, str]
    clients: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """Events decided on, each with its version, and the answer once recorded."""

    events: Sequence[tuple[int, IncidentEvent]]
    answer: CommandAnswer


Verdict = Draft | CommandAnswer | Repeated | Problem


@dataclass(frozen=True, slots=True)
class Deliberation:
    """A verdict for each command, by its number; `refusals` are to be journalled."""

    verdicts: Mapping[int, Verdict]
    refusals: Sequence[tuple[Command, Refused]]
    states: Mapping[str, Versioned]


def deliberate(wanted: Mapping[int, Wanted], before: Before) -> Deliberation:
    """Return what each command comes to, taken in order."""
    states = dict(before.states)
    verdicts: dict[int, Verdict] = {}
    refusals: list[tuple[Command, Refused]] = []
    for n, each in wanted.items():
        command = _command(each, before.fresh.get(n), before)
        try:
            verdicts[n] = _verdict(each, command, states, before)
        except Refused as no:
            refusals.append((command, no))
            verdicts[n] = refused(no)
    return Deliberation(verdicts, refusals, states)


def _verdict(
    wanted: Wanted, command: Command, states: dict[str, Versioned], before: Before
) -> Verdict:
    """Return what one command comes to, and move `states` past it."""
    request = wanted.request
    match repeated(before.known, request.command_id, wanted.digest):
        case Repeated() as again:
            return again
        case Misused():
            return misused()
        case None:
            held = states.get(command.incident, UNOPENED)
    if request.if_match is not None and request.if_match != held.version:
        return moved(request.if_match, held.version)
    events = _decided(command, states, before)
    versioned = advance(states, events)
    answer = _answer(command, states, "recorded" if events else "already")
    return Draft(versioned, answer) if events else answer


def moves_keys(wish: PersonsWish) -> bool:
    """Tell whether a wish may move signal keys from one incident to another."""
    return isinstance(wish, Merge | Unmerge | Split)


def takes_reference(wish: PersonsWish) -> bool:
    """Tell whether a wish needs the reference of an incident it may open."""
    return isinstance(wish, Open | Split)


def refs_read(wanted: Mapping[int, Wanted]) -> set[str]:
    """Return the incidents these commands name: their own and second ones."""
    return set(chain.from_iterable(map(_named, wanted.values())))


def _named(wanted: Wanted) -> list[str]:
    own = [wanted.request.incident] if wanted.request.incident else []
    match wanted.wish:
        case Merge(into=other):
            return [*own, other]
        case Link(target=other) | Unlink(target=other) if is_incident_ref(other):
            return [*own, other]
        case _:
            return own


def reporters(wanted: Mapping[int, Wanted]) -> list[str]:
    """Return the people these commands report for without naming their client."""
    found = (_without_client(each.wish) for each in wanted.values())
    return sorted({reporter for reporter in found if reporter})


def _without_client(wish: PersonsWish) -> str | None:
    match wish:
        case Open(client=None, reporter=reporter):
            return reporter
        case _:
            return None


def _command(wanted: Wanted, fresh: str | None, before: Before) -> Command:
    request = wanted.request
    opens = isinstance(wanted.wish, Open)
    return Command(
        incident=(fresh if opens else request.incident) or "",
        at=before.now,
        by=request.actor,
        wish=wanted.wish,
        roles=(*request.scopes, *(f"desk-{scope}" for scope in request.scopes)),
        new=None if opens else fresh,
        client=before.clients.get(_without_client(wanted.wish) or ""),
    )


def _decided(
    command: Command, states: Mapping[str, Versioned], before: Before
) -> list[IncidentEvent]:
    incident = states.get(command.incident, UNOPENED).incident
    other = states.get(_other(command, incident) or "", UNOPENED).incident
    return decide(
        command,
        incident,
        other=other,
        policy=before.policy,
        policy_version=before.policy_version,
    )


def _other(command: Command, incident: Incident | None) -> str | None:
    match command.wish:
        case Merge(into=other) | Link(target=other) | Unlink(target=other):
            return other
        case Unmerge():
            return incident.merged_into if incident else None
        case _:
            return None


def _answer(
    command: Command,
    states: Mapping[str, Versioned],
    outcome: Literal["recorded", "already"],
) -> CommandAnswer:
    held = states.get(command.incident, UNOPENED)
    return CommandAnswer(
        outcome=outcome, incident=command.incident, version=held.version, positions=[]
    )
