"""Queues in the order of working time left, whatever the calendars and the instant."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.filters import Filters, Key, QueueName
from services.projections.queue.page import Part, page
from services.projections.queue.store import insert, load
from shared.domain.identifiers import incident_ref
from shared.domain.policy.teams import QueueOrder
from tests.support.builders.due_queue import (
    CALENDARS,
    Due,
    Queue,
    Store,
    queue_of,
    stored_policy,
)
from tests.support.builders.june_log import june
from tests.support.examples import examples_with_servers
from tests.support.servers.servers import PostgresServer

pytestmark = pytest.mark.servers

_SATURDAY, _SUNDAY, _MONDAY = june(7, 12), june(8, 12), june(9)
_PLACES = (
    "SELECT ref, hours, worked, resolved_in, resolved_by FROM {}.incidents ORDER BY 1"
)


@pytest.fixture(scope="module")
def store(postgres_server: PostgresServer) -> Iterator[Store]:
    with stored_policy(postgres_server) as stored:
        yield stored


def _refs(
    queue: Queue,
    now: datetime,
    *,
    limit: int = 50,
    step: timedelta = timedelta(0),
    filters: Filters | None = None,
    order: QueueOrder = "working_time_left",
) -> list[str]:
    """Return all references, page by page; each page is asked for `step` later."""
    found: list[str] = []
    more: Key | None = None
    while True:
        part = Part(more, limit, now, order)
        rows, more = page(*queue, QueueName("all"), filters or Filters(), part)
        found += [row.ref for row in rows]
        if more is None:
            return found
        now += step


def test_what_is_due_later_comes_first_where_nobody_works_until_then(
    store: Store,
) -> None:
    office = Due("lisbonne", june(9, 8, 30))  # a half hour after Monday's opening
    around_the_clock = Due("toujours", _SUNDAY)

    with queue_of(store, [around_the_clock, office]) as queue:
        assert _refs(queue, _SATURDAY) == ["INC-000002", "INC-000001"]
        assert _refs(queue, _SUNDAY) == ["INC-000001", "INC-000002"]


def test_as_much_time_left_is_ordered_by_priority_and_then_by_who_reported(
    store: Store,
) -> None:
    wanted = [
        Due("toujours", _SATURDAY + timedelta(minutes=30)),
        Due("lisbonne", june(9, 8, 30), reporter="lefevre"),
        Due("lisbonne", june(9, 8, 30), priority="p1"),
    ]

    with queue_of(store, wanted) as queue:
        order = ["INC-000003", "INC-000002", "INC-000001"]
        assert _refs(queue, _SATURDAY) == order


def test_rows_that_a_rebuild_inserts_are_where_they_were(store: Store) -> None:
    wanted = [Due("lisbonne", _SUNDAY), Due("nuit", _MONDAY), Due("gone", _MONDAY)]
    with queue_of(store, wanted) as (cursor, schema):
        cursor.execute(_PLACES.format(schema))
        stood = cursor.fetchall()
        rows = list(load(cursor, schema, [ref for ref, *_ in stood]).values())
        cursor.execute(f"DELETE FROM {schema}.incidents")

        insert(cursor, schema, rows)

        cursor.execute(_PLACES.format(schema))
        assert cursor.fetchall() == stood
    assert len({hours for _, hours, *_ in stood}) == len(wanted)


_instants = st.integers(-600, 600).map(lambda n: _MONDAY + timedelta(minutes=n * 15))
_dues = st.builds(
    Due,
    calendar=st.sampled_from(CALENDARS),
    due_at=_instants,
    priority=st.sampled_from(["p1", "p2"]),
    reporter=st.sampled_from([None, "lefevre"]),
    breached=st.booleans(),
    resolved=st.booleans(),
)


@examples_with_servers(40)
@given(st.lists(_dues, max_size=12), _instants, st.integers(1, 4))
def test_any_queue_is_sorted_by_what_is_left_when_its_first_page_is_read(
    store: Store, wanted: list[Due], now: datetime, limit: int
) -> None:
    by_ref = {incident_ref(n): each for n, each in enumerate(wanted, start=1)}

    def place(ref: str) -> tuple[object, ...]:
        each = by_ref[ref]
        left, told_by = each.left(now, store.policy), each.reporter is None
        rank = 2 if each.resolved else 1 - each.breached
        return (rank, left, each.priority, told_by, ref)

    urgent = Filters(priority=("p1",))
    with queue_of(store, wanted) as queue:
        found = _refs(queue, now, limit=limit, step=timedelta(hours=7))
        some = _refs(queue, now, limit=limit, filters=urgent)
        in_order: dict[QueueOrder, list[str]] = {
            order: _refs(queue, now, limit=limit, step=timedelta(hours=7), order=order)
            for order in ("priority", "reported_at")
        }

    assert found == sorted(by_ref, key=place)
    assert some == [ref for ref in found if by_ref[ref].priority == "p1"]
    by_priority = [(by_ref[ref].resolved, by_ref[ref].priority) for ref in found]
    assert in_order["priority"] == [
        ref
        for _, ref in sorted(zip(by_priority, found, strict=True), key=itemgetter(0))
    ]
    by_age = sorted(by_ref, key=lambda ref: (by_ref[ref].resolved, ref))
    assert in_order["reported_at"] == by_age
