"""Decides a batch of people's commands, given the state before it. Pure.

Commands are processed in order; each sees the effects of the earlier ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.commands.dispatch import DecisionRecords, decided
from services.intake.commands.escalation_state import needs_helper
from services.intake.commands.pending_command import (
    PendingCommand,
    answer_about,
    asked_for,
    is_beginning,
    misused,
    moved,
    refused,
    without_client,
)
from services.intake.commands.record_store import (
    UNOPENED,
    RecordEvent,
    RecordUnreadable,
    Unreadable,
    Versioned,
    advance,
    readable,
)
from services.intake.commands.rules import Refused
from services.intake.commands.rules.context import Helper
from services.intake.endpoint_context import Refusal
from shared.domain.policy.document import Policy
from shared.eventlog.append import CommandIdReused, Known, Repeated, repeated
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, RecordAnswer


@dataclass(frozen=True, slots=True)
class CommandBatchContext:
    """The state before the batch; `fresh` has a reference for each new record.

    `clients` maps reporters to the client given by the directory; `helpers` are the
    people above N1 who work on an incident.
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
class EventDraft:
    """Decided events with their versions, and the answer once they are recorded."""

    events: Sequence[tuple[int, RecordEvent]]
    answer: Answered


Verdict = EventDraft | CommandAnswer | RecordAnswer | Repeated | HttpError


@dataclass(frozen=True, slots=True)
class CommandBatch:
    """A verdict for each command, by its number; `refusals` go to the journal."""

    verdicts: Mapping[int, Verdict]
    refusals: Sequence[Refusal]
    states: Mapping[str, Versioned]


def deliberate(
    wanted: Mapping[int, PendingCommand], before: CommandBatchContext
) -> CommandBatch:
    """Return the verdict for each command, processed in order."""
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
    return CommandBatch(verdicts, refusals, states)


def _verdict(
    wanted: PendingCommand,
    sight: DecisionRecords,
    states: dict[str, Versioned],
    known: Known,
) -> Verdict:
    """Return the verdict for one command, and advance `states` accordingly."""
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
    return EventDraft(versioned, answer_about(sight.ref, "recorded", version, [], asks))


def _sight(
    wanted: PendingCommand,
    fresh: str | None,
    states: Mapping[str, Versioned],
    before: CommandBatchContext,
) -> DecisionRecords:
    request = wanted.request
    is_new = is_beginning(wanted.wish)
    return DecisionRecords(
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


def _helping(
    wanted: PendingCommand, before: CommandBatchContext
) -> Helper | Unreadable | None:
    if not needs_helper(wanted):
        return None
    return before.helpers.get(wanted.request.about or "")
