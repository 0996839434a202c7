"""Keeps what was last seen of the log outside of it, and compares the log with it.

Every process reads the record when it starts, whenever NATS is back, and each second
until there is one. The process whose relay leads reads it each second and writes it if
anything changed, in the log or in the bucket, where anybody's replies may be sent.
While the log does not continue nobody leads: then each process of intake puts back what
it remembers if the bucket was wiped. NATS away, or an empty bucket: nothing is known
outside, and the log is taken as it is.
"""

import asyncio
from collections.abc import Callable

import structlog
from nats.errors import Error
from nats.js import JetStreamContext

from shared.clock import Clock
from shared.eventlog.continuity.check import LogSnapshot, Mark
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.last_seen import (
    NOTHING,
    LastSeen,
    Overwritten,
    Record,
    Server,
    read,
    seen_at,
    server_of,
    write,
)
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.messaging.connection import Link
from shared.messaging.streams import Refused, provision_last_seen
from shared.observability.health import Check

LOOK_SECONDS = 1.0
START_SECONDS = 3.0
"""How long a service that starts waits for NATS to tell what was last seen."""
ANSWER_SECONDS = 2.0

Leads = Callable[[], bool]
"""Whether the relay of this process leads, which keeps the record."""

_log = structlog.get_logger(__name__)


class ContinuityWatch:
    """Watches the log of one process; without `leads` it may not write the record."""

    def __init__(
        self,
        log: EventLog,
        link: Link,
        clock: Clock,
        leads: Leads | None = None,
    ) -> None:
        self._log = log
        self._link = link
        self._clock = clock
        self._leads = leads
        self._record = Record(None, NOTHING)
        self._known: LastSeen | None = None
        """The newest record read or written here, also after the bucket was wiped."""
        self._read_at = 0

    async def begin(self, stop: asyncio.Event) -> None:
        """Learn what was last seen before anything is decided; soon gives up on NATS.

        Raises nothing: what cannot be learnt now is learnt when NATS is back.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while not stop.is_set() and loop.time() < deadline:
            if await self._learn():
                break
            await pause(stop, LOOK_SECONDS / 20)
        await self._look()

    async def run(self, stop: asyncio.Event) -> None:
        """Look at the log, and keep the record, until `stop` is set."""
        while not stop.is_set():
            try:
                await self._once()
            except Exception:  # noqa: BLE001 # a watch may falter, not vanish
                _log.exception("continuity.failed")
            await pause(stop, LOOK_SECONDS)

    async def probe(self) -> Check:
        """Say whether the log continues what was seen, and what to do if not."""
        why = self._log.continuity.blocked
        epoch = self._log.continuity.epoch
        numbers = {"epoch": float(epoch.number)} if epoch else {}
        words = {"why": why} if why else {}
        return Check("continuity", "log", why is None, words, numbers)

    async def _once(self) -> None:
        leads = self._leads is not None and self._leads()
        if leads or self._must_learn():
            await self._learn()
        sight = await self._look()
        client = self._link.client
        if client is None:
            return
        js = client.jetstream(timeout=ANSWER_SECONDS)
        try:
            if sight is not None and leads:
                await self._keep(js, sight)
            elif self._leads is not None and self._log.continuity.blocked:
                await self._put_back(js)
        except Overwritten:
            pass  # what another wrote is read at the next look
        except (Error, OSError, Refused, Unavailable) as error:
            _log.debug("continuity.not_kept", error=str(error))

    def _must_learn(self) -> bool:
        """Tell whether the record may say more than this process knows."""
        return (
            self._link.generation != self._read_at
            or self._record.seen is None
            or (self._leads is not None and self._log.continuity.blocked is not None)
        )

    async def _learn(self) -> bool:
        """Read what was last seen; tell whether NATS answered."""
        client, generation = self._link.client, self._link.generation
        if client is None:
            return False
        try:
            record = await read(client.jetstream(timeout=ANSWER_SECONDS))
        except (Error, OSError):
            return False
        self._read_at = generation
        self._note(record)
        if record.seen is not None:
            self._log.continuity.expect(record.seen.mark, record.seen.epoch_id)
        return True

    async def _look(self) -> LogSnapshot | None:
        """Look at the log; None while it is away or does not continue."""
        before = self._log.continuity.blocked
        try:
            sight = await asyncio.to_thread(self._sight)
        except NotContinued as error:
            if before is None:
                _log.error("log.not_continued", why=str(error))  # no mistake of ours
            return None
        except Unavailable:
            return None
        if before is not None:
            _log.info("log.continues", position=sight.head.position)
        return sight

    def _sight(self) -> LogSnapshot:
        with self._log.transaction() as cursor:
            return self._log.look(cursor)

    async def _keep(self, js: JetStreamContext, sight: LogSnapshot) -> None:
        server = await asyncio.to_thread(self._server)
        held = self._record.seen
        if held is not None and _was_promoted(held, server, sight):
            await asyncio.to_thread(self._renew, held)
            return  # the next look finds the new epoch
        head = Mark(sight.head.position, sight.head.chain)
        seen = seen_at(head, sight.epoch, server)
        if seen != held:
            await self._write(js, seen)

    async def _put_back(self, js: JetStreamContext) -> None:
        """Write what this process remembers of the log if the record knows less of it.

        NATS was wiped, or restored as well: a service that starts later would take the
        log as it is.
        """
        mark, epoch = self._log.continuity.remembered()
        held = self._record.seen
        if held and _end(held) >= (epoch.number, mark.position):
            return
        known = self._known
        server = known.server if known else await asyncio.to_thread(self._server)
        await provision_last_seen(js)
        await self._write(js, seen_at(mark, epoch, server))
        _log.warning("continuity.put_back", position=mark.position)

    async def _write(self, js: JetStreamContext, seen: LastSeen) -> None:
        self._note(await write(js, seen, self._record.revision))

    def _note(self, record: Record) -> None:
        self._record = record
        known, seen = self._known, record.seen
        if seen and (known is None or _end(seen) >= _end(known)):
            self._known = seen

    def _server(self) -> Server:
        with self._log.transaction() as cursor:
            return server_of(cursor)

    def _renew(self, held: LastSeen) -> None:
        reason = "a standby was promoted that continues the last head seen"
        renewal = Renewal("promotion", reason, "system:intake", self._clock())
        epoch = renew(self._log, renewal, held)
        _log.warning("log.promoted", epoch=epoch.label, begins_after=epoch.begins_after)


async def watching(
    log: EventLog,
    link: Link,
    clock: Clock,
    stop: asyncio.Event,
    leads: Leads | None = None,
) -> ContinuityWatch:
    """Return a watch that has begun: it knows what was last seen, if anybody does."""
    watch = ContinuityWatch(log, link, clock, leads)
    await watch.begin(stop)
    return watch


def _end(seen: LastSeen) -> tuple[int, int]:
    """Return how far a record goes, to be compared."""
    return seen.epoch, seen.position


def _was_promoted(held: LastSeen, server: Server, sight: LogSnapshot) -> bool:
    """Tell whether the same cluster goes on, in the same epoch, on a new timeline."""
    return (
        held.server.system_identifier == server.system_identifier != ""
        and held.server.timeline < server.timeline
        and held.epoch_id == sight.epoch
    )
