"""Queues in the order of working time left, whatever the calendars and the instant."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection, Cursor

from services.projections.queue.cursor import Key
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.store import apply, load, put_in_place
from services.projections.queue.tables import indexes, tables
from shared.entry import Entry
from shared.policy.document import Policy
from shared.references import incident_ref
from shared.working_time import elapsed, hours_of
from tests.support.histories import opened
from tests.support.june import June, june
from tests.support.promising import told
from tests.support.servers import PostgresServer
from tests.support.stories import stream_of

pytestmark = pytest.mark.servers

_numbers = count(1)
_CALENDARS = ("jour", "lisbonne", "nuit", "toujours")
_SATURDAY, _SUNDAY, _MONDAY = june(7, 12), june(8, 12), june(9)


@dataclass(frozen=True)
class _Due:
    """An incident, and when its promise is due in which calendar."""

    calendar: str
    due_at: datetime
    priority: str = "p3"
    reporter: str | None = None
    breached: bool = False

    def left(self, now: datetime, policy: Policy) -> int:
        """Return the working time left, negative if it is overdue."""
        hours = hours_of(policy.calendars[self.calendar])
        return elapsed(hours, now, self.due_at) - elapsed(hours, self.due_at, now)


class Store(NamedTuple):
    """A database whose log holds a policy."""

    connection: Connection[tuple[Any, ...]]
    policy: Policy


@pytest.fixture(scope="module")
def store(postgres_server: PostgresServer) -> Iterator[Store]:
    # Not from a pool: the threads of one draw random numbers, as no strategy may.
    database = postgres_server.fresh_database()
    month = June(database)
    with closing(month.log):
        policy = month.applied()
    with psycopg.connect(database.owner_dsn) as connection:
        yield Store(connection, policy)
    postgres_server.drop(database)


@contextmanager
def _queue(
    store: Store, wanted: Sequence[_Due]
) -> Iterator[tuple[Cursor[tuple[Any, ...]], str]]:
    """Give a queue that holds these, numbered from 1."""
    schema = f"rm_queue_v{next(_numbers)}"
    connection = store.connection
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for statement in (*tables(schema), *indexes(schema, False)):
            cursor.execute(statement)
        apply(cursor, schema, list(_entries(wanted)))
        yield cursor, schema


def _entries(wanted: Sequence[_Due]) -> Iterator[Entry]:
    positions = count(1)
    for number, each in enumerate(wanted, start=1):
        ref, at = incident_ref(number), june(1)
        clock = {"target": "ttr", "due_at": each.due_at}
        events = [
            opened(ref, priority=each.priority, reporter=each.reporter),
            told("sla.armed", ref, **clock, calendar=each.calendar),
        ]
        if each.breached:
            events.append(told("sla.breached", ref, **clock, breached_at=each.due_at))
        for event in events:
            position = next(positions)
            stream = stream_of(event)
            yield Entry(position, stream, position, event.type, at, None, event)


def _refs(
    queue: tuple[Cursor[tuple[Any, ...]], str],
    now: datetime,
    *,
    limit: int = 50,
    step: timedelta = timedelta(0),
    filters: Filters | None = None,
) -> list[str]:
    """Return all references, page by page; each page is asked for `step` later."""
    found: list[str] = []
    more: Key | None = None
    while True:
        part = Part(more, limit, now)
        rows, more = page(*queue, QueueName("all"), filters or Filters(), part)
        found += [row.ref for row in rows]
        if more is None:
            return found
        now += step


def test_what_is_due_later_comes_first_where_nobody_works_until_then(
    store: Store,
) -> None:
    office = _Due("lisbonne", june(9, 8, 30))  # a half hour after Monday's opening
    around_the_clock = _Due("toujours", _SUNDAY)

    with _queue(store, [around_the_clock, office]) as queue:
        assert _refs(queue, _SATURDAY) == ["INC-000002", "INC-000001"]
        assert _refs(queue, _SUNDAY) == ["INC-000001", "INC-000002"]


def test_as_much_time_left_is_ordered_by_priority_and_then_by_who_reported(
    store: Store,
) -> None:
    wanted = [
        _Due("toujours", _SATURDAY + timedelta(minutes=30)),
        _Due("lisbonne", june(9, 8, 30), reporter="lefevre"),
        _Due("lisbonne", june(9, 8, 30), priority="p1"),
    ]

    with _queue(store, wanted) as queue:
        order = ["INC-000003", "INC-000002", "INC-000001"]
        assert _refs(queue, _SATURDAY) == order


def test_rows_that_a_rebuild_copied_are_put_where_they_stood(store: Store) -> None:
    wanted = [_Due("lisbonne", _SUNDAY), _Due("nuit", _MONDAY), _Due("gone", _MONDAY)]
    with _queue(store, wanted) as (cursor, schema):
        cursor.execute(f"SELECT ref, hours, worked FROM {schema}.incidents ORDER BY 1")
        stood = cursor.fetchall()
        rows = list(load(cursor, schema, [ref for ref, _, _ in stood]).values())
        cursor.execute(f"UPDATE {schema}.incidents SET hours = '', worked = 0")

        put_in_place(cursor, schema, rows)

        cursor.execute(f"SELECT ref, hours, worked FROM {schema}.incidents ORDER BY 1")
        assert cursor.fetchall() == stood
    assert len({hours for _, hours, _ in stood}) == len(wanted)


_instants = st.integers(-600, 600).map(lambda n: _MONDAY + timedelta(minutes=n * 15))
_dues = st.builds(
    _Due,
    calendar=st.sampled_from(_CALENDARS),
    due_at=_instants,
    priority=st.sampled_from(["p1", "p2"]),
    reporter=st.sampled_from([None, "lefevre"]),
    breached=st.booleans(),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_dues, max_size=12), _instants, st.integers(1, 4))
def test_any_queue_is_sorted_by_what_is_left_when_its_first_page_is_read(
    store: Store, wanted: list[_Due], now: datetime, limit: int
) -> None:
    by_ref = {incident_ref(n): each for n, each in enumerate(wanted, start=1)}

    def place(ref: str) -> tuple[object, ...]:
        each = by_ref[ref]
        left, told_by = each.left(now, store.policy), each.reporter is None
        return (not each.breached, left, each.priority, told_by, ref)

    urgent = Filters(priority=("p1",))
    with _queue(store, wanted) as queue:
        found = _refs(queue, now, limit=limit, step=timedelta(hours=7))
        some = _refs(queue, now, limit=limit, filters=urgent)

    assert found == sorted(by_ref, key=place)
    assert some == [ref for ref in found if by_ref[ref].priority == "p1"]
