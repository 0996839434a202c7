"""Synchronises people with LDAP: on command, and every so often in one process.

LDAP is read in a thread of its own: a slow server must not hold up signals and
commands. Repeated attempts at one command get the answer of the first. What is carried
out was read after it was asked for, and never after something newer.
"""

import asyncio
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from uuid import UUID

from services.intake.attempts import too_busy
from services.intake.ldap.reader import LdapMisconfigured, LdapReader
from services.intake.ldap.session import LdapFailure
from services.intake.people.sync_store import (
    Fence,
    PeopleSync,
    Reading,
    Superseded,
)
from shared.commands.refusals import answer_to
from shared.domain.commands.person import PeopleSynchronised, SyncPeople
from shared.domain.refusal import Refused
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.threads import in_thread

RETRY_SECONDS = 30
READINGS_MAX = 3
"""How often LDAP is read for one command if others are faster each time."""


class Synchroniser:
    """Reads LDAP, one reading at a time, and has the difference carried out."""

    def __init__(
        self, reader: LdapReader, people: PeopleSync, executor: Executor
    ) -> None:
        self.reader = reader
        self._people = people
        self._executor = executor
        self._own = ThreadPoolExecutor(1, "ldap")
        self._ends = threading.Event()
        self._next: asyncio.Task[Reading] | None = None
        """A reading that was asked for and has not begun."""
        self._one_at_a_time = asyncio.Lock()
        self._answering: dict[UUID, asyncio.Task[PeopleSynchronised]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Let nobody wait for a slow LDAP server once `stop` is set."""
        await stop.wait()
        self._ends.set()
        self._own.shutdown(wait=False)

    async def take(self, request: CommandRequest[SyncPeople]) -> PeopleSynchronised:
        """Return the outcome of a command; raises `HttpError`."""
        key = request.command_id
        if key is None:
            return await self._answer(request)
        running = self._answering.get(key)
        if running is None:
            running = asyncio.create_task(self._answer(request))
            self._answering[key] = running
            running.add_done_callback(lambda _: self._answering.pop(key, None))
        return await asyncio.shield(running)

    async def synchronise(
        self, fence: Fence, *, preview: bool = False
    ) -> PeopleSynchronised:
        """Make people and their roles what LDAP says.

        Raises `Refused`, `LdapFailure`, `LdapMisconfigured`, `Unavailable`, and
        `HttpError` if newer readings are carried out all the time.
        """
        for _ in range(READINGS_MAX):
            reading = await self._reading()
            work = partial(
                self._people.carry_out, reading, preview=preview, fence=fence
            )
            try:
                return await in_thread(self._executor, work)
            except Superseded:
                continue
        raise too_busy()

    async def _answer(self, request: CommandRequest[SyncPeople]) -> PeopleSynchronised:
        await in_thread(self._executor, lambda: self._people.admit(request))
        try:
            preview = request.body.preview
            return await self.synchronise(_unfenced, preview=preview)
        except Refused as no:
            await in_thread(self._executor, self._people.journal, request, no)
            raise answer_to(no) from no
        except LdapMisconfigured as error:
            raise HttpError(
                409, f"{error}; nothing was changed", code="ldap"
            ) from error
        except LdapFailure as error:
            raise HttpError(
                503,
                f"{error}; nothing was changed",
                code="ldap_away",
                retry_after=RETRY_SECONDS,
            ) from error

    async def _reading(self) -> Reading:
        """Return a reading that begins after now; those who wait share the next."""
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        return await asyncio.shield(self._next)

    async def _read(self) -> Reading:
        stops = self._ends.is_set
        async with self._one_at_a_time:
            self._next = None  # it begins: too late for those who come from now on
            if stops():
                raise LdapFailure("intake stops")
            number = await in_thread(self._executor, self._people.begin_reading)
            found = await in_thread(self._own, self.reader.found, stops)
        return Reading(number, found)


def _unfenced(_: object) -> None:
    """Demand no lease: two commands at once only wait for each other's rows."""
