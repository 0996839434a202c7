"""Retries quarantined elements one by one, each in its own transaction.

A retry reads an element with today's adapter, as of the time it was received.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from services.intake.policy.store import InForce
from services.intake.quarantine import store
from services.intake.quarantine.store import QuarantinedElement
from services.intake.records.signal import Signal
from services.intake.signals.body import elements, read_json, read_kept
from services.intake.signals.formats import adapter_for, zone_of
from services.intake.signals.formats.clouds.cloudevents import CONTENT_TYPE
from services.intake.signals.formats.elements.fields import one_line
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.preview import error_of
from services.intake.signals.reception import (
    NOBODY,
    REFUSED_SENDER,
    UNREADABLE,
    Reception,
)
from services.intake.signals.schemas import Delivery, Heard, Rejected, Result, RetryOf
from services.intake.signals.waiting_signals import BY_ITSELF
from shared.clock import Clock
from shared.domain.bounded_text import REASON_MAX
from shared.domain.commands.quarantine import (
    Quarantined,
    QuarantineOutcome,
    RetryMany,
    Tried,
    TriedMany,
)
from shared.domain.policy.sources import Source
from shared.eventlog.batcher import Overloaded
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.http.error_responses import problem_of
from shared.http.problem_details import HttpError
from shared.observability.telemetry import wordless
from shared.threads import in_thread
from shared.vault.vault import VaultError

NATIVE = "native"


def reread(kept: QuarantinedElement, said: Source | None, by: str) -> Delivery | str:
    """Return the delivery that replaces the element, or why it still fails.

    A body that was quarantined as a whole may now hold several elements: all of them
    are taken.
    """
    heard = read_again(kept, said)
    if isinstance(heard, str):
        return heard
    is_whole = kept.elements == 1
    if not is_whole and kept.elements not in {None, len(heard)}:
        return (
            f"its body was read as {kept.elements} elements and is now as "
            f"{len(heard)}: which of them it is cannot be told"
        )
    if kept.element >= len(heard):
        return "its body has no such element any more"
    if is_whole:
        first, taken = 0, heard
    else:
        first, taken = kept.element, heard[kept.element : kept.element + 1]
    if len(taken) == 1 and isinstance(taken[0], Rejected):
        return error_of(taken[0])
    return Delivery(
        kept.source,
        kept.adapter,
        kept.body,
        first,
        tuple(_named(each, kept, n) for n, each in enumerate(taken, start=first)),
        kept.received_at,
        elements=len(heard),
        settles=RetryOf(kept.id, by),
        headers=kept.headers,
        event_id=kept.event_id,
    )


def read_again(kept: QuarantinedElement, said: Source | None) -> Sequence[Heard] | str:
    """Return the elements the adapter finds in the body, or why it fails."""
    if kept.adapter == UNREADABLE and kept.source == NOBODY:
        return "it came from no source: send it again with the key of one"
    # An unreadable NATS message is assumed to be in our native format.
    name = kept.adapter
    if name in (UNREADABLE, REFUSED_SENDER):
        name = NATIVE
    adapter = adapter_for(name, said)
    if adapter is None:
        return f"the policy does not say how to read `{kept.source}`: give it a mapping"
    try:
        document = _document(name, kept)
    except HttpError as problem:
        return problem.details.detail
    post = InboundDocument(
        kept.source, kept.received_at, kept.event_id, zone_of(said), kept.headers
    )
    return adapter(document, post)


def _document(adapter: str, kept: QuarantinedElement) -> object:
    if adapter != NATIVE:
        return read_kept(kept.body, kept.headers.get(CONTENT_TYPE))
    document = read_json(kept.body)
    elements(document)
    return document


def _named(heard: Heard, kept: QuarantinedElement, index: int) -> Heard:
    """Return the signal with an event id that is the same on every retry.

    If it has no time of its own, the time of reception counts, so that anything
    received since is newer. If nothing was received since, it needs no time.
    """
    if not isinstance(heard, Signal):
        return heard
    came = None if kept.in_turn else kept.received_at
    arrival = f"{kept.received_at.timestamp():.6f}"
    return heard.model_copy(
        update={
            "event_id": heard.event_id or f"quarantine:{kept.id}/{index}/{arrival}",
            "occurred_at": heard.occurred_at or came,
        }
    )


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
        found = await in_thread(self.executor, self._reread, number, by)
        if isinstance(found, Tried):
            return found
        results = await self.reception.take(found)
        row = await in_thread(self.executor, self._row, number)
        return Tried(
            id=number,
            state=row.state,
            reason=row.reason if row.state == "waiting" else None,
            results=[_outcome(result) for result in results],
        )

    async def many(self, asked: RetryMany, by: str) -> TriedMany:
        """Return the results of a round of retries, oldest first.

        Bodies from a rejected sender are retried only by id, or if their adapter is
        named explicitly, so that forged signals are not released together with those of
        their source.
        """
        waiting = await in_thread(self.executor, self._waiting, asked)
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


def _outcome(result: Result) -> QuarantineOutcome:
    return QuarantineOutcome(
        status=result.status,
        incident=result.incident,
        position=result.position,
        reason=result.error,
    )
