"""How many connections a server has open, and which of them make room for new ones.

A connection works while a request that came whole is being answered, and waits while
its client has to do something: send the rest of a request, or take more of an answer.
If there are too many, one that waits is closed: the oldest of the address that has most
of them. So nobody keeps others out by opening connections and leaving them.
"""

import time
from typing import Protocol

import structlog

TOLD_SECONDS = 60.0
"""That there are too many is logged once in so long."""

_log = structlog.get_logger(__name__)


class Connection(Protocol):
    """A connection that can be told to make room."""

    @property
    def address(self) -> str:
        """The address of its client."""

    def give_way(self) -> None:
        """Close: others need the place."""


class OpenConnections:
    """The connections of one server."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[str, dict[Connection, None]] = {}
        self._working: set[Connection] = set()
        self._number = 0
        self._told_at = float("-inf")

    def arrived(self, connection: Connection) -> bool:
        """Take in a connection, which waits; False if it does not fit."""
        if self._number >= self._most:
            self._tell()
            largest = max(self._waiting.values(), key=len, default=None)
            if largest is None:
                return False
            oldest = next(iter(largest))
            self.gone(oldest)
            oldest.give_way()
        self._number += 1
        self._waiting.setdefault(connection.address, {})[connection] = None
        return True

    def works(self, connection: Connection) -> None:
        """Note that a request on it is being answered."""
        if self._forgotten_as_waiting(connection):
            self._working.add(connection)

    def waits(self, connection: Connection) -> None:
        """Note that its client has to do something."""
        if connection in self._working:
            self._working.remove(connection)
            self._waiting.setdefault(connection.address, {})[connection] = None

    def gone(self, connection: Connection) -> None:
        """Note that it is closed."""
        if connection in self._working:
            self._working.remove(connection)
        elif not self._forgotten_as_waiting(connection):
            return
        self._number -= 1

    def _forgotten_as_waiting(self, connection: Connection) -> bool:
        same = self._waiting.get(connection.address)
        if same is None or connection not in same:
            return False
        del same[connection]
        if not same:
            del self._waiting[connection.address]
        return True

    def _tell(self) -> None:
        if time.monotonic() - self._told_at > TOLD_SECONDS:
            self._told_at = time.monotonic()
            waiting = sum(map(len, self._waiting.values()))
            _log.warning("http.full", connections=self._number, waiting=waiting)
