"""What a batch of people's commands comes to, given what was true before it. Pure.

Commands are taken in order; each sees what the ones before it did to its records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.command_answers import (
    answer_about,
    asked_for,
    misused,
    moved,
    refused,
)
from services.intake.decider import Refused
from services.intake.decider.circumstances import Helper
from services.intake.deciding import Sight, decided
from services.intake.histories import Unreadable
from services.intake.record_cache import UNOPENED, Versioned, advance, readable
from services.intake.records import RecordEvent
from services.intake.refusals import Refusal
from services.intake.sought import needs_helper
from services.intake.unreadable import RecordUnreadable
from services.intake.wanted import Wanted, is_beginning, without_client
from shared.domain.policy.document import Policy
from shared.eventlog.append import CommandIdReused, Known, Repeated, repeated
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, RecordAnswer


@dataclass(frozen=True, slots=True)
class Before:
    """What is true before the batch; `fresh` has a reference for each that begins one.

    `clients` are those the directory gives to people who report in it; `helpers` look
    into an incident above the desk.
    """

    states: Mapping[str, Versioned]
    known: Known
    policy: Policy
    policy_version: int
    now: datetime
    fresh: Mapping[int, str]
    clients: Mapping[str, str]
    helpers: Mapping[str, Helper | Unreadable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """Events decided on, each with its version, and the answer once recorded."""

    events: Sequence[tuple[int, RecordEvent]]
    answer: Answered


Verdict = Draft | CommandAnswer | RecordAnswer | Repeated | HttpError


@dataclass(frozen=True, slots=True)
class Deliberation:
    """A verdict for each command, by its number; `refusals` are to be journalled."""

    verdicts: Mapping[int, Verdict]
    refusals: Sequence[Refusal]
    states: Mapping[str, Versioned]


def deliberate(wanted: Mapping[int, Wanted], before: Before) -> Deliberation:
    """Return what each command comes to, taken in order."""
    states = dict(before.states)
    verdicts: dict[int, Verdict] = {}
    refusals: list[Refusal] = []
    for n, each in wanted.items():
        sight = _sight(each, before.fresh.get(n), states, before)
        try:
            verdicts[n] = _verdict(each, sight, states, before.known)
        except Refused as no:
            by = each.request.actor
            refusals.append(Refusal(before.now, by, each.verb, sight.ref, no))
            verdicts[n] = refused(no)
        except RecordUnreadable as no:
            verdicts[n] = no
    return Deliberation(verdicts, refusals, states)


def _verdict(
    wanted: Wanted, sight: Sight, states: dict[str, Versioned], known: Known
) -> Verdict:
    """Return what one command comes to, and move `states` past it."""
    request = wanted.request
    match repeated(known, request.command_id, wanted.digest):
        case Repeated() as again:
            return again
        case CommandIdReused():
            return misused()
        case None:
            held = readable(states, sight.ref)
    if request.if_match is not None and request.if_match != held.version:
        return moved(request.if_match, held.version)
    events = decided(wanted.wish, sight)
    versioned = advance(states, events)
    version = states.get(sight.ref, UNOPENED).version
    if not events:
        return answer_about(sight.ref, "already", version, [])
    asks = asked_for(events)
    return Draft(versioned, answer_about(sight.ref, "recorded", version, [], asks))


def _sight(
    wanted: Wanted, fresh: str | None, states: Mapping[str, Versioned], before: Before
) -> Sight:
    request = wanted.request
    is_new = is_beginning(wanted.wish)
    return Sight(
        ref=(fresh if is_new else request.about) or "",
        new=None if is_new else fresh,
        states=states,
        at=before.now,
        by=request.actor,
        roles=(*request.scopes, *(f"desk-{scope}" for scope in request.scopes)),
        client=before.clients.get(without_client(wanted.wish) or ""),
        policy=before.policy,
        policy_version=before.policy_version,
        helping=_helping(wanted, before),
    )


def _helping(wanted: Wanted, before: Before) -> Helper | Unreadable | None:
    if not needs_helper(wanted):
        return None
    return before.helpers.get(wanted.request.about or "")
