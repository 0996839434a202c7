"""Decides a batch of people's commands, given the state before it. Pure.

Commands are processed in order; each sees the effects of the earlier ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.callers.rules import Directory, require_new
from services.intake.commands.escalation_state import needs_helper
from services.intake.commands.pending_command import (
    PendingCommand,
    answer_about,
    follow_up,
)
from services.intake.records.rules import VERBS, DecisionContext, decide
from services.intake.records.rules.context import Helper
from services.intake.records.store import (
    UNOPENED,
    RecordUnreadable,
    Versioned,
    advance,
    readable,
)
from shared.commands.refusals import Refusal, answer_to, misused, moved
from shared.domain.commands.incident import Unmerge
from shared.domain.identifiers import escalation_stream
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.record import Record, RecordEvent, kind_of
from shared.domain.refusal import Refused
from shared.eventlog.append import CommandIdReused, Known, Repeated, repeated
from shared.eventlog.histories import Unreadable
from shared.http.problem_details import HttpError
from shared.messaging.commands import Answered, CommandAnswer, RecordAnswer


@dataclass(frozen=True, slots=True)
class CommandBatchContext:
    """The state before the batch; `fresh` has a reference for each new record.

    `clients` maps reporters to the client given by the directory; `helpers` are the
    people above N1 who work on an incident; `strangers` are those of the assignees whom
    neither the directory nor a right knows; `directories` has what each new caller, by
    their id, is compared with.
    """

    states: Mapping[str, Versioned]
    known: Known
    policy: Policy
    policy_version: int
    now: datetime
    fresh: Mapping[int, str]
    clients: Mapping[str, str]
    helpers: Mapping[str, Helper | Unreadable] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    directories: Mapping[str, Directory] = field(default_factory=dict)


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


def decide_batch(
    commands: Mapping[int, PendingCommand], before: CommandBatchContext
) -> CommandBatch:
    """Return the verdict for each command, processed in order."""
    states = dict(before.states)
    verdicts: dict[int, Verdict] = {}
    refusals: list[Refusal] = []
    for n, each in commands.items():
        new = before.fresh.get(n)
        ref = (new if each.creates else each.request.about) or ""
        try:
            verdicts[n] = _verdict(each, ref, new, states, before)
        except Refused as no:
            by = each.request.actor
            refusals.append(Refusal(before.now, by, each.verb, ref, no))
            verdicts[n] = answer_to(no)
        except RecordUnreadable as no:
            verdicts[n] = no
    return CommandBatch(verdicts, refusals, states)


def _verdict(
    pending: PendingCommand,
    ref: str,
    new: str | None,
    states: dict[str, Versioned],
    before: CommandBatchContext,
) -> Verdict:
    """Return the verdict for one command, and advance `states` accordingly."""
    request = pending.request
    match repeated(before.known, request.command_id, pending.digest):
        case Repeated() as again:
            return again
        case CommandIdReused():
            return misused()
        case None:
            held = readable(states, ref)
    if request.if_match is not None and request.if_match != held.version:
        return moved(request.if_match, held.version)
    if pending.caller is not None:
        directory = before.directories[pending.caller.id]
        require_new(pending.caller, directory, pending.within, before.policy)
    is_kind = kind_of(ref) == VERBS[type(request.body)].kind
    record = held.record if is_kind else None
    context = _context(pending, ref, new, _others(pending, record, states), before)
    events = decide(pending.body, record, context)
    versioned = advance(states, events)
    version = states.get(ref, UNOPENED).version
    if not events:
        return answer_about(ref, "already", version, [])
    asks = follow_up(events)
    return EventDraft(versioned, answer_about(ref, "recorded", version, [], asks))


def _context(
    pending: PendingCommand,
    ref: str,
    new: str | None,
    others: Mapping[str, Record],
    before: CommandBatchContext,
) -> DecisionContext:
    """Return what the rule of a command may use; raises `RecordUnreadable`."""
    request, caller = pending.request, pending.caller
    known = before.clients.get(pending.reporter or "")
    return DecisionContext(
        ref=ref,
        at=before.now,
        by=request.actor,
        policy=before.policy,
        policy_version=before.policy_version,
        roles=(*request.scopes, *(f"desk-{scope}" for scope in request.scopes)),
        others=others,
        helper=_helper(pending, ref, before),
        new=None if pending.creates else new,
        client=caller.client if caller else known,
        strangers=before.strangers,
    )


def _others(
    pending: PendingCommand, record: Record | None, states: Mapping[str, Versioned]
) -> Mapping[str, Record]:
    """Return the other records concerned that exist; raises `RecordUnreadable`."""
    refs = pending.others
    if isinstance(pending.request.body, Unmerge) and isinstance(record, Incident):
        refs.append(record.merged_into or "")
    held = {ref: readable(states, ref).record for ref in refs}
    return {ref: other for ref, other in held.items() if other is not None}


def _helper(
    pending: PendingCommand, ref: str, before: CommandBatchContext
) -> Helper | None:
    """Return the team and person above N1; raises `RecordUnreadable` if not known."""
    helper = before.helpers.get(ref) if needs_helper(pending) else None
    if isinstance(helper, Unreadable):
        raise RecordUnreadable(escalation_stream(ref), helper.why)
    return helper
