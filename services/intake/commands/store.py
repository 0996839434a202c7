"""Processes people's commands in batches: read, decide, append and answer.

Commands of a batch whose stream changed in the meantime are decided again, without
affecting the others. Commands that move signal keys, attach or remove files, or
add a caller to the directory are processed one by one, each in its own transaction, so
that keys, files, people and log stay consistent.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.intake.attempts import too_busy
from services.intake.callers.store import add, directory_for, entry_addresses
from services.intake.commands.batch import (
    CommandBatch,
    CommandBatchContext,
    EventDraft,
    decide_batch,
)
from services.intake.commands.escalation_state import helpers
from services.intake.commands.pending_command import PendingCommand, repeated_answer
from services.intake.directory.store import clients_of, strangers
from services.intake.policy.store import Policies
from services.intake.records.alert_keys import move_keys
from services.intake.records.reference_numbers import new_refs
from services.intake.records.store import UNOPENED, RecordCache, Versioned
from shared.attachments.content import destroy, store
from shared.clock import Clock
from shared.commands.refusals import journal, misused
from shared.database.cursors import Cursors
from shared.domain.events.incident_attachments import (
    IncidentFileAttached,
    IncidentFileRemoved,
)
from shared.domain.record import REF_OF_NUMBER, RecordEvent, ref_of, stream_of
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


def _first_of_each_id(pending: Mapping[int, PendingCommand]) -> Sequence[int]:
    """Return the commands without those that repeat one of them.

    Decided beside it, a repeat would meet what it has changed, and not be known as one.
    """
    seen: set[UUID] = set()
    first: list[int] = []
    for n, each in pending.items():
        id_ = each.request.command_id
        if id_ is None or id_ not in seen:
            first.append(n)
        if id_ is not None:
            seen.add(id_)
    return first


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

    def flush(self, pending: Sequence[PendingCommand]) -> list[Answer]:
        """Return the answer to each command, in order; an exception is an answer too.

        Raises `Unavailable` if none could be answered.
        """
        answers: dict[int, Answer] = {}
        numbered = dict(enumerate(pending))
        kept = {n: each for n, each in numbered.items() if not each.request.preview}
        alone = [n for n, each in kept.items() if each.is_alone]
        together = [n for n in kept if n not in alone]
        previewed = {n: each for n, each in numbered.items() if n not in kept}
        try:
            for batch in [together, *([n] for n in alone)]:
                self._take(batch, numbered, answers)
            answers |= self._previewed(previewed)
        except Unavailable as error:
            if not answers:
                raise
            return [answers.get(n) or error for n in numbered]
        return [answers.get(n) or too_busy() for n in numbered]

    def _previewed(self, pending: Mapping[int, PendingCommand]) -> dict[int, Answer]:
        """Return what would be answered to each command, as if it came alone."""
        if not pending:
            return {}
        try:
            with self._log.transaction() as cursor:
                before = self._before(cursor, pending)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 # whatever it is, it fails these alone
            return dict.fromkeys(pending, error)
        return {n: self._preview(each, before) for n, each in pending.items()}

    def _preview(self, pending: PendingCommand, before: CommandBatchContext) -> Answer:
        about = pending.request.about
        try:
            verdict = decide_batch({0: pending}, before).verdicts[0]
        except Exception as error:  # noqa: BLE001 # it fails one preview alone
            return error
        match verdict:
            case EventDraft(answer=answer):
                seen = before.states.get(about or "", UNOPENED)
                told = {"outcome": "would_record", "version": seen.version}
                return answer.model_copy(update=told)
            case Repeated(first, last):
                return repeated_answer(self._log, about, first, last)
            case _:
                return verdict

    def _take(
        self,
        batch: Sequence[int],
        pending: Mapping[int, PendingCommand],
        answers: dict[int, Answer],
    ) -> None:
        """Add the answers to a batch to `answers`, as far as it can be decided."""
        first = _first_of_each_id({n: pending[n] for n in batch})
        for part in (first, [n for n in batch if n not in first]):
            for _ in range(ATTEMPTS_MAX):
                left = {n: pending[n] for n in part if n not in answers}
                if not left:
                    break
                answers.update(self._attempt(left))

    def _attempt(self, pending: Mapping[int, PendingCommand]) -> dict[int, Answer]:
        """Answer what one transaction can answer; the rest is decided again.

        If it fails, the batch is split into halves, unless PostgreSQL is unavailable:
        an error of one command fails that one alone.
        """
        try:
            owners = {each.request.actor for each in pending.values()}
            entries = [each.caller for each in pending.values() if each.caller]
            reachable = [each for each in entries if each.email or each.phone]
            owners |= {f"person:{each.id}" for each in reachable}
            self._log.vault.prepare_all(owners)
            batch, outcomes = self._transact(pending)
        except _Again:
            return {}
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 # it fails one command alone
            return self._divided(pending, error)
        self._cache.keep(_certain(batch, outcomes))
        return self._answers(pending, batch, outcomes)

    def _divided(
        self, pending: Mapping[int, PendingCommand], error: Exception
    ) -> dict[int, Answer]:
        if len(pending) == 1:
            return dict.fromkeys(pending, error)
        items = list(pending.items())
        half = len(items) // 2
        head, tail = dict(items[:half]), dict(items[half:])
        return self._part(head) | self._part(tail)

    def _part(self, pending: Mapping[int, PendingCommand]) -> dict[int, Answer]:
        """Answer a part of a batch; answers to the other part are not affected."""
        try:
            return self._attempt(pending)
        except Unavailable as error:
            return dict.fromkeys(pending, error)

    def _transact(
        self, pending: Mapping[int, PendingCommand]
    ) -> tuple[CommandBatch, Outcomes]:
        with self._log.transaction() as cursor:
            batch = decide_batch(pending, self._before(cursor, pending))
            for refusal in batch.refusals:
                journal(cursor, "intake", refusal)
            return batch, self._record(cursor, pending, batch)

    def _answers(
        self,
        pending: Mapping[int, PendingCommand],
        batch: CommandBatch,
        outcomes: Outcomes,
    ) -> dict[int, Answer]:
        answers: dict[int, Answer] = {}
        for n, verdict in batch.verdicts.items():
            match verdict:
                case EventDraft(answer=answer):
                    outcome = outcomes[n]
                    if not isinstance(outcome, Stale):
                        answers[n] = self._answer(pending[n], answer, outcome)
                case Repeated(first, last):
                    about = pending[n].request.about
                    answers[n] = repeated_answer(self._log, about, first, last)
                case _:
                    answers[n] = verdict
        return answers

    def _before(
        self, cursor: Cursors, pending: Mapping[int, PendingCommand]
    ) -> CommandBatchContext:
        version, policy = self._policies.current(cursor)
        ids = [id_ for each in pending.values() if (id_ := each.request.command_id)]
        states = self._cache.read(cursor, _refs(pending.values()))
        merged_into = {
            state.incident.merged_into
            for state in states.values()
            if state.incident and state.incident.merged_into
        }
        states |= self._cache.read(cursor, merged_into - set(states))
        fresh: dict[int, str] = {}
        for kind in REF_OF_NUMBER:
            if new := [n for n, each in pending.items() if each.new_kind == kind]:
                fresh |= zip(new, new_refs(cursor, kind, len(new)), strict=True)
        known = recorded_commands(cursor, ids)
        reporters = {each.reporter for each in pending.values() if each.reporter}
        clients = clients_of(cursor, sorted(reporters)) if reporters else {}
        helping = helpers(self._log, cursor, pending.values(), states)
        now = self._clock()
        assignees = {each.assignee for each in pending.values() if each.assignee}
        unknown = strangers(cursor, assignees, now)
        callers = [each.caller for each in pending.values() if each.caller]
        directories = {
            each.id: directory_for(cursor, each.email, each.client) for each in callers
        }
        return CommandBatchContext(
            states,
            known,
            policy,
            version,
            now,
            fresh,
            clients,
            helping,
            unknown,
            directories,
        )

    def _record(
        self,
        cursor: Cursors,
        pending: Mapping[int, PendingCommand],
        batch: CommandBatch,
    ) -> Outcomes:
        drafts = {n: v for n, v in batch.verdicts.items() if isinstance(v, EventDraft)}
        if not drafts:
            return {}
        moved = [
            self._change_more(cursor, pending[n], draft)
            for n, draft in drafts.items()
            if pending[n].is_alone
        ]
        units = [self._unit(pending[n], draft) for n, draft in drafts.items()]
        units += [
            entry_addresses(self._log, cursor, entry, each.request.actor, self._clock())
            for each in (pending[n] for n in drafts)
            if (entry := each.caller) is not None
        ]
        appended = self._log.append(cursor, units)
        if any(moved) and not all(isinstance(each, Recorded) for each in appended):
            raise _Again
        return dict(zip(drafts, appended, strict=False))

    def _change_more(
        self,
        cursor: Cursors,
        pending: PendingCommand,
        draft: EventDraft,
    ) -> bool:
        """Change what must be consistent with the log: signal keys, files, people."""
        happened = [event for _, event in draft.events]
        changed = pending.moves_keys and move_keys(cursor, happened)
        vault, now = self._log.vault, self._clock()
        if pending.caller is not None:
            add(cursor, pending.caller, now)
            changed = True
        for event in happened:
            match event:
                case IncidentFileAttached(incident=ref, whose=str(owner)):
                    assert pending.content is not None  # noqa: S101 # no event without it
                    store(cursor, vault, ref, owner, pending.content, now)
                    changed = True
                case IncidentFileRemoved(attachment=attachment):
                    destroy(cursor, attachment)
                    changed = True
                case _:
                    pass
        return changed

    def _unit(self, pending: PendingCommand, draft: EventDraft) -> AppendUnit:
        command_id = pending.request.command_id
        stored = (
            self._log.stored(stream_of(ref_of(event)), version, event, command_id)
            for version, event in draft.events
        )
        return AppendUnit(tuple(stored), command_id, pending.digest)

    def _answer(
        self,
        pending: PendingCommand,
        answer: Answered,
        outcome: Recorded | Repeated | CommandIdReused,
    ) -> Answer:
        match outcome:
            case Recorded(first, last):
                positions = list(range(first, last + 1))
                return answer.model_copy(update={"positions": positions})
            case Repeated(first, last):
                return repeated_answer(self._log, pending.request.about, first, last)
            case CommandIdReused():
                return misused()


def _refs(pending: Iterable[PendingCommand]) -> set[str]:
    """Return the records that these commands are about, and the others they name."""
    refs = {ref for each in pending for ref in (each.request.about, *each.others)}
    return {ref for ref in refs if ref}


def _certain(batch: CommandBatch, outcomes: Outcomes) -> dict[str, Versioned]:
    """Return the states not affected by a failed append; these may be cached."""
    doubtful = {
        ref_of(event)
        for n, outcome in outcomes.items()
        if not isinstance(outcome, Recorded)
        for _, event in _events(batch, n)
    }
    return {ref: s for ref, s in batch.states.items() if ref not in doubtful}


def _events(batch: CommandBatch, n: int) -> Sequence[tuple[int, RecordEvent]]:
    verdict = batch.verdicts[n]
    return verdict.events if isinstance(verdict, EventDraft) else ()
