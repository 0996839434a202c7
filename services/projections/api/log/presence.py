"""What a stream tells of who else has an incident open.

That is the incident that the stream is about; in a browser, whose tabs share a stream,
those that pages of its session have open.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import orjson

from services.projections.api.callers import (
    may_look_people_up,
    person_of,
    sight_of,
)
from services.projections.api.desk import Desk
from services.projections.api.log.credentials import credential_id
from services.projections.api.log.tail import Tail
from services.projections.api.position import require_seen
from services.projections.presence.state import Present
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.http.problem_details import HttpError
from shared.security.access import Caller


@dataclass(slots=True)
class PresenceWatch:
    """A listener, and what it was told last of each incident."""

    incident: str | None
    """The only one that the listener hears of; None: those that its pages have open."""
    session: str
    person: str | None
    sight: Sight
    bell: asyncio.Event
    told: Mapping[str, Sequence[Present]] = field(default_factory=dict)

    async def news(self, desk: Desk) -> bytes:
        """Return the blocks that say who is present now; nothing of what is known.

        They have no ids, since they are not in the log.
        """
        if not self.bell.is_set():
            return b""
        self.bell.clear()
        presence = desk.presence.presence
        refs = [self.incident] if self.incident else presence.opened_by(self.session)
        now = {ref: presence.others(ref, self.person) for ref in refs}
        changed = [ref for ref in now if now[ref] != self.told.get(ref, ())]
        self.told = now
        seen = [ref for ref in changed if await self._is_seen(desk, ref)]
        return b"".join(_block(ref, now[ref]) for ref in seen)

    async def _is_seen(self, desk: Desk, incident: str) -> bool:
        """Return whether an incident is within the limits now: it may have moved."""
        if self.sight.within is None:
            return True
        try:
            await desk.blocking(_require_seen, desk, self.sight, incident)
        except HttpError as error:
            if error.details.status != 404:  # noqa: PLR2004 # of HTTP
                raise
            return False
        return True


def _block(incident: str, present: Sequence[Present]) -> bytes:
    items = [each._asdict() for each in present]
    data = orjson.dumps({"incident": incident, "items": items})
    return b"event: presence\ndata: " + data + b"\n\n"


def _require_seen(desk: Desk, sight: Sight, incident: str) -> None:
    with snapshot(desk.log) as cursor:
        require_seen(desk.log, cursor, sight, incident)


@contextmanager
def watching(
    desk: Desk, caller: Caller, incident: str | None, types: Sequence[str] | None
) -> Iterator[PresenceWatch | None]:
    """Give the watch of a listener; None for a stream that tells of no presence.

    That is a stream of some types of events, or of a program that follows everything.
    """
    is_of_program = incident is None and caller.session_id is None
    if types is not None or is_of_program or not may_look_people_up(caller):
        yield None
        return
    session = credential_id(caller)
    with desk.presence.presence.watching(incident or session) as bell:
        yield PresenceWatch(
            incident, session, person_of(caller), sight_of(caller), bell
        )


async def something_new(
    tail: Tail, watch: PresenceWatch | None, position: int, seconds: float
) -> None:
    """Return once there are events after `position`, presence changed, or it is time.

    Two tasks for each wait: streams of programs that follow everything have none.
    """
    if watch is None:
        await tail.changed(position, seconds)
        return
    if watch.bell.is_set():
        return
    rung = asyncio.ensure_future(watch.bell.wait())
    told = asyncio.ensure_future(tail.changed(position, seconds))
    try:
        await asyncio.wait((rung, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (rung, told):
            each.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(rung, told)
