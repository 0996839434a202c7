"""Lets readers of a process that apply the same few events share a transaction.

With few events a transaction costs more than what it does. What fails together is left
to each reader: it applies its part in a transaction of its own and finds out what is
wrong. So a reader that stops, waits or parks an event never holds up the others.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress

import structlog

from shared.eventlog.errors import StaleVersion, Unavailable, is_contended
from shared.eventlog.log import EventLog, Row
from shared.eventlog.readers.position import MissingEvent, Overtaken, Tracked
from shared.eventlog.readers.transaction import Part, PoisonEvent, apply_together
from shared.threads import in_thread

EVENTS_MAX = 100
"""More are worth a transaction for each reader, which run beside each other."""
GROUP_SECONDS = 5.0
"""Nobody waits longer for a group: the first to move a position has moved it."""

_log = structlog.get_logger(__name__)
_Waiting = list[tuple[Part, asyncio.Future[Tracked | None]]]
_Span = tuple[bytes, bytes]
"""The chain hashes before and of the last event: readers with equal ones share."""


class GroupCommit:
    """Readers that read one event log in one event loop; none of them appends to it.

    `executor` has a thread, which applies a group at a time.
    """

    def __init__(self, log: EventLog, executor: Executor) -> None:
        self._log = log
        self._executor = executor
        self._waiting: dict[_Span, _Waiting] = {}
        self._under_way: asyncio.Task[None] | None = None

    async def apply(self, part: Part, rows: Sequence[Row]) -> Tracked | None:
        """Apply `rows` with the other readers that are about to; return the position.

        None if there are none, a group is under way, the rows are many, or they cannot
        be applied together: then the reader has to do it alone. Raises `Unavailable`
        if PostgreSQL is.
        """
        if len(rows) > EVENTS_MAX or self._under_way is not None:
            return None
        loop = asyncio.get_running_loop()
        span = (part.before.chain, rows[-1].chain)
        future = loop.create_future()
        waiting = self._waiting.setdefault(span, [])
        waiting.append((part, future))
        if len(waiting) == 1:
            # An event reaches all feeds at once: their readers run before this does.
            loop.call_soon(self._begin, span, rows)
        with suppress(TimeoutError):
            return await asyncio.wait_for(future, GROUP_SECONDS)
        return None

    def _begin(self, span: _Span, rows: Sequence[Row]) -> None:
        waiting = self._waiting.pop(span)
        if len(waiting) == 1 or self._under_way is not None:
            for _, future in waiting:
                _settle(future, None)
            return
        # Every process locks positions in the same order.
        waiting.sort(
            key=lambda each: (each[0].bookmark.schema, each[0].bookmark.reader)
        )
        self._under_way = asyncio.create_task(self._commit(waiting, rows))

    async def _commit(self, waiting: _Waiting, rows: Sequence[Row]) -> None:
        reached: Sequence[Tracked | None] = [None] * len(waiting)
        away: Unavailable | None = None
        try:
            reached = await in_thread(
                self._executor,
                apply_together,
                self._log,
                [part for part, _ in waiting],
                rows,
            )
        except Unavailable as error:
            away = None if is_contended(error) else error
        except (PoisonEvent, Overtaken, MissingEvent, StaleVersion):
            pass  # it is about some of them, which find out alone
        except Exception:  # noqa: BLE001 # what fails alone as well says so there
            _log.warning("group_commit.failed", exc_info=True)
        finally:
            self._under_way = None
            for (_, future), after in zip(waiting, reached, strict=True):
                _settle(future, away or after)


def _order(waiting: tuple[Part, object]) -> tuple[str, str]:
    """Return where a reader's position comes: each process locks them in this order."""
    bookmark = waiting[0].bookmark
    return bookmark.schema, bookmark.reader


def _settle(
    future: asyncio.Future[Tracked | None], result: Tracked | Unavailable | None
) -> None:
    """Answer a reader, unless it has ended or waited too long."""
    if future.done():
        return
    if isinstance(result, Unavailable):
        future.set_exception(result)
    else:
        future.set_result(result)
