"""Retries quarantined elements one by one, each in its own transaction."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

from services.intake.policy.in_force import InForce
from services.intake.quarantine import store
from services.intake.quarantine.store import BY_ITSELF, reread
from services.intake.signals.delivery import Delivery, Result
from services.intake.signals.formats.elements.fields import one_line
from services.intake.signals.reception import REFUSED_SENDER, Reception
from shared.clock import Clock
from shared.domain.bounded_text import REASON_MAX
from shared.domain.commands.quarantine import (
    Quarantined,
    QuarantineOutcome,
    RetryMany,
    Tried,
    TriedMany,
)
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.error_responses import problem_of
from shared.observability.telemetry import wordless
from shared.vault.vault import VaultError

Given = TypeVarTuple("Given")
Answer = TypeVar("Answer")

_GONE = "its body cannot be read any more: its source was forgotten"


@dataclass(frozen=True)
class QuarantineRetry:
    """Reads stored elements again and passes them to the regular reception."""

    log: EventLog
    reception: Reception
    in_force: InForce
    clock: Clock
    executor: Executor

    async def one(self, number: int, by: str) -> Tried:
        """Return the result of a retry; an element already settled does not change."""
        found = await self._blocking(self._reread, number, by)
        if isinstance(found, Tried):
            return found
        results = await self.reception.take(found)
        row = await self._blocking(self._row, number)
        return Tried(
            id=number,
            state=row.state,
            reason=row.reason if row.state == "waiting" else None,
            results=[_became(result) for result in results],
        )

    async def many(self, asked: RetryMany, by: str) -> TriedMany:
        """Return the results of a round of retries, oldest first.

        Bodies from a rejected sender are retried only by id, or if their adapter is
        named explicitly, so that forged signals are not released together with those of
        their source.
        """
        waiting = await self._blocking(self._waiting, asked)
        tried = [
            Tried(id=each.id, state="waiting", reason=each.reason)
            if each.adapter == REFUSED_SENDER != asked.adapter
            else await self._resiliently(each.id, by)
            for each in waiting
        ]
        released = sum(each.state == "released" for each in tried)
        is_full = len(waiting) == asked.limit
        return TriedMany(
            released=released,
            waiting=sum(each.state == "waiting" for each in tried),
            items=tried,
            next_cursor=str(waiting[-1].id) if is_full else None,
        )

    async def _resiliently(self, number: int, by: str) -> Tried:
        """Retry one element; if it fails, it keeps waiting and the others go on."""
        try:
            return await self.one(number, by)
        except (Unavailable, Overloaded):
            raise
        except Exception as error:  # noqa: BLE001 # it concerns this element only
            why = problem_of(error, "quarantine").details.detail
            return Tried(id=number, state="waiting", reason=why)

    def _waiting(self, asked: RetryMany) -> list[Quarantined]:
        with self.log.transaction() as cursor:
            return store.listed(cursor, asked, "waiting", asked.cursor, asked.limit)

    def _row(self, number: int) -> Quarantined:
        with self.log.transaction() as cursor:
            found = store.one(cursor, number)
        if found is None:
            raise LookupError(number)
        return found

    def _reread(self, number: int, by: str) -> Delivery | Tried:
        row = self._row(number)
        if row.state != "waiting":
            return Tried(id=number, state=row.state)
        self.in_force.look()  # a mapping may have been corrected a moment ago
        read = self._read(number, by)
        if isinstance(read, Delivery):
            return read
        why = one_line(read, REASON_MAX)
        if by == BY_ITSELF and why == row.reason:
            return Tried(id=number, state="waiting", reason=why)
        with self.log.transaction() as cursor:
            store.stays(cursor, number, store.Note(self.clock(), by, why))
        return Tried(id=number, state="waiting", reason=why)

    def _read(self, number: int, by: str) -> Delivery | str:
        try:
            with self.log.transaction() as cursor:
                kept = store.kept(cursor, self.log.vault, number)
        except VaultError as error:
            return f"its body cannot be opened: {wordless(error)}"
        return reread(kept, self.in_force.source(kept.source), by) if kept else _GONE

    async def _blocking(
        self, call: Callable[[*Given], Answer], *given: *Given
    ) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, call, *given)


def _became(result: Result) -> QuarantineOutcome:
    return QuarantineOutcome(
        status=result.status,
        incident=result.incident,
        position=result.position,
        reason=result.error,
    )
