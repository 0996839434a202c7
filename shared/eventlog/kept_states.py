"""Keeps what was replayed from short streams, by the hash of their last event.

That hash names the whole history: what was kept never has to be dropped.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Generic, TypeVar

from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.eventlog.codec import decode
from shared.eventlog.log import SELECT_ROWS, Row

HISTORIES_MAX = 20_000
"""Streams that are kept: the schedules and the people of a large desk."""

_TIPS = """
SELECT s.name, tip.chain
FROM unnest(%b::text[]) AS s(name)
CROSS JOIN LATERAL (SELECT chain FROM log.events AS e
                    WHERE e.originator_id = s.name AND e.notification_id <= %b
                    ORDER BY originator_version DESC LIMIT 1) AS tip
"""
_HISTORIES = (
    SELECT_ROWS + "WHERE originator_id = ANY(%s) AND notification_id <= %s "
    "ORDER BY originator_id, originator_version"
)

_State = TypeVar("_State")


class KeptStates(Generic[_State]):
    """States of streams by the hash of their last event. Thread-safe."""

    def __init__(self, replayed: Callable[[Iterable[AnyEvent]], _State]) -> None:
        self._replayed = replayed
        self._held: OrderedDict[bytes, _State] = OrderedDict()
        self._lock = Lock()

    def of(
        self, cursor: Cursors, streams: Sequence[str], upto: int
    ) -> Mapping[str, _State]:
        """Return the state of each stream that has events up to a position."""
        given = (list(streams), upto)
        tips = {
            name: bytes(chain)
            for name, chain in cursor.execute(_TIPS, given, binary=True).fetchall()
        }
        with self._lock:
            held = {name: self._held.get(chain) for name, chain in tips.items()}
        missing = [name for name, state in held.items() if state is None]
        for name, state in self._read(cursor, missing, upto).items():
            held[name] = state
            self._keep(tips[name], state)
        return {name: state for name, state in held.items() if state is not None}

    def _read(
        self, cursor: Cursors, streams: Sequence[str], upto: int
    ) -> Mapping[str, _State]:
        if not streams:
            return {}
        given = (list(streams), upto)
        rows = [
            Row(*row)
            for row in cursor.execute(_HISTORIES, given, binary=True).fetchall()
        ]
        return {
            name: self._replayed(_readable(stored))
            for name, stored in groupby(rows, key=attrgetter("stream"))
        }

    def _keep(self, chain: bytes, state: _State) -> None:
        with self._lock:
            self._held[chain] = state
            while len(self._held) > HISTORIES_MAX:
                self._held.popitem(last=False)


def _readable(rows: Iterable[Row]) -> Iterable[AnyEvent]:
    """Yield the events that this version can read, without personal words.

    Those of a later version and damaged ones are parked, and alarm, where events are
    followed. Nobody must stay without a page for one of them.
    """
    for row in rows:
        try:
            yield decode(None, row.stream, row.version, row.type, row.state)
        except Exception:  # noqa: BLE001, S112 # parked where events are followed
            continue
