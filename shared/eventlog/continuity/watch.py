"""Stores the last seen head of the log outside the database, and compares both.

Every process reads the record when it starts, when NATS is back, and each second until
there is one; later every five seconds, as another process may have found that the log
went back. The process whose relay is the leader reads it each second and writes it if
the log or the bucket has changed; other processes could overwrite the bucket. It
writes over a record only after the log was found to contain it. While the log is
discontinued, no relay leads: then each process of intake writes what contradicts the
log to the bucket, if the record there does not.

Before NATS is asked, and as often as the record, the files of the processes on this
host are compared with the log, see `witness`. Without a file, NATS and a record,
nothing is known from outside, and the log is accepted as it is until one can be read.

A NATS whose disk was full answers and reads, but stores nothing more until it is
restarted, and says so to nobody: not even a publisher gets an answer. So the record is
written every half minute although it is the same.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from nats.errors import Error
from nats.js import JetStreamContext

from shared.clock import Clock
from shared.eventlog.continuity.check import LogSnapshot
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.evidence import NATS, Mark
from shared.eventlog.continuity.last_seen import (
    NOTHING,
    LastSeen,
    Overwritten,
    Record,
    Server,
    read,
    seen_as,
    seen_at,
    server_of,
    write,
)
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.http.serve import pause
from shared.messaging.connection import Link
from shared.messaging.streams import Refused, provision_last_seen
from shared.observability.health import Check
from shared.observability.telemetry import reason

LOOK_SECONDS = 1.0
READ_SECONDS = 5.0
"""How often a process that need not reads the record again, and all read files."""
START_SECONDS = 3.0
"""How long a starting service waits for NATS to return the record."""
ANSWER_SECONDS = 2.0
PROVE_SECONDS = 30.0
"""How often the record is written if it is the same."""
UNKEPT_SECONDS = 10.0
"""How long NATS may answer and keep no record."""
DISK_SECONDS = 10.0
"""How long the disk may take with the files, before the log is watched without them."""
FILE = "a file"
NOTHING_OUTSIDE = "nothing: no file and no NATS had seen this log at the start"
"""What was there before this process; what it has written itself proves nothing."""
FORGET_SECONDS = 60.0
"""How long a failure to keep it counts in a process that no longer leads."""

Leads = Callable[[], bool]
"""Returns whether the relay of this process leads and has compared the stream.

It is the one that writes the record.
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Unkept:
    """Since when this connection to NATS stored nothing, and when it last failed to."""

    generation: int
    since: float
    last: float
    why: str

    def lasts(self, now: float, generation: int) -> bool:
        """Return whether that is still so, as far as this process can know.

        Once another one leads, it is that one's to say.
        """
        return generation == self.generation and now - self.last < FORGET_SECONDS


class ContinuityWatch:
    """Watches the log of one process; without `leads` it may not write the record."""

    def __init__(
        self,
        log: EventLog,
        link: Link,
        clock: Clock,
        witness: Witness,
        leads: Leads | None = None,
    ) -> None:
        self._witness = witness
        self._compared: list[str] = []
        """What had seen the log before this process."""
        self._asked_nats = False
        self._files_read_at = float("-inf")
        self._disk: asyncio.Task[object] | None = None
        """The last work on files that ended, or was waited for in vain."""
        self._log = log
        self._link = link
        self._clock = clock
        self._leads = leads
        self._record = Record(None, NOTHING)
        self._known: LastSeen | None = None
        """The newest record read or written here, even after the bucket was wiped."""
        self._read_at = 0
        self._read_last = float("-inf")
        self._looked_at = -1
        self._written_at = time.monotonic()
        self._unkept: _Unkept | None = None

    async def begin(self, stop: asyncio.Event) -> None:
        """Read files and the record before anything is decided; give up on NATS soon.

        Never raises: a record that cannot be read now is read when NATS is back.
        """
        continuity = self._log.continuity
        await self._on_disk(lambda: self._witness.begin(continuity))
        self._log.keep_seen = self._witness.keep
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while not stop.is_set() and loop.time() < deadline:
            if await self._learn():
                break
            await pause(stop, LOOK_SECONDS / 20)
        await self._note_numbers(await self._look())

    async def run(self, stop: asyncio.Event) -> None:
        """Check the log and update the record until `stop` is set."""
        while not stop.is_set():
            try:
                await self._once()
            except Exception:  # noqa: BLE001 # a watch may falter, not vanish
                _log.exception("continuity.failed")
            await pause(stop, LOOK_SECONDS)
        await self._on_disk(self._witness.keep)

    async def probe(self) -> Check:
        """Report whether the log contains what was seen, and what to do if not."""
        why = self._log.continuity.blocked
        epoch = self._log.continuity.epoch
        numbers = {"epoch": float(epoch.number)} if epoch else {}
        compared = [*([FILE] if self._witness.said else []), *self._compared]
        words = {"compared_with": " and ".join(compared) or NOTHING_OUTSIDE}
        if why:
            words["why"] = why
        return Check("continuity", "log", why is None, words, numbers, self._alarm())

    def _alarm(self) -> str:
        unkept, now = self._unkept, time.monotonic()
        if self._disk_hangs:
            return "what was seen of the log cannot be kept or read: no answer"
        if failure := self._witness.failure:
            return f"what was seen of the log cannot be kept or read: {failure}"
        if others := self._witness.of_another_log:
            return f"files of another log, to remove: {', '.join(map(str, others))}"
        if (
            unkept is None
            or self._link.client is None
            or not unkept.lasts(now, self._link.generation)
            or unkept.last - unkept.since < UNKEPT_SECONDS
        ):
            return ""
        return (
            f"NATS answers, but does not store what was seen of the log: {unkept.why}"
        )

    async def _once(self) -> None:
        leads = self._leads is not None and self._leads()
        if time.monotonic() - self._files_read_at > READ_SECONDS:
            await self._read_files()
        if leads or self._must_learn():
            await self._learn()
        sight = await self._look()
        await self._note_numbers(sight)
        await self._keep_here()
        client = self._link.client
        if client is None:
            return
        generation = self._link.generation
        if generation != self._read_at:
            return  # the bucket may be another one, with evidence that was not read
        js = client.jetstream(timeout=ANSWER_SECONDS)
        try:
            if sight is not None and leads:
                await self._keep(js, sight)
            elif self._leads is not None and self._log.continuity.blocked:
                await self._put_back(js)
        except Overwritten:
            pass  # the next check reads what another process wrote
        except (Refused, Unavailable) as error:
            _log.debug("continuity.not_kept", error=str(error))
        except (Error, OSError) as error:
            self._not_kept(error, generation)

    def _not_kept(self, error: Error | OSError, generation: int) -> None:
        full = "its disk may have been full: make room on it, then restart nats-server"
        why = full if isinstance(error, TimeoutError) else reason(error)
        _log.debug("continuity.not_kept", error=why)
        now, before = time.monotonic(), self._unkept
        lasts = before is not None and before.lasts(now, generation)
        since = before.since if before and lasts else now
        self._unkept = _Unkept(generation, since, now, why)

    def _must_learn(self) -> bool:
        """Return whether the record may contain more than this process knows."""
        return (
            self._link.generation != self._read_at
            or self._record.seen is None
            or time.monotonic() - self._read_last > READ_SECONDS
            or (self._leads is not None and self._log.continuity.blocked is not None)
        )

    async def _read_files(self) -> bool:
        """Expect what the processes of this host have seen, also since this started.

        Returns whether all that could be read.
        """
        done = await self._on_disk(self._witness.compare)
        if done:
            self._files_read_at = time.monotonic()
        return bool(done) and not self._witness.failure

    async def _note_numbers(self, sight: LogSnapshot | None) -> None:
        """Remember which references were issued, if the log has grown."""
        if sight is None or self._looked_at == sight.head.position:
            return
        try:
            server = await asyncio.to_thread(self._server)
        except Unavailable:
            return
        self._log.continuity.issued(server.numbers)
        self._looked_at = sight.head.position

    async def _keep_here(self) -> None:
        """Write what others have appended to the file, or what contradicts the log."""
        if not self._witness.keeps and self._witness.failure:
            await self._on_disk(self._witness.open)
        if self._witness.keeps:
            await self._on_disk(self._witness.keep)

    async def _on_disk(self, work: Callable[[], object]) -> object:
        """Return what comes of work on files; None if the disk does not answer."""
        if self._disk_hangs:
            return None
        work_on_disk = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.wait([work_on_disk], timeout=DISK_SECONDS)
        self._disk = work_on_disk
        return work_on_disk.result() if work_on_disk.done() else None

    @property
    def _disk_hangs(self) -> bool:
        return self._disk is not None and not self._disk.done()

    async def _learn(self) -> bool:
        """Read the record; return whether NATS answered."""
        client, generation = self._link.client, self._link.generation
        if client is None:
            return False
        try:
            record = await read(client.jetstream(timeout=ANSWER_SECONDS))
        except (Error, OSError):
            return False
        if seen := record.seen:
            if not self._log.continuity.expect(seen.evidence(NATS)):
                return False
            self._compared += [] if self._asked_nats else [NATS]
        self._asked_nats = True
        self._read_at, self._read_last = generation, time.monotonic()
        self._note(record)
        return True

    async def _look(self) -> LogSnapshot | None:
        """Read the log's head; None while it is unavailable or discontinued."""
        before = self._log.continuity.blocked
        try:
            sight = await asyncio.to_thread(self._sight)
        except NotContinued as error:
            if before is None:
                _log.error("log.not_continued", why=str(error))  # not a bug
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
            if not await self._read_files() or await self._look() is None:
                return  # a process of this host has seen more than the standby, or may
            await asyncio.to_thread(self._renew, held)
            return  # the next check finds the new epoch
        head = Mark(sight.head.position, sight.head.chain)
        seen = seen_at(head, sight.epoch, server, sight.origin)
        if seen != held or time.monotonic() - self._written_at > PROVE_SECONDS:
            await self._write(js, seen)

    async def _put_back(self, js: JetStreamContext) -> None:
        """Write what contradicts the log if the record does not, or goes less far.

        NATS was wiped or restored as well: otherwise a service that starts later would
        accept the log as it is, and `permanence restored` would refuse. What a file of
        this host says of another log stays on this host.
        """
        continuity = self._log.continuity
        evidence, held = continuity.contradiction, self._record.seen
        if evidence is None or continuity.is_of_another_log(evidence):
            return
        there = held and held.evidence(NATS)
        if there and continuity.misses(there) and there.end >= evidence.end:
            return
        known = self._known
        server = known.server if known else await asyncio.to_thread(self._server)
        if held:
            server = server.with_numbers(held.server.numbers)
        await provision_last_seen(js)
        await self._write(js, seen_as(evidence, server))
        _log.warning("continuity.put_back", position=evidence.mark.position)

    async def _write(self, js: JetStreamContext, seen: LastSeen) -> None:
        self._note(await write(js, seen, self._record.revision))
        self._written_at, self._unkept = time.monotonic(), None

    def _note(self, record: Record) -> None:
        self._record = record
        known, seen = self._known, record.seen
        if seen and (known is None or seen.end >= known.end):
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
    witness: Witness,
    leads: Leads | None = None,
) -> ContinuityWatch:
    """Return a started watch: it has read files and the record, if there are any."""
    watch = ContinuityWatch(log, link, clock, witness, leads)
    await watch.begin(stop)
    return watch


def _was_promoted(held: LastSeen, server: Server, sight: LogSnapshot) -> bool:
    """Return whether the same cluster continues in the same epoch on a new timeline."""
    return (
        held.server.system_identifier == server.system_identifier != ""
        and held.server.timeline < server.timeline
        and held.epoch_id == sight.epoch
    )
