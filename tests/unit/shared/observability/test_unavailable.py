"""Which errors are PostgreSQL's absence, and which are the fault of what was asked."""

import psycopg
import pytest
from eventsourcing.persistence import OperationalError
from psycopg import errors
from psycopg_pool import PoolTimeout

from shared.eventlog.errors import (
    Unavailable,
    WrongClock,
    is_cancelled,
    is_unavailable,
    why_away,
)


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("away"),
        PoolTimeout("no connection"),
        OperationalError("as the library says it"),
        psycopg.OperationalError("the connection is closed"),
        psycopg.InterfaceError("the connection is closed"),
        errors.ConnectionFailure(),
        errors.AdminShutdown(),
        errors.QueryCanceled(),
        errors.DiskFull(),
        errors.IoError(),
        errors.InFailedSqlTransaction(),
        errors.IdleInTransactionSessionTimeout(),
        errors.TransactionTimeout(),
        errors.ReadOnlySqlTransaction(),
        errors.LockNotAvailable(),
        errors.DeadlockDetected(),
        errors.SerializationFailure(),
        errors.DataCorrupted(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_infrastructure_is_unavailability(error: Exception) -> None:
    assert is_unavailable(error)
    assert is_unavailable(_because_of(error))
    assert is_unavailable(_while_handling(error))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a mistake of ours"),
        psycopg.DataError("PostgreSQL text fields cannot contain NUL bytes"),
        psycopg.ProgrammingError("cannot adapt type"),
        errors.NumericValueOutOfRange(),
        errors.UniqueViolation(),
        errors.ProgramLimitExceeded(),
        errors.UndefinedColumn(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_what_was_asked_is_not(error: Exception) -> None:
    assert not is_unavailable(error)
    assert not is_unavailable(_because_of(error))


def test_the_outermost_error_of_the_database_decides() -> None:
    ours = errors.UniqueViolation()
    ours.__context__ = errors.LockNotAvailable()

    assert not is_unavailable(ours)


def test_an_aborted_transaction_is_the_fault_of_what_aborted_it() -> None:
    aborted = errors.InFailedSqlTransaction()
    aborted.__context__ = errors.NotNullViolation()

    assert not is_unavailable(aborted)


def test_an_error_raised_from_none_hides_what_came_before() -> None:
    error = ValueError("a sentence of ours")
    error.__context__ = errors.LockNotAvailable()
    error.__suppress_context__ = True

    assert not is_unavailable(error)


def test_a_chain_that_bites_its_tail_ends() -> None:
    error = ValueError("a mistake of ours")
    error.__context__ = KeyError("another")
    error.__context__.__context__ = error

    assert not is_unavailable(error)


def test_only_a_cancelled_statement_is_cancelled() -> None:
    assert is_cancelled(_because_of(errors.QueryCanceled()))
    assert not is_cancelled(errors.AdminShutdown())


def _because_of(error: Exception) -> Exception:
    later = ValueError("a later one")
    later.__cause__ = error
    return later


def _while_handling(error: Exception) -> Exception:
    later = ValueError("a later one")
    later.__context__ = error
    return later


def test_health_does_not_take_a_wrong_clock_for_an_absent_server() -> None:
    assert why_away(Unavailable("connection refused")) == "PostgreSQL is away"
    assert why_away(WrongClock("the clock is 9 s ahead")) == "the clock is 9 s ahead"
