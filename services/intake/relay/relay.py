"""Events into the stream `DESK_EVENTS`: a whole batch or nothing, and fenced.

The first message says which sequence must be the last in the stream; whoever published
in between makes the whole batch fail.

Copies the log to `DESK_EVENTS`, in order, each event once.

One relay leads, the others wait for its lease. It remembers nothing: where to go on
from stands in the last message of the stream, and is read there whenever something may
have changed it. Nothing is lost where the stream is: readers go on from the log.
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
from nats.js.api import Header
from psycopg import OperationalError

from shared.database.leadership import Candidate, Leadership, Lease, LeaseLost
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog, Row, follows
from shared.eventlog.recorder import Head
from shared.http.serve import pause
from shared.messaging import subjects
from shared.messaging.connection import Link
from shared.messaging.envelope import Unreadable, headers_of, row_of
from shared.messaging.streams import Refused, provision
from shared.observability.telemetry import Outage

BATCH = 500
"""Messages in one atomic batch; JetStream takes at most 1,000."""
BATCH_BYTES_MAX = 4_000_000
PUBLISH_SECONDS = 2.0


NOWHERE = 0
"""The position of what is no event of the log."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the stream: its last sequence, and the event that is there.

    `chain` is None where the stream is empty: `position` is then where to begin.
    """

    sequence: int
    position: int
    chain: bytes | None


async def read_tail(client: Client, head: int) -> Tail:
    """Return the end of the stream; an empty one is to go on from `head`."""
    jetstream = client.jetstream(timeout=PUBLISH_SECONDS)
    info = await jetstream.stream_info(subjects.EVENTS_STREAM)
    last = info.state.last_seq
    if not info.state.messages:
        return Tail(last, head, None)
    message = await jetstream.get_msg(subjects.EVENTS_STREAM, seq=last)
    try:
        row = row_of(message.headers, message.data or b"")
    except Unreadable:
        return Tail(last, NOWHERE, b"")
    return Tail(last, row.position, row.chain)


async def publish(client: Client, tail: Tail, rows: Sequence[Row]) -> Tail:
    """Publish `rows`, which follow `tail` in the log, as one batch; return the new end.

    Raises `APIError` where the stream is not at `tail`: then nothing is stored.
    """
    jetstream = client.jetstream(timeout=PUBLISH_SECONDS)
    batch_id = secrets.token_hex(8)
    messages = [headers_of(row) for row in rows]
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
    return Tail(answer.seq, last.position, last.chain)


def batch_of(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first of `rows` that fit into one batch, at least one."""
    size = 0
    for count, row in enumerate(rows[:BATCH]):
        size += len(row.state)
        if count and size > BATCH_BYTES_MAX:
            return rows[:count]
    return rows[:BATCH]


POLL_SECONDS = 0.05
GATHER_SECONDS = 0.025
"""What comes so soon after a batch shares the next one: small ones cost the same."""
ELECTION_SECONDS = 1.0
RETRY_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 5.0
"""How often an idle relay reads the end of the stream: it may have been wiped."""
LEASE = Lease("intake", "relay")
STALL_SECONDS = 30.0
"""How long NATS and the log together may take for one step of the relay."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _State:
    leads: bool = False
    told: bool = False
    """Whether it was told that this one leads: only once it has found the stream."""
    position: int = 0
    """Of the last event in the stream; meaningful while `found`."""
    found: bool = False
    published_total: int = 0
    published_at: float = field(default_factory=time.monotonic)


def relay_candidate(
    dsn: str, may_write: Callable[[], bool] = lambda: True
) -> Candidate:
    """Return one that may hold the relay's lease."""
    return Candidate(dsn, LEASE, STALL_SECONDS, may_write)


class Relay:
    """The relay of one intake worker. A stale one is fenced off by the stream.

    `replicas` is how many copies a cluster keeps of each stream, if that was said.
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
        self._log_outage = Outage("log", "events wait to be relayed; trying again")
        self._bus_outage = Outage("relay", "events wait in the log; trying again")

    @property
    def leads(self) -> bool:
        """Whether this is the relay that publishes."""
        return self._state.leads

    def wake(self) -> None:
        """Look into the log at once; call it in the event loop, after a commit."""
        self._woken.set()

    def own(self) -> dict[str, float]:
        """Return the numbers of this process: how far it has relayed."""
        state = self._state
        return {
            "leads": float(state.leads),
            "position": float(state.position),
            "published_total": float(state.published_total),
            "resting_seconds": time.monotonic() - state.published_at,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Relay, whenever elected, until `stop` is set. Does not end before."""
        while not stop.is_set():
            try:
                await self._stand(stop)
            except (OperationalError, Unavailable) as error:
                self._log_outage.away(error)
            except (Error, OSError, Refused) as error:
                self._bus_outage.away(error)
            except LeaseLost as error:
                _log.warning("relay.lease_lost", why=str(error))
            except Exception:  # noqa: BLE001 # a relay may falter, not vanish
                _log.exception("relay.failed")
            finally:
                self._state.leads = self._state.found = self._state.told = False
            await pause(stop, RETRY_SECONDS)

    async def _stand(self, stop: asyncio.Event) -> None:
        """Stand for election; lead until something fails: then another may."""
        if self._link.client is None:
            return
        # Who cannot use the log does not take the lease: else it would lead and fail,
        # again and again, and tell of each time.
        await asyncio.to_thread(self._head)
        async with self._candidate.standing() as seat:
            while not await seat.won():
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
        """Relay from the end of the stream until that has to be read again."""
        generation = self._link.generation
        tail = await self._find_tail(client, seat)
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
                return  # the log is another one now
            if rows:
                tail = await publish(client, tail, batch_of(rows))
                self._published(tail)
                if len(rows) < BATCH:
                    await pause(stop, GATHER_SECONDS)
            elif loop.time() > look_again_at:
                return
            else:
                await self._wait()

    def _tell(self) -> None:
        if not self._state.told:
            _log.info("relay.leads", holder=self._candidate.holder)
        self._state.told = True

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)

    async def _find_tail(self, client: Client, seat: Leadership) -> Tail:
        """Provision, and return the end of the stream, emptied if of another log."""
        await provision(client.jetstream(), self._replicas)
        head = await asyncio.to_thread(self._head)
        tail = await read_tail(client, head.position)
        if tail.chain is not None and not await asyncio.to_thread(self._holds, tail):
            # The tail of another log, or of one restored to an earlier state.
            await asyncio.to_thread(self._demand, seat)
            _log.error(
                "relay.purges", stream=subjects.EVENTS_STREAM, tail=tail.position
            )
            await client.jetstream().purge_stream(subjects.EVENTS_STREAM)
            tail = await read_tail(client, head.position)
        self._state.position, self._state.found = tail.position, True
        return tail

    async def _goes_on(self, tail: Tail, row: Row) -> bool:
        """Tell whether `row` comes after `tail` in one history."""
        if tail.chain is None or follows(tail.chain, row):
            return True
        return await asyncio.to_thread(self._holds, tail)

    def _head(self) -> Head:
        """Return the head of a log that continues what was last seen."""
        with self._log.transaction() as cursor:
            return self._log.look(cursor).head

    def _holds(self, tail: Tail) -> bool:
        """Tell whether the log holds the event at the end of the stream."""
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
