"""Waits until nothing more happens at an instant: everything is read, fired and sent.

It asks the database itself, so that the play neither sleeps nor races.
"""

import asyncio
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from demo.cast import Unseen

LOOK_SECONDS = 0.025
PATIENCE_SECONDS = 120.0
_SCHEMAS = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_name IN
      ('tracking', 'cases', 'silences', 'signal_keys', 'outbox', 'heartbeats',
       'survey_mail', 'owner_mail', 'month_report_mail')
  AND (table_schema IN ('sla', 'escalation', 'intake')
       OR table_schema IN (SELECT schema_name FROM rm.active))
ORDER BY 1, 2
"""
_DUE = {
    "cases": "next_at",
    "silences": "due_at",
    "signal_keys": "due_at",
    "survey_mail": "next_at",
    "owner_mail": "next_at",
    "month_report_mail": "next_at",
    "heartbeats": "CASE WHEN silent_since IS NULL THEN due_at END",
}
"""Tables of items that wait for an instant, and their column."""
_READ_MODELS = 4
"""With fewer, one is still being built."""

Connection = AsyncConnection[tuple[Any, ...]]


async def connect(dsn: str) -> Connection:
    """Return a connection for these queries, as the owner of the desk's database."""
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, row_factory=tuple_row
    )


async def settled(connection: Connection, now: datetime) -> None:
    """Return once nothing is left to do at `now`. Raises `Unseen` on a timeout."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    seen = -1
    while True:
        head, left = await _left(connection, now)
        if not left and head == seen:
            return
        seen = head if not left else -1
        if asyncio.get_running_loop().time() > deadline:
            raise Unseen(f"the desk does not come to rest: {', '.join(left)}")
        await asyncio.sleep(LOOK_SECONDS)


async def next_due(connection: Connection) -> datetime | None:
    """Return the earliest instant at which any service has something to do."""
    found = []
    for schema, table in await _tables(connection):
        if table in _DUE:
            query = f"SELECT min({_DUE[table]}) FROM {schema}.{table}"  # noqa: S608 # our own names
            found.append((await _row(connection, query))[0])
    return min((each for each in found if each is not None), default=None)


async def _left(connection: Connection, now: datetime) -> tuple[int, list[str]]:
    """Return the head of the log, and what is not done yet, in words."""
    (head,) = await _row(
        connection, "SELECT coalesce(max(notification_id), 0) FROM log.events"
    )
    left: list[str] = []
    tables = await _tables(connection)
    if sum(schema.startswith("rm_") for schema, _ in tables) < _READ_MODELS:
        left.append("a read model is being built")
    for schema, table in tables:
        where, word = _undone(table)
        query = f"SELECT count(*) FROM {schema}.{table} WHERE {where}"  # noqa: S608 # our own names
        value = head if table == "tracking" else now
        (count,) = await _row(connection, query, value)
        if count:
            left.append(f"{schema} {word}")
    return head, left


def _undone(table: str) -> tuple[str, str]:
    """Return the condition of rows of a table that are not done, and what is left."""
    match table:
        case "tracking":
            return "position < %s", "reads"
        case "heartbeats":
            return f"{_DUE[table]} <= %s OR owes IS NOT NULL", "listens for beats"
        case "outbox":
            return "next_at <= %s", "sends"
        case "survey_mail" | "owner_mail" | "month_report_mail":
            # One that is being sent is due again in a minute, until it is sent.
            return "next_at <= %s OR attempts > 0 AND next_at IS NOT NULL", "sends mail"
        case _:
            return f"{_DUE[table]} <= %s", "is due"


async def _tables(connection: Connection) -> list[tuple[str, str]]:
    cursor = await connection.execute(_SCHEMAS)
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def _row(connection: Connection, query: str, *values: object) -> tuple[Any, ...]:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    if row is None:
        raise Unseen("the database gave no row")
    return row
