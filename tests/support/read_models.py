"""How tests read what they have written: once every read model has applied it.

A read model follows the log a moment later, each at its own pace. That one of them has
an event says nothing about another.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from shared.eventlog.log import EventLog
from tests.support.patience import until
from tests.support.servers.servers import Database

Ask = Callable[[LiteralString | sql.Composed], list[tuple[Any, ...]]]
"""Runs a query as the owner of the database."""
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.events"
_LIVE = "SELECT schema_name FROM rm.active"
_POSITION = "SELECT {} AS schema, coalesce(position, 0) FROM {}.tracking"


def until_applied(ask: Ask) -> None:
    """Return once every live read model has applied what the log holds now.

    Read models that are being built for the first time are not waited for.
    """
    ((head,),) = ask(_HEAD)
    until(
        lambda: all(reached >= head for reached in _positions(ask).values()),
        lambda: f"all read models at {head}: {_positions(ask)}",
    )


def _positions(ask: Ask) -> dict[str, int]:
    """Return the position of each live read model, by its schema."""
    each = [
        sql.SQL(_POSITION).format(sql.Literal(schema), sql.Identifier(schema))
        for (schema,) in ask(_LIVE)
    ]
    return dict(ask(sql.SQL(" UNION ALL ").join(each))) if each else {}


def through(log: EventLog) -> Ask:
    """Return how to ask on a connection of `log`, its owner's."""

    def ask(query: LiteralString | sql.Composed) -> list[tuple[Any, ...]]:
        with log.transaction() as cursor:
            return cursor.execute(query).fetchall()

    return ask


@contextmanager
def connected(database: Database) -> Iterator[Ask]:
    """Give a way to ask on a connection of its own."""
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        yield lambda query: connection.execute(query).fetchall()
