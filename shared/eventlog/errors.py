"""What can go wrong with the event log, and how to tell whose fault an error is.

An absent, busy or wrong database is `Unavailable`: nothing was promised, and the same
will do later. Every place that sorts errors asks `is_unavailable`.
"""

from collections.abc import Iterator

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from psycopg_pool import PoolTimeout

_UNAVAILABLE_CLASSES = {"08", "28", "40", "53", "57", "58"}
"""SQLSTATE classes of a server that is away, full, busy or shutting down."""
_UNAVAILABLE_STATES = {
    "25006",  # a standby, which takes no writes
    "25P03",  # thrown out for idling in a transaction
    "25P04",  # thrown out for too long a transaction
    "55006",  # an object in use
    "55P03",  # a lock not granted in time
    "XX001",  # corrupted data
    "XX002",  # a corrupted index
}
_ABORTED = "25P02"
"""An earlier error ended the transaction: that one says whose fault it was."""


class Unavailable(Exception):
    """PostgreSQL is away, starting or too slow: nothing was promised, try again."""


class NotContinued(Unavailable):
    """The log is not the one this process has seen: nothing is decided or sent."""


class WrongClock(Unavailable):
    """The clock of this host is wrong: it writes nothing until it is right again."""


class StaleVersion(Exception):
    """Another writer came between: the stream is not where it was read."""


def is_unavailable(error: BaseException) -> bool:
    """Tell whether an error is PostgreSQL's absence, and not what was asked of it.

    True of every error of a connection, a pool, a lock, a deadlock or a shortage, and
    of errors raised because of one. The outermost error of the database decides: data
    that PostgreSQL refuses (SQLSTATE classes 22, 23, 54) is the fault of who sent it.
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
    """Tell whether PostgreSQL ended one statement: `statement_timeout`, or by hand.

    The server is there and answers, so this may be the fault of what was asked.
    """
    return any(isinstance(each, QueryCanceled) for each in _chain(error))


def away(error: Exception) -> Unavailable:
    """Return what callers know an error as for which `is_unavailable` is true."""
    if isinstance(error, Unavailable):
        return error
    return Unavailable(str(error).strip().partition("\n")[0])


def why_away(error: Unavailable) -> str:
    """Return what a health check says: a wrong clock is not PostgreSQL's absence."""
    return str(error) if isinstance(error, WrongClock) else "PostgreSQL is away"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those it was raised because of, the outermost first."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        hidden = each.__suppress_context__
        each = each.__cause__ or (None if hidden else each.__context__)
