"""Copies the event log to the stream `DESK_EVENTS`, in order, each event once.

One relay leads; the others wait for its lease. The relay keeps no checkpoint: it reads
its position from the last message of the stream, whenever something may have changed
it. If the stream is lost, nothing is lost: consumers read from the log. If it ends with
an event that the log does not contain, the log went back: nothing is relayed or purged
until somebody begins a new epoch. Only a stream that was looked through, or whose end a
restore has retired, is purged.

Batches are atomic and fenced: the first message states the expected last sequence of
the stream, so the whole batch fails if anyone else has published in between.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import NotFoundError
from psycopg import OperationalError
from pydantic import ValidationError

from shared.database.leadership import Candidate, Leadership, Lease, LeaseLost
from shared.domain.events.administration import LOG_STREAM
from shared.eventlog.continuity import last_seen
from shared.eventlog.continuity.check import LogSnapshot
from shared.eventlog.continuity.evidence import FIRST, NATS, EpochId, Evidence, Mark
from shared.eventlog.continuity.last_seen import UNKNOWN_SERVER, LastSeen
from shared.eventlog.epochs import ONLY_FIRST, Epochs
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row, follows
from shared.eventlog.recorder import Head
from shared.http.serve import pause
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.envelope import Unreadable, epoch_of, headers_of, row_of
from shared.messaging.streams import Refused, demand_payload, provision
from shared.observability.telemetry import Outage

BATCH = 500
"""Messages in one atomic batch; JetStream takes at most 1,000."""
BATCH_BYTES_MAX = 4_000_000
PUBLISH_SECONDS = 2.0


OTHERS_MAX = 100
"""How many messages that are not events are skipped at the end of the stream.

With more of them nothing is relayed: there might be an event that the log lacks.
"""
STREAM = f"the stream {subjects.EVENTS_STREAM}"
PURGE = f"`nats stream purge {subjects.EVENTS_STREAM}`"
NOWHERE = 0
"""The position used for a message that is not an event of the log."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the stream: its last sequence and the event stored there.

    `chain` is None if the stream is empty; `position` is then where to begin.
    """

    sequence: int
    position: int
    chain: bytes | None
    epoch: EpochId | None = FIRST
    """None if an older version sent the event, which named no epoch."""

    @property
    def evidence(self) -> Evidence | None:
        """What the stream has seen of the log; None if its end is not an event."""
        if not self.chain:
            return None
        return Evidence(Mark(self.position, self.chain), self.epoch or FIRST, STREAM)


async def read_tail(client: Client, head: int, within: float | None = None) -> Tail:
    """Return the end of the stream; an empty stream continues from `head`.

    `within` seconds each question is answered, else in `PUBLISH_SECONDS`.
    Raises `Refused` if it ends in too many messages that are not events.
    """
    jetstream = client.jetstream(timeout=within or PUBLISH_SECONDS)
    info = await jetstream.stream_info(subjects.EVENTS_STREAM)
    last = info.state.last_seq
    if not info.state.messages:
        return Tail(last, head, None)
    found = await _last_event(jetstream, last, info.state.first_seq)
    if found is None:
        now = (await jetstream.stream_info(subjects.EVENTS_STREAM)).state
        if (now.first_seq, now.last_seq) != (info.state.first_seq, last):
            return await read_tail(client, head, within)  # they were purged meanwhile
        return Tail(last, NOWHERE, b"")
    row, epoch = found
    return Tail(last, row.position, row.chain, epoch)


async def _last_event(
    jetstream: JetStreamContext, last: int, first: int
) -> tuple[Row, EpochId | None] | None:
    """Return the last event in the stream; None if it holds none.

    A message that is not an event tells nothing about the log that the others are of.
    """
    oldest = max(first, last - OTHERS_MAX + 1)
    for sequence in range(last, oldest - 1, -1):
        with suppress(Unreadable, ValidationError, NotFoundError):
            message = await jetstream.get_msg(subjects.EVENTS_STREAM, seq=sequence)
            row, epoch = (
                row_of(message.headers, message.data or b""),
                epoch_of(message.headers),
            )
            mark = Mark(row.position, row.chain)
            if last_seen.seen_at(mark, epoch or FIRST, UNKNOWN_SERVER).position:
                return row, epoch
    if oldest > first:
        raise Refused(
            f"{STREAM} ends in {OTHERS_MAX} messages or more that are not events: "
            f"look who sent them, then run {PURGE}; readers go on from the log"
        )
    return None


async def publish(
    client: Client, tail: Tail, rows: Sequence[Row], epochs: Epochs = ONLY_FIRST
) -> Tail:
    """Publish `rows`, which follow `tail` in the log, as one batch.

    Returns the new end of the stream. Raises `APIError` if the stream is not at `tail`;
    nothing is stored in that case.
    """
    jetstream = client.jetstream(timeout=PUBLISH_SECONDS)
    batch_id = secrets.token_hex(8)
    messages = [headers_of(row, epochs.of(row.position).label) for row in rows]
    messages[0][Header.EXPECTED_LAST_SEQUENCE.value] = str(tail.sequence)
    if len(rows) > 1:
        for number, headers in enumerate(messages, start=1):
            headers[Header.BATCH_ID.value] = batch_id
            headers[Header.BATCH_SEQUENCE.value] = str(number)
        messages[-1][Header.BATCH_COMMIT.value] = "1"
    for row, headers in zip(rows[:-1], messages, strict=False):
        await client.publish(subjects.event(row.type), row.state, headers=headers)
    last = rows[-1]
    answer = await jetstream.publish(
        subjects.event(last.type), last.state, headers=messages[-1]
    )
    return Tail(answer.seq, last.position, last.chain, epochs.of(last.position).id)


def batch_of(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first of `rows` that fit into one batch, at least one."""
    size = 0
    for count, row in enumerate(rows[:BATCH]):
        size += len(row.state)
        if count and size > BATCH_BYTES_MAX:
            return rows[:count]
    return rows[:BATCH]


POLL_SECONDS = 0.05
"""How often an idle relay checks for events that other processes have appended."""
_HOLDS_MORE = """
SELECT EXISTS (SELECT FROM log.events WHERE notification_id > %s)
"""
GATHER_SECONDS = 0.05
"""Wait after a batch, so that events that follow closely share the next one."""
ELECTION_SECONDS = 1.0
RETRY_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 5.0
"""How often an idle relay reads the end of the stream, which may be purged."""
LEASE = Lease("intake", "relay")
STALL_SECONDS = 30.0
"""How long one step of the relay may take, NATS and the log together."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _State:
    leads: bool = False
    told: bool = False
    """Whether leadership was logged; it is, once the stream was found."""
    noted: Sequence[str] = ()
    """What was provisioned last, or had to wait."""
    position: int = 0
    """Position of the last event in the stream; valid while `found`."""
    found: bool = False
    published_total: int = 0
    published_at: float = field(default_factory=time.monotonic)


def relay_candidate(
    dsn: str, may_write: Callable[[], bool] = lambda: True
) -> Candidate:
    """Return a candidate for the relay's lease."""
    return Candidate(dsn, LEASE, STALL_SECONDS, may_write)


class Relay:
    """The relay of one intake worker; a stale relay is fenced off by the stream.

    `replicas` is the number of copies of each stream in a NATS cluster, if configured.
    """

    def __init__(
        self,
        log: EventLog,
        link: Link,
        candidate: Candidate,
        replicas: int | None = None,
    ) -> None:
        self._replicas = replicas
        self._log = log
        self._link = link
        self._candidate = candidate
        self._woken = asyncio.Event()
        self._state = _State()
        self._epochs = ONLY_FIRST
        self.refusal = ""
        """Why this process cannot relay as NATS is configured; empty if it can."""
        self._log_outage = Outage("log", "events wait to be relayed; trying again")
        self._bus_outage = Outage("relay", "events wait in the log; trying again")

    @property
    def leads(self) -> bool:
        """Whether this relay is the one that publishes."""
        return self._state.leads

    @property
    def has_compared(self) -> bool:
        """Whether it leads, and the log contains what NATS has seen of it."""
        return self._state.leads and self._state.found

    def wake(self) -> None:
        """Check the log at once; call it in the event loop after a commit."""
        self._woken.set()

    def own(self) -> dict[str, float]:
        """Return the metrics of this process: how far it has relayed."""
        state = self._state
        return {
            "leads": float(state.leads),
            "position": float(state.position),
            "published_total": float(state.published_total),
            "resting_seconds": time.monotonic() - state.published_at,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Relay whenever elected, until `stop` is set; does not return earlier."""
        while not stop.is_set():
            try:
                await self._stand(stop)
            except (OperationalError, Unavailable) as error:
                self._log_outage.away(error)
            except (Error, OSError) as error:
                self.refusal = ""
                self._bus_outage.away(error)
            except Refused as error:
                self.refusal = str(error)
                self._bus_outage.away(error)
            except LeaseLost as error:
                _log.warning("relay.lease_lost", why=str(error))
            except Exception:  # noqa: BLE001 # a failure must not end the relay
                _log.exception("relay.failed")
            finally:
                self._state.leads = self._state.found = self._state.told = False
            await pause(stop, RETRY_SECONDS)

    async def _stand(self, stop: asyncio.Event) -> None:
        """Run for election, and lead until something fails."""
        if self._link.client is None:
            return
        # A process that cannot use the log must not take the lease: it would lead, fail
        # and log that again and again.
        await asyncio.to_thread(self._head)
        async with self._candidate.standing() as seat:
            while not await seat.won():
                self.refusal = ""  # another process leads, and says so itself
                self._log_outage.back()
                if stop.is_set():
                    return
                await pause(stop, ELECTION_SECONDS)
            self._state.leads = True
            while not stop.is_set() and (client := self._link.client) is not None:
                await self._lead(client, seat, stop)

    async def _lead(
        self, client: Client, seat: Leadership, stop: asyncio.Event
    ) -> None:
        """Relay from the end of the stream until it must be read again."""
        generation = self._link.generation
        tail = await self._find_tail(client, seat)
        self.refusal = ""
        self._log_outage.back()
        self._bus_outage.back()
        self._tell()
        loop = asyncio.get_running_loop()
        look_again_at = loop.time() + LOOK_AGAIN_SECONDS
        while not stop.is_set() and generation == self._link.generation:
            seat.prove()
            self._log.require_continued()
            self._woken.clear()
            rows = await asyncio.to_thread(self._log.rows_since, tail.position, BATCH)
            if rows and not await self._goes_on(tail, rows[0]):
                return  # the log was replaced
            if rows:
                epochs = await self._epochs_of(rows)
                tail = await publish(client, tail, batch_of(rows), epochs)
                self._published(tail)
                if len(rows) < BATCH:
                    await pause(stop, GATHER_SECONDS)
            elif loop.time() > look_again_at:
                return
            else:
                await self._rest(seat, tail.position, stop)

    def _note(self, done: Sequence[str]) -> None:
        for what in done:
            if what not in self._state.noted:  # what waits is said once
                _log.info("nats.provisioned", what=what)
        self._state.noted = done

    def _tell(self) -> None:
        if not self._state.told:
            _log.info("relay.leads", holder=self._candidate.holder)
        self._state.told = True

    async def _rest(self, seat: Leadership, position: int, stop: asyncio.Event) -> None:
        """Wait until the log holds more than the event at `position`, as far as known.

        Reading the log takes a thread, several times as expensive.
        """
        await seat.rest(
            self._woken,
            stop,
            lambda: seat.finds(_HOLDS_MORE, (position,)),
            POLL_SECONDS,
        )

    async def _find_tail(self, client: Client, seat: Leadership) -> Tail:
        """Provision the stream and return its end; purge what a restore has ended.

        Raises `NotContinued` if NATS has seen events that the log does not contain,
        and `Refused` if that cannot be told.
        """
        demand_payload(client)
        self._note(await provision(client.jetstream(), self._replicas))
        head = await asyncio.to_thread(self._head)
        tail = await read_tail(client, head.position)
        record = await last_seen.read(client.jetstream(timeout=PUBLISH_SECONDS))
        sight = await asyncio.to_thread(self._require_contained, tail, record.seen)
        self._epochs = await asyncio.to_thread(self._log.epochs)
        if tail.chain is not None and not await asyncio.to_thread(self._holds, tail):
            _require_retired(tail, record.seen, sight)
            await asyncio.to_thread(self._demand, seat)
            _log.error(
                "relay.purges", stream=subjects.EVENTS_STREAM, tail=tail.position
            )
            await client.jetstream().purge_stream(
                subjects.EVENTS_STREAM, seq=tail.sequence + 1
            )
            tail = await read_tail(client, head.position)
            if tail.chain is not None:
                raise Unavailable("messages came while the stream was emptied")
        self._state.position, self._state.found = tail.position, True
        return tail

    async def _goes_on(self, tail: Tail, row: Row) -> bool:
        """Return whether `row` follows `tail` in the same history."""
        if tail.chain is None or follows(tail.chain, row):
            return True
        return await asyncio.to_thread(self._holds, tail)

    def _require_contained(self, tail: Tail, seen: LastSeen | None) -> LogSnapshot:
        """Check the log against what NATS has of it, before any of that is changed."""
        known = [tail.evidence, seen and seen.evidence(NATS)]
        if not all(self._log.continuity.expect(each) for each in known if each):
            raise Unavailable("other evidence of the log waits to be checked")
        return self._look()

    async def _epochs_of(self, rows: Sequence[Row]) -> Epochs:
        """Return the epochs of the log; a new one begins with an event of its own."""
        if any(row.stream == LOG_STREAM for row in rows):
            self._epochs = await asyncio.to_thread(self._log.epochs)
        return self._epochs

    def _head(self) -> Head:
        """Return the head of the log, which must continue what was last seen."""
        return self._look().head

    def _look(self) -> LogSnapshot:
        with self._log.transaction() as cursor:
            return self._log.look(cursor)

    def _holds(self, tail: Tail) -> bool:
        """Return whether the log contains the event at the end of the stream."""
        rows = self._log.rows_since(tail.position - 1, 1)
        return bool(rows) and rows[0].chain == tail.chain

    def _demand(self, seat: Leadership) -> None:
        with self._log.transaction() as cursor:
            seat.demand(cursor)
            self._log.look(cursor)

    def _published(self, tail: Tail) -> None:
        self._state.published_total += tail.position - self._state.position
        self._state.position = tail.position
        self._state.published_at = time.monotonic()


def _require_retired(tail: Tail, seen: LastSeen | None, sight: LogSnapshot) -> None:
    """Raise `Refused` unless the stream, whose end the log lacks, may be purged.

    It ends in an epoch before the last restore, or holds no event. An older version
    named no epoch: then the record has to say that it had gone as far before.
    """
    if tail.epoch is not None or not tail.chain:
        return
    if seen and seen.epoch < sight.restored and seen.position >= tail.position:
        return
    raise Refused(
        f"{STREAM} ends with position {tail.position}, which the log lacks; an older "
        "version sent it and named no epoch: if the log was restored since and "
        f"`permanence restored` was run, run {PURGE}; readers go on from the log"
    )
