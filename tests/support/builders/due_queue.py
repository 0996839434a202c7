"""A queue of incidents that are due in several calendars, in a database of its own."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from services.projections.queue.store import apply
from services.projections.queue.tables import indexes, tables
from shared.database.cursors import Cursors
from shared.domain.identifiers import incident_ref
from shared.domain.policy.document import Policy
from shared.domain.working_time import elapsed, hours_of
from shared.eventlog.entry import Entry
from tests.support.builders.june_log import June, june
from tests.support.builders.promise_events import told
from tests.support.servers.servers import PostgresServer
from tests.support.strategies.histories import opened
from tests.support.strategies.interleaved_streams import stream_of

CALENDARS = ("jour", "lisbonne", "nuit", "toujours")
Queue = tuple[Cursors, str]
"""Where to read it, and in which schema."""
_numbers = count(1)


@dataclass(frozen=True)
class Due:
    """An incident, and when its promise to resolve is due in which calendar."""

    calendar: str
    due_at: datetime
    priority: str = "p3"
    reporter: str | None = None
    breached: bool = False
    paused_with: int | None = None
    """The promise stands, with so many seconds left."""
    escalated: bool = False
    resolved: bool = False

    def left(self, now: datetime, policy: Policy) -> int:
        """Return the working time left, negative if it is overdue."""
        hours = hours_of(policy.calendars[self.calendar])
        return elapsed(hours, now, self.due_at) - elapsed(hours, self.due_at, now)


class Store(NamedTuple):
    """A database whose log holds a policy."""

    connection: Connection[tuple[Any, ...]]
    policy: Policy


@contextmanager
def stored_policy(server: PostgresServer) -> Iterator[Store]:
    """Give a database with a policy.

    Not from a pool: the threads of one draw random numbers, as no strategy may.
    """
    database = server.fresh_database()
    month = June(database)
    with closing(month.log):
        policy = month.applied()
    with psycopg.connect(database.owner_dsn) as connection:
        yield Store(connection, policy)
    server.drop(database)


@contextmanager
def queue_of(store: Store, wanted: Sequence[Due]) -> Iterator[Queue]:
    """Give a queue that holds these, numbered from 1."""
    schema = f"rm_queue_v{next(_numbers)}"
    connection = store.connection
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for statement in (*tables(schema), *indexes(schema)):
            cursor.execute(statement)
        apply(cursor, schema, list(_entries(wanted)))
        yield cursor, schema


def _entries(wanted: Sequence[Due]) -> Iterator[Entry]:
    positions = count(1)
    for number, each in enumerate(wanted, start=1):
        for event in _events(incident_ref(number), each):
            position, stream = next(positions), stream_of(event)
            yield Entry(position, stream, position, event.type, june(1), None, event)


def _events(ref: str, each: Due) -> Iterator[Any]:
    clock = {"target": "ttr", "due_at": each.due_at}
    yield opened(ref, priority=each.priority, reporter=each.reporter)
    yield told("sla.armed", ref, **clock, calendar=each.calendar)
    if each.breached:
        yield told("sla.breached", ref, **clock, breached_at=each.due_at)
    if each.paused_with is not None:
        left = {"left_seconds": each.paused_with, "paused_at": june(1)}
        yield told("sla.paused", ref, target="ttr", **left)
    if each.escalated:
        yield told("escalation.escalated", ref)
    if each.resolved:
        yield told("incident.resolved", ref)
