"""Errors of the event log, and how to classify them.

An absent, busy or wrong database is `Unavailable`: nothing was promised, and the same
request will work later. All code that classifies errors uses `is_unavailable`.
"""

from collections.abc import Iterator

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError
from psycopg.errors import (
    DeadlockDetected,
    DiskFull,
    LockNotAvailable,
    QueryCanceled,
)
from psycopg_pool import PoolTimeout

_UNAVAILABLE_CLASSES = {"08", "28", "40", "53", "57", "58"}
"""SQLSTATE classes of a server that is absent, full, busy or shutting down."""
_UNAVAILABLE_STATES = {
    "25006",  # a read-only standby
    "25P03",  # ended for idling in a transaction
    "25P04",  # ended for a transaction that took too long
    "55006",  # an object in use
    "55P03",  # a lock not granted in time
    "XX001",  # corrupted data
    "XX002",  # a corrupted index
}
_ABORTED = "25P02"
"""An earlier error ended the transaction: that one has to be classified."""


class Unavailable(Exception):
    """PostgreSQL is absent, starting or too slow: nothing was promised, try again."""


class NotContinued(Unavailable):
    """The log is not the one this process has seen: nothing is decided or sent."""


class WrongClock(Unavailable):
    """The clock of this host is wrong: it writes nothing until it is right again."""


class StaleVersion(Exception):
    """Another writer appended in between: the stream has another version."""


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error means that PostgreSQL is unavailable.

    True for every error of a connection, a pool, a lock, a deadlock or a shortage, and
    for errors caused by one. The outermost database error decides: data that PostgreSQL
    rejects (SQLSTATE classes 22, 23, 54) is the fault of the sender.
    """
    aborted = False
    for each in _chain(error):
        match each:
            case Unavailable() | PoolTimeout() | OperationalError() | InterfaceError():
                return True
            case psycopg.Error(sqlstate=None):
                return isinstance(
                    each, psycopg.OperationalError | psycopg.InterfaceError
                )
            case psycopg.Error(sqlstate=str(state)) if state != _ABORTED:
                kind = state[:2]
                return kind in _UNAVAILABLE_CLASSES or state in _UNAVAILABLE_STATES
            case psycopg.Error():
                aborted = True
            case _:
                pass
    return aborted


def is_cancelled(error: BaseException) -> bool:
    """Return whether PostgreSQL cancelled a statement: `statement_timeout` or by hand.

    The server is available, so the statement itself may be at fault.
    """
    return any(isinstance(each, QueryCanceled) for each in _chain(error))


def is_contended(error: BaseException) -> bool:
    """Return whether PostgreSQL gave up a lock or a statement that took too long.

    The server is available: somebody else is in the way.
    """
    contended = (LockNotAvailable, DeadlockDetected, QueryCanceled)
    return any(isinstance(each, contended) for each in _chain(error))


def is_full(error: BaseException) -> bool:
    """Return whether PostgreSQL had no room on its disk."""
    return any(isinstance(each, DiskFull) for each in _chain(error))


def away(error: Exception) -> Unavailable:
    """Return the `Unavailable` for an error for which `is_unavailable` is true."""
    if isinstance(error, Unavailable):
        return error
    return Unavailable(str(error).strip().partition("\n")[0])


def why_away(error: Unavailable) -> str:
    """Return the text for a health check; a wrong clock is named as such."""
    return str(error) if isinstance(error, WrongClock) else "PostgreSQL is away"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, the outermost first."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        hidden = each.__suppress_context__
        each = each.__cause__ or (None if hidden else each.__context__)
