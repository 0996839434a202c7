"""Sends mail about signing in, and codes of contact methods, as they are asked for.

Several processes may run: each takes one request at a time, which the others skip
meanwhile. A request whose process dies is taken again after a minute, with the same
link and the same keys. Codes are sent beside the others and with a short limit: they go
to addresses that people enter, which may answer slowly or not at all.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.sign_in_mail.letters import Impossible, Letters
from shared.clock import Clock
from shared.contact_methods.codes import VALID
from shared.http.rounds import AT_ONCE, failing_alone, in_rounds
from shared.observability.health import Check
from shared.observability.telemetry import Outage
from shared.security.mail_requests import MailRequest, done, note_sent, take
from shared.security.sign_in_links import INVITATION_DAYS, LINK_MINUTES
from shared.threads import in_thread

LOOK_SECONDS = 1.0
ATTEMPTS_MAX = 1_440
"""A day, at one a minute: how long an alarm is tried."""
TOO_LATE = timedelta(minutes=LINK_MINUTES)
"""A link that could not be sent by then is not sent any more: nobody waits for it."""
CODE_TOO_LATE = VALID
"""When a code cannot be entered any more."""
CODE_SECONDS = 10.0
"""Limit for one attempt to send a code."""
CODES_AT_ONCE_MAX = 16
"""Codes that are sent at the same time; a further one is due again in a minute."""
INVITATION_TOO_LATE = timedelta(days=INVITATION_DAYS)
"""When the link of an invitation has ended, and with it the mail."""
GRACE_SECONDS = 5.0
"""How long codes in progress may take after a stop was requested."""
FAILED = "sign_in_mail.failed"
_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class SignInMail:
    """Takes requests and sends what they ask for."""

    letters: Letters
    outlets: Outlets
    clock: Clock
    executor: Executor
    links_total: int = field(default=0, init=False)
    alarms_total: int = field(default=0, init=False)
    why_impossible: str | None = field(default=None, init=False)
    _codes: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _outage: Outage = field(
        default_factory=lambda: Outage("sign_in_mail", "it waits, and is tried again"),
        init=False,
    )

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set."""
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, FAILED)
        await self.leave()

    async def leave(self, seconds: float = GRACE_SECONDS) -> None:
        """Let codes in progress be sent; later ones are due again in a minute."""
        if not self._codes:
            return
        _, late = await asyncio.wait(self._codes, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _round(self) -> float | None:
        return AT_ONCE if await self.send_next() else None

    async def send_next(self) -> bool:
        """Handle the next request; return whether there was one."""
        taken = await in_thread(self.executor, self._taken)
        if taken is None:
            return False
        request, parcels = taken
        if isinstance(parcels, Impossible):
            self.why_impossible = str(parcels)
            self._outage.away(parcels)
            return True  # it is due again in a minute
        if request.kind != "break_glass" and parcels:
            self.why_impossible = None
            self._outage.back()
        if request.kind != "contact_code" or not parcels:
            await self._complete(request, parcels)
        elif len(self._codes) < CODES_AT_ONCE_MAX:
            task = asyncio.create_task(self._complete_alone(request, parcels))
            self._codes.add(task)
            task.add_done_callback(self._codes.discard)
        return True

    async def _complete_alone(
        self, request: MailRequest, parcels: Sequence[Parcel]
    ) -> None:
        with failing_alone(_log, FAILED):
            await self._complete(request, parcels)

    async def _complete(self, request: MailRequest, parcels: Sequence[Parcel]) -> None:
        if await self._sent(request, parcels):
            await in_thread(self.executor, self._over, request)

    async def probe(self) -> Check:
        """Return what was sent; the alarms become a metric."""
        numbers = {
            "links_total": float(self.links_total),
            "alarms_total": float(self.alarms_total),
            "impossible": float(self.why_impossible is not None),
        }
        words = {"why": self.why_impossible} if self.why_impossible else {}
        return Check("sign_in_mail", "escalation", True, words, numbers)

    def _taken(self) -> tuple[MailRequest, Sequence[Parcel] | Impossible] | None:
        now = self.clock()
        with self.letters.log.transaction() as cursor:
            request = take(cursor, now)
            if request is None:
                return None
            if _is_too_late(request, now):
                return request, ()
            try:
                return request, self.letters.of(cursor, request, now)
            except Impossible as error:
                return request, error  # committed: others come before it is tried again

    async def _sent(self, request: MailRequest, parcels: Sequence[Parcel]) -> bool:
        """Send all messages of a request; return whether it is over."""
        if request.kind == "break_glass" and request.attempts == 1:
            self.alarms_total += 1
            _log.error("break_glass.used", session=request.session_id)
        waits = [await self._waits(request, each) for each in parcels]
        return not any(waits)

    async def _waits(self, request: MailRequest, parcel: Parcel) -> bool:
        """Send a message that was not sent before; return whether it has to wait."""
        if parcel.key in request.sent:
            return False
        outcome = await self._attempt(request, parcel)
        match outcome:
            case Failed(reason=reason, permanent=permanent):
                _log.warning(FAILED, kind=request.kind, why=reason)
                if not permanent:
                    return True
            case Delivered():
                self.links_total += request.kind == "link"
            case _:
                assert_never(outcome)
        await in_thread(self.executor, self._note, request, parcel.key)
        return False

    async def _attempt(self, request: MailRequest, parcel: Parcel) -> Outcome:
        limit = CODE_SECONDS if request.kind == "contact_code" else None
        try:
            async with asyncio.timeout(limit):
                return await self.outlets.send(parcel, self.clock())
        except TimeoutError:
            return Failed("it was not accepted in time", permanent=False)

    def _note(self, request: MailRequest, key: str) -> None:
        with self.letters.log.transaction() as cursor:
            note_sent(cursor, request.request_id, key)

    def _over(self, request: MailRequest) -> None:
        with self.letters.log.transaction() as cursor:
            done(cursor, request.request_id)


def _is_too_late(request: MailRequest, now: datetime) -> bool:
    waited = now - request.requested_at
    match request.kind:
        case "link":
            return waited >= TOO_LATE
        case "invitation":
            return waited >= INVITATION_TOO_LATE
        case "contact_code":
            return waited >= CODE_TOO_LATE
        case "break_glass" | "contact_change":
            return request.attempts > ATTEMPTS_MAX
        case _:
            assert_never(request.kind)
