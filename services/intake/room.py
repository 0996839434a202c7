"""What a part of intake offers to the process that runs it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route

from shared.observability.health import Probe

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Room:
    """Routes to serve, work to do until an event is set, and probes of its state."""

    routes: Sequence[Route] = ()
    workers: Sequence[Work] = ()
    probes: Sequence[Probe] = ()


def joined(rooms: Iterable[Room]) -> Room:
    """Return all that several rooms offer, in their order."""
    all_of = list(rooms)
    return Room(
        [route for room in all_of for route in room.routes],
        [work for room in all_of for work in room.workers],
        [probe for room in all_of for probe in room.probes],
    )
