"""Watches heartbeats: notices silence, and sends the pending signals.

A pending signal is stored before it is sent, and settled afterwards. If a process dies
in between, the next one sends it again, and the repeat is recognised by its event id.
"""

import asyncio

import orjson
import structlog

from services.intake.heartbeats.rules import (
    SOURCE,
    Beating,
    HeartbeatTerms,
    beaten,
    judged,
    known,
    told,
)
from services.intake.heartbeats.store import (
    all_of,
    begin,
    drop,
    heard_last,
    keep,
    listen,
    one_of,
    settle,
)
from services.intake.policy.store import InForce
from services.intake.signals.reception import Reception
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.http.rounds import in_rounds
from shared.observability.health import Check

LOOK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class HeartbeatWatch:
    """Watches heartbeats; several processes may do so concurrently."""

    def __init__(
        self,
        log: EventLog,
        in_force: InForce,
        reception: Reception,
        clock: Clock,
    ) -> None:
        self._log = log
        self._in_force = in_force
        self._reception = reception
        self._clock = clock
        self._woken = False
        self._numbers = {"watched": 0.0, "silent": 0.0}

    def wake(self) -> None:
        """Check at once: a signal is pending."""
        self._woken = True

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Never raises."""
        failed = "heartbeats.failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed, self._clock)

    async def _round(self) -> float | None:
        self._woken = False
        await self.round()
        return 0.0 if self._woken else None

    async def probe(self) -> Check:
        """Report how many are watched and silent; always ready."""
        return Check("heartbeats", "watch", ready=True, numbers=self._numbers)

    async def round(self) -> None:
        """Evaluate all heartbeats, and send the pending signals."""
        newest = self._in_force.newest()
        if newest is None:
            return
        terms = HeartbeatTerms(*newest)
        held = await asyncio.to_thread(self._look, terms)
        silent = sum(each.state == "silent" for each in held)
        self._numbers = {"watched": float(len(held)), "silent": float(silent)}
        for each in held:
            if each.owes is not None:
                await self._tell(each, terms)

    def _look(self, terms: HeartbeatTerms) -> list[Beating]:
        now = self._clock()
        with self._log.transaction() as cursor:
            if not terms.heartbeats and not all_of(cursor):
                return []
            listened_at, deaf, stale = heard_last(cursor, now)
            before = {each.name: each for each in all_of(cursor, locked=True)}
            if any(each.policy > terms.version for each in before.values()):
                return []  # another process has a newer policy and evaluates them
            if stale:
                listen(cursor, now)
            deaf_from = listened_at if deaf else None
            fresh = {n: known(n, terms, now) for n in terms.heartbeats.keys() - before}
            after = [
                judged(before[name], terms, now, deaf_from)
                for name in terms.heartbeats
                if name in before
            ]
            begin(cursor, fresh.values())
            keep(cursor, [each for each in after if each != before[each.name]])
            drop(cursor, before.keys() - terms.heartbeats.keys())
        return [*after, *fresh.values()]

    async def _tell(self, held: Beating, terms: HeartbeatTerms) -> None:
        event = told(held, terms.heartbeats[held.name])
        body = orjson.dumps(event)
        try:
            (result,) = await self._reception.receive(SOURCE, "native", body, event)
        except Exception as error:  # noqa: BLE001 # it stays pending
            _log.warning("heartbeat.put_off", name=held.name, why=str(error))
            return
        _log.info(
            "heartbeat.told",
            name=held.name,
            what=held.owes,
            status=result.status,
            incident=result.incident,
        )
        await asyncio.to_thread(self._settle, held)

    def _settle(self, held: Beating) -> None:
        with self._log.transaction() as cursor:
            settle(cursor, held)

    def beat(
        self, name: str, terms: HeartbeatTerms, source: str
    ) -> tuple[Beating, bool]:
        """Record a beat; return the new state, and whether it was silent. Blocks.

        Raises `OtherSource`.
        """
        now = self._clock()
        with self._log.transaction() as cursor:
            held = one_of(cursor, name) or known(name, terms, now)
            after = beaten(held, terms, now, source)
            keep(cursor, [after])
        return after, held.state == "silent"

    def listed(self) -> list[Beating]:
        """Return the state of all heartbeats. Blocks."""
        with self._log.transaction() as cursor:
            return all_of(cursor)
