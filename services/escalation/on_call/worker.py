"""Records who is on call while elected, and says how that goes."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from services.escalation.on_call.recorder import OnCallRecorder
from shared.database.election import whenever_elected
from shared.database.leadership import Candidate, Leadership, Lease
from shared.http.serve import pause
from shared.observability.health import Check
from shared.observability.telemetry import Outage

LEASE = Lease("escalation", "on_call")
LOOK_SECONDS = 1.0
"""How often the schedules are looked at."""
STALL_SECONDS = 60.0
"""How long one round may take, with many schedules that have to be read."""


@dataclass(eq=False)
class OnCallWorker:
    """Runs rounds of a recorder, while `candidate` holds the lease."""

    candidate: Candidate
    recorder: OnCallRecorder
    leads: bool = field(default=False, init=False)
    _outage: Outage = field(
        default_factory=lambda: Outage("on_call", "hand-overs are recorded later"),
        init=False,
    )

    async def run(self, stop: asyncio.Event) -> None:
        """Work whenever elected, until `stop` is set; returns only then."""
        lead = partial(self._lead, stop)
        await whenever_elected(
            self.candidate, lead, self._step_down, self._outage, stop
        )

    async def _lead(self, stop: asyncio.Event, seat: Leadership) -> None:
        self.leads = True
        self.recorder.begin()
        while not stop.is_set():
            seat.prove()
            await asyncio.to_thread(self.recorder.round, seat)
            await pause(stop, LOOK_SECONDS)

    async def _step_down(self) -> None:
        self.leads = False

    async def probe(self) -> Check:
        """Return what was recorded; pages do not depend on it, so it is ready."""
        numbers = {
            "leads": float(self.leads),
            "handovers_total": float(self.recorder.handovers_total),
            "gaps_total": float(self.recorder.gaps_total),
            "failing": float(self.recorder.failing),
        }
        return Check("on_call", "escalation", ready=True, words={}, numbers=numbers)
