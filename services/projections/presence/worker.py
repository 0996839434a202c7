"""Tells the other processes of projections who is present, and hears it from them.

Over core NATS, which keeps nothing. A process that starts, or was cut off, knows
everybody as soon as their pages have reported again.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from pydantic import ValidationError

from services.projections.presence.schemas import VisitMessage
from services.projections.presence.state import Presence, TooManyPages, Visit
from shared.http.serve import pause
from shared.messaging import subjects
from shared.messaging.connection import Link

SWEEP_SECONDS = 1.0
"""How often silent pages are looked for."""


class PresenceWorker:
    """Keeps `presence` as all processes know it; nothing is known without a link."""

    def __init__(
        self,
        link: Link | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        is_on: bool = True,
    ) -> None:
        self.presence = Presence()
        self.is_on = is_on
        """Whether the operator wants it."""
        self._link = link
        self._monotonic = monotonic
        self._origin = token_hex(8)
        self._heard_by: Client | None = None

    async def report(self, visit: Visit) -> None:
        """Note a visit here and in the other processes. Raises `TooManyPages`."""
        self.presence.report(visit, self._monotonic())
        await self._tell(visit, is_over=False)

    async def end(self, visit: Visit) -> None:
        """Note the end of a visit here and in the other processes."""
        self.presence.end(visit, self._monotonic())
        await self._tell(visit, is_over=True)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen to the others, and forget who is silent, until `stop` is set."""
        while self.is_on and not stop.is_set():
            await self._listen()
            self.presence.expire(self._monotonic())
            await pause(stop, SWEEP_SECONDS)

    async def _listen(self) -> None:
        """Subscribe once for each client: it subscribes again when it reconnects."""
        client = self._link.client if self._link else None
        if client is None or client is self._heard_by:
            return
        with suppress(Error, OSError):
            await client.subscribe(subjects.PRESENCE, cb=self._heard)
            self._heard_by = client

    async def _heard(self, message: Msg) -> None:
        with suppress(ValidationError, TooManyPages):  # of another version, or a flood
            told = VisitMessage.model_validate_json(message.data)
            if told.origin == self._origin:
                return
            if told.is_over:
                self.presence.end(told.visit, self._monotonic())
            else:
                self.presence.report(told.visit, self._monotonic())

    async def _tell(self, visit: Visit, *, is_over: bool) -> None:
        client = self._link.client if self._link else None
        if client is None:  # this process knows, and the page reports again
            return
        told = VisitMessage(
            origin=self._origin,
            incident=visit.incident,
            session=visit.page.session,
            tab=visit.page.tab,
            person=visit.person,
            form=visit.form,
            number=visit.number,
            is_over=is_over,
        )
        with suppress(Error, OSError):
            await client.publish(subjects.PRESENCE, told.model_dump_json().encode())
