"""Processes people's commands in batches: read, decide, append and answer.

Commands of a batch whose stream changed in the meantime are decided again, without
affecting the others. Commands that move signal keys are processed one by one, each in
its own transaction, so that keys and log stay consistent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Cursor

from services.intake.commands.batch import (
    CommandBatch,
    CommandBatchContext,
    EventDraft,
    deliberate,
)
from services.intake.commands.escalation_state import helpers
from services.intake.commands.pending_command import (
    PendingCommand,
    begins,
    misused,
    moves_keys,
    refs_read,
    repeated_answer,
    reporters,
    too_busy,
)
from services.intake.commands.record_store import (
    REF_OF_NUMBER,
    RecordCache,
    RecordEvent,
    Versioned,
    ref_of,
    stream_of,
)
from services.intake.commands.reference_numbers import new_refs
from services.intake.directory.store import clients_of
from services.intake.endpoint_context import journal
from services.intake.policy.store import Policies
from services.intake.signals.key_rows import move_keys
from shared.clock import Clock
from shared.eventlog.append import (
    AppendUnit,
    CommandIdReused,
    Outcome,
    Recorded,
    Repeated,
    Stale,
    recorded_commands,
)
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.messaging.commands import Answered

ATTEMPTS_MAX = 100
"""How often a command is decided again before its sender is asked to retry."""

Answer = Answered | Exception
Outcomes = Mapping[int, Outcome]


class _Again(Exception):
    """Roll back the transaction and decide again."""


class CommandDesk:
    """Answers batches of commands; it blocks, so it runs in an executor."""

    def __init__(
        self, log: EventLog, cache: RecordCache, policies: Policies, clock: Clock
    ) -> None:
        self._log = log
        self._cache = cache
        self._policies = policies
        self._clock = clock

    def flush(self, wanted: Sequence[PendingCommand]) -> list[Answer]:
        """Return the answer to each command, in order; an exception is an answer too.

        Raises `Unavailable` if none could be answered.
        """
        answers: dict[int, Answer] = {}
        numbered = dict(enumerate(wanted))
        alone = [n for n, each in numbered.items() if moves_keys(each.wish)]
        together = [n for n in numbered if n not in alone]
        for batch in [together, *([n] for n in alone)]:
            try:
                self._take(batch, numbered, answers)
            except Unavailable as error:
                if not answers:
                    raise
                return [answers.get(n) or error for n in numbered]
        return [answers.get(n) or too_busy() for n in numbered]

    def _take(
        self,
        batch: Sequence[int],
        wanted: Mapping[int, PendingCommand],
        answers: dict[int, Answer],
    ) -> None:
        """Add the answers to a batch to `answers`, as far as it can be decided."""
        for _ in range(ATTEMPTS_MAX):
            left = {n: wanted[n] for n in batch if n not in answers}
            if not left:
                return
            answers.update(self._attempt(left))

    def _attempt(self, wanted: Mapping[int, PendingCommand]) -> dict[int, Answer]:
        """Answer what one transaction can answer; the rest is decided again.

        If it fails, the batch is split into halves, unless PostgreSQL is unavailable:
        an error of one command fails that one alone.
        """
        try:
            for actor in {each.request.actor for each in wanted.values()}:
                self._log.vault.prepare(actor)
            thought, outcomes = self._transact(wanted)
        except _Again:
            return {}
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 # it fails one command alone
            return self._divided(wanted, error)
        self._cache.keep(_certain(thought, outcomes))
        return self._answers(wanted, thought, outcomes)

    def _divided(
        self, wanted: Mapping[int, PendingCommand], error: Exception
    ) -> dict[int, Answer]:
        if len(wanted) == 1:
            return dict.fromkeys(wanted, error)
        items = list(wanted.items())
        half = len(items) // 2
        head, tail = dict(items[:half]), dict(items[half:])
        return self._part(head) | self._part(tail)

    def _part(self, wanted: Mapping[int, PendingCommand]) -> dict[int, Answer]:
        """Answer a part of a batch; answers to the other part are not affected."""
        try:
            return self._attempt(wanted)
        except Unavailable as error:
            return dict.fromkeys(wanted, error)

    def _transact(
        self, wanted: Mapping[int, PendingCommand]
    ) -> tuple[CommandBatch, Outcomes]:
        with self._log.transaction() as cursor:
            thought = deliberate(wanted, self._before(cursor, wanted))
            for refusal in thought.refusals:
                journal(cursor, refusal)
            return thought, self._record(cursor, wanted, thought)

    def _answers(
        self,
        wanted: Mapping[int, PendingCommand],
        thought: CommandBatch,
        outcomes: Outcomes,
    ) -> dict[int, Answer]:
        answers: dict[int, Answer] = {}
        for n, verdict in thought.verdicts.items():
            match verdict:
                case EventDraft(answer=answer):
                    outcome = outcomes[n]
                    if not isinstance(outcome, Stale):
                        answers[n] = self._answer(wanted[n], answer, outcome)
                case Repeated(first, last):
                    about = wanted[n].request.about
                    answers[n] = repeated_answer(self._log, about, first, last)
                case _:
                    answers[n] = verdict
        return answers

    def _before(
        self, cursor: Cursor[tuple[Any, ...]], wanted: Mapping[int, PendingCommand]
    ) -> CommandBatchContext:
        version, policy = self._policies.current(cursor)
        ids = [w.request.command_id for w in wanted.values() if w.request.command_id]
        states = self._cache.read(cursor, refs_read(wanted.values()))
        merged_into = {
            state.incident.merged_into
            for state in states.values()
            if state.incident and state.incident.merged_into
        }
        states |= self._cache.read(cursor, merged_into - set(states))
        fresh: dict[int, str] = {}
        for kind in REF_OF_NUMBER:
            new = [n for n, each in wanted.items() if begins(each.wish) == kind]
            fresh |= zip(new, new_refs(cursor, kind, len(new)), strict=True)
        known = recorded_commands(cursor, ids)
        clients = clients_of(cursor, reporters(wanted))
        helping = helpers(self._log, cursor, wanted.values(), states)
        now = self._clock()
        return CommandBatchContext(
            states, known, policy, version, now, fresh, clients, helping
        )

    def _record(
        self,
        cursor: Cursor[tuple[Any, ...]],
        wanted: Mapping[int, PendingCommand],
        thought: CommandBatch,
    ) -> Outcomes:
        drafts = {
            n: v for n, v in thought.verdicts.items() if isinstance(v, EventDraft)
        }
        if not drafts:
            return {}
        moved = [
            move_keys(cursor, [event for _, event in draft.events])
            for draft in drafts.values()
        ]
        members = [self._member(wanted[n], draft) for n, draft in drafts.items()]
        outcomes = dict(zip(drafts, self._log.append(cursor, members), strict=True))
        if any(moved) and not all(isinstance(o, Recorded) for o in outcomes.values()):
            raise _Again
        return outcomes

    def _member(self, wanted: PendingCommand, draft: EventDraft) -> AppendUnit:
        command_id = wanted.request.command_id
        stored = (
            self._log.stored(stream_of(ref_of(event)), version, event, command_id)
            for version, event in draft.events
        )
        return AppendUnit(tuple(stored), command_id, wanted.digest)

    def _answer(
        self,
        wanted: PendingCommand,
        answer: Answered,
        outcome: Recorded | Repeated | CommandIdReused,
    ) -> Answer:
        match outcome:
            case Recorded(first, last):
                positions = list(range(first, last + 1))
                return answer.model_copy(update={"positions": positions})
            case Repeated(first, last):
                return repeated_answer(self._log, wanted.request.about, first, last)
            case CommandIdReused():
                return misused()


def _certain(thought: CommandBatch, outcomes: Outcomes) -> dict[str, Versioned]:
    """Return the states not affected by a failed append; these may be cached."""
    doubtful = {
        ref_of(event)
        for n, outcome in outcomes.items()
        if not isinstance(outcome, Recorded)
        for _, event in _events(thought, n)
    }
    return {ref: s for ref, s in thought.states.items() if ref not in doubtful}


def _events(thought: CommandBatch, n: int) -> Sequence[tuple[int, RecordEvent]]:
    verdict = thought.verdicts[n]
    return verdict.events if isinstance(verdict, EventDraft) else ()
