"""Copies the log to `DESK_EVENTS`, in order, each event once.

One relay leads, the others wait for its lock. It remembers nothing: where to go on from
stands in the last message of the stream, and is read there whenever something may have
changed it. Nothing is lost where the stream is: readers go on from the log.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field

import structlog
from nats.aio.client import Client
from nats.errors import Error
from psycopg import OperationalError

from services.intake.publishing import BATCH, Tail, batch_of, publish, read_tail
from shared import subjects
from shared.bus import Link
from shared.event_log import EventLog, Unavailable
from shared.health import Check
from shared.leadership import Leadership, candidate
from shared.outage import Outage
from shared.provision import Refused, provision
from shared.serving import pause

POLL_SECONDS = 0.05
GATHER_SECONDS = 0.025
"""What comes so soon after a batch shares the next one: small ones cost the same."""
ELECTION_SECONDS = 1.0
RETRY_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 5.0
"""How often an idle relay reads the end of the stream: it may have been wiped."""
RELAY_LOCK = 7_366_000_003

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _State:
    leads: bool = False
    position: int = 0
    """Of the last event in the stream; meaningful while `found`."""
    found: bool = False
    published_total: int = 0
    published_at: float = field(default_factory=time.monotonic)


def seat(dsn: str) -> AbstractAsyncContextManager[Leadership]:
    """Stand for election as the relay. A stale one is fenced off by the stream."""
    return candidate(dsn, RELAY_LOCK, "relay")


class Relay:
    """The relay of one intake worker; `dsn` is for the connection with its lock.

    `replicas` is how many copies a cluster keeps of each stream, if that was said.
    """

    def __init__(
        self,
        log: EventLog,
        dsn: str,
        link: Link,
        elect: Callable[[str], AbstractAsyncContextManager[Leadership]] = seat,
        replicas: int | None = None,
    ) -> None:
        self._elect = elect
        self._replicas = replicas
        self._log = log
        self._dsn = dsn
        self._link = link
        self._woken = asyncio.Event()
        self._state = _State()
        self._log_outage = Outage("log", "events are relayed when PostgreSQL is back")
        self._bus_outage = Outage("relay", "events wait in the log; trying again")

    def wake(self) -> None:
        """Look into the log at once; call it in the event loop, after a commit."""
        self._woken.set()

    async def probe(self) -> Check:
        """Say how far the relay is. It is never unready: readers do without it."""
        state = self._state
        numbers = {
            "leads": float(state.leads),
            "position": float(state.position),
            "published_total": float(state.published_total),
            "resting_seconds": time.monotonic() - state.published_at,
        }
        return Check("relay", "events", ready=True, numbers=numbers)

    async def run(self, stop: asyncio.Event) -> None:
        """Relay, whenever elected, until `stop` is set. Does not end before."""
        while not stop.is_set():
            try:
                await self._stand(stop)
            except (OperationalError, Unavailable) as error:
                self._log_outage.away(error)
            except (Error, Refused, TimeoutError) as error:
                self._bus_outage.away(error)
            except Exception:  # noqa: BLE001 # a relay may falter, not vanish
                _log.exception("relay.failed")
            finally:
                self._state.leads = self._state.found = False
            await pause(stop, RETRY_SECONDS)

    async def _stand(self, stop: asyncio.Event) -> None:
        """Stand for election; lead until something fails: then another may."""
        if self._link.client is None:
            return
        async with self._elect(self._dsn) as seat:
            self._log_outage.back()
            while not await seat.won():
                if stop.is_set():
                    return
                await pause(stop, ELECTION_SECONDS)
            self._state.leads = True
            _log.info("relay.leads")
            while not stop.is_set() and (client := self._link.client) is not None:
                await self._lead(client, seat, stop)

    async def _lead(
        self, client: Client, seat: Leadership, stop: asyncio.Event
    ) -> None:
        """Relay from the end of the stream until that has to be read again."""
        generation = self._link.generation
        tail = await self._find_tail(client)
        self._bus_outage.back()
        loop = asyncio.get_running_loop()
        look_again_at = loop.time() + LOOK_AGAIN_SECONDS
        while not stop.is_set() and generation == self._link.generation:
            await seat.prove()
            self._woken.clear()
            rows = await asyncio.to_thread(self._log.rows_since, tail.position, BATCH)
            if rows:
                tail = await publish(client, tail, batch_of(rows))
                self._published(tail)
                if len(rows) < BATCH:
                    await pause(stop, GATHER_SECONDS)
            elif loop.time() > look_again_at:
                return
            else:
                await self._wait()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)

    async def _find_tail(self, client: Client) -> Tail:
        """Provision, and return the end of the stream, emptied if of another log."""
        await provision(client.jetstream(), self._replicas)
        head = await asyncio.to_thread(self._log.head)
        tail = await read_tail(client, head.position)
        if tail.chain is not None and not await asyncio.to_thread(self._holds, tail):
            # The tail of another log, or of one restored to an earlier state.
            _log.error(
                "relay.purges", stream=subjects.EVENTS_STREAM, tail=tail.position
            )
            await client.jetstream().purge_stream(subjects.EVENTS_STREAM)
            tail = await read_tail(client, head.position)
        self._state.position, self._state.found = tail.position, True
        return tail

    def _holds(self, tail: Tail) -> bool:
        """Tell whether the log holds the event at the end of the stream."""
        rows = self._log.rows_since(tail.position - 1, 1)
        return bool(rows) and rows[0].chain == tail.chain

    def _published(self, tail: Tail) -> None:
        self._state.published_total += tail.position - self._state.position
        self._state.position = tail.position
        self._state.published_at = time.monotonic()
