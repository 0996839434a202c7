"""Filters and their expressions, over HTTP and against any queue."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.expression import All, Expression, Not, Some, Term
from services.projections.queue.filters import Filters, QueueName
from services.projections.queue.page import Part, matching_counts, page
from services.projections.queue.row import QueueRow
from services.projections.queue.store import load
from shared.domain import events
from shared.domain.identifiers import incident_ref
from shared.domain.incident import IN_STOCK
from tests.support.builders.due_queue import Due, Store, queue_of, stored_policy
from tests.support.builders.june_log import june
from tests.support.desks.api import Api, problem
from tests.support.examples import examples_with_servers
from tests.support.servers.servers import PostgresServer
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_ONE, _TWO, _THREE, _FOUR = map(incident_ref, range(1, 5))


def _says(kind: type[Any], ref: str, **more: object) -> Any:
    return kind(at=START, by="person:paul", incident=ref, policy=1, **more)


@pytest.fixture(scope="module")
def position(shared_api: Api) -> int:
    """Give four incidents: two of monitoring, a paused one and a closed one."""
    return shared_api.happened(
        opened(_ONE, priority="p1", service="mail", title="Mail is slow"),
        opened(_TWO, priority="p2", service="payroll", team="network"),
        _says(events.IncidentAssigned, _TWO, team="network", assignee="paul"),
        opened(_THREE, service="mail", client="valmont", reporter="lefevre"),
        _says(events.IncidentPaused, _THREE, reason="user"),
        _says(events.IncidentReminderSet, _THREE, person="paul", due_at=START),
        opened(_FOUR, priority="p1", service="mail"),
        _says(events.IncidentClosed, _FOUR),
    )


def _refs(api: Api, position: int, **asked: Any) -> list[str]:
    page = api.get("/v1/queues/all/incidents", min_position=position, **asked)
    return sorted(item["ref"] for item in page["items"])


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("priority:P1 OR mine:true", [_ONE, _TWO]),
        ("(priority:p1 OR service:payroll) -team:network", [_ONE]),
        ("-client:valmont", [_ONE, _TWO]),
        ("client:none", [_ONE, _TWO]),
        ("unassigned:true reported_by_user:true", [_THREE]),
        ("waiting:user", [_THREE]),
        ("reminder:true", [_THREE]),
        ("reminder:false -slow", [_TWO]),
        ("service:mail -waiting:user,vendor", [_ONE]),
        ("slow OR payroll", [_ONE, _TWO]),
        ("service:mail slow", [_ONE]),
        ("-slow", [_TWO, _THREE]),
        ("status:closed service:mail", [_FOUR]),
        ("level:n2", []),
    ],
)
def test_an_expression_finds_what_it_says(
    shared_api: Api, position: int, written: str, found: list[str]
) -> None:
    counted = shared_api.get(
        "/v1/queues/all/count", filter=written, min_position=position
    )

    assert _refs(shared_api, position, filter=written) == found
    assert counted["matching"] == len(found)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": ["mail", "payroll"], "priority": "p2"}, [_TWO]),
        ({"assignee": ["paul", "nadia"]}, [_TWO]),
        ({"team": "network"}, [_TWO]),
        ({"mine": True}, [_TWO]),
        ({"unassigned": True, "service": "mail"}, [_ONE, _THREE]),
        ({"reported_by_user": False}, [_ONE, _TWO]),
        ({"waiting": ["user", "vendor"]}, [_THREE]),
        (
            {"service": "mail", "filter": "priority:p1 OR client:valmont"},
            [_ONE, _THREE],
        ),
        ({"q": "mail", "filter": "slow"}, [_ONE]),
    ],
)
def test_several_values_match_any_and_different_filters_all(
    shared_api: Api, position: int, asked: dict[str, Any], found: list[str]
) -> None:
    assert _refs(shared_api, position, **asked) == found


def test_pages_and_tables_go_on_with_the_expression(
    shared_api: Api, position: int
) -> None:
    written = "service:mail,payroll"
    asked = {"filter": written, "limit": 2, "format": "csv", "min_position": position}
    first = shared_api.call("GET", "/v1/queues/all/incidents", params=asked)
    onward = first.links["next"]["url"]
    second = shared_api.call("GET", onward)

    rows = [*csv.DictReader(io.StringIO(first.text + second.text.split("\n", 1)[1]))]
    assert sorted(row["ref"] for row in rows) == [_ONE, _TWO, _THREE]
    other = {"filter": "service:mail", "cursor": first.links["next"]["url"][-1]}
    problem(shared_api.call("GET", "/v1/queues/all/incidents", params=other), 400)


@pytest.mark.parametrize("path", ["incidents", "count"])
@pytest.mark.parametrize(
    ("written", "character"),
    [
        ("priority:p1 AND", 16),
        ("a\x00b", 0),
        ("(" * 999, 17),
        ("status:closed OR a", 0),
    ],
)
def test_a_wrong_expression_is_refused_with_its_character(
    shared_api: Api, path: str, written: str, character: int
) -> None:
    asked = {"filter": written}
    no = problem(shared_api.call("GET", f"/v1/queues/all/{path}", params=asked), 422)

    if character:
        assert f"(at character {character})" in str(no["detail"])


@pytest.fixture(scope="module")
def store(postgres_server: PostgresServer) -> Iterator[Store]:
    with stored_policy(postgres_server) as stored:
        yield stored


_MEANING: dict[str, Callable[[QueueRow], object]] = {
    "priority": lambda row: row.priority,
    "level": lambda row: row.level,
    "reporter": lambda row: row.reporter,
    "breached": lambda row: row.breached,
    "reported_by_user": lambda row: row.user_reported,
    "status": lambda row: row.status.value,
}
_VALUES: dict[str, list[Any]] = {
    "priority": ["p1", "p2"],
    "level": ["n1", "n2"],
    "reporter": [None, "lefevre"],
    "breached": [True, False],
    "reported_by_user": [True, False],
    "status": ["new", "resolved"],
}
_terms = st.sampled_from(sorted(_VALUES)).flatmap(
    lambda name: st.lists(
        st.sampled_from(_VALUES[name]), min_size=1, max_size=2, unique=True
    ).map(lambda values: Term(name, tuple(values)))
)
_expressions: st.SearchStrategy[Expression] = st.recursive(
    _terms,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: All(tuple(each))),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: Some(tuple(each))),
    ),
    max_leaves=6,
)


def _means(expression: Expression, row: QueueRow) -> bool:
    match expression:
        case Term(field, values):
            return _MEANING[field](row) in values
        case Not(operand):
            return not _means(operand, row)
        case All(each):
            return all(_means(one, row) for one in each)
        case Some(one_of):
            return any(_means(one, row) for one in one_of)


_QUEUE = [
    Due(
        "toujours",
        june(9),
        priority=priority,
        reporter=reporter,
        breached=breached,
        escalated=breached,
        resolved=resolved,
    )
    for priority in ("p1", "p2")
    for reporter in (None, "lefevre")
    for breached in (True, False)
    for resolved in (True, False)
]


@examples_with_servers(15)
@given(st.data())
def test_any_expression_finds_exactly_the_rows_that_it_means(
    store: Store, data: st.DataObject
) -> None:
    part = Part(None, len(_QUEUE), june(8))
    with queue_of(store, _QUEUE) as (cursor, schema):
        refs = [incident_ref(n) for n in range(1, len(_QUEUE) + 1)]
        rows = load(cursor, schema, refs).values()
        assert {row.status for row in rows} <= IN_STOCK
        for expression in data.draw(st.lists(_expressions, min_size=1, max_size=20)):
            filters = Filters(where=(expression,))
            name = QueueName("all")
            found = page(cursor, schema, name, filters, part).rows
            counted = matching_counts(cursor, schema, name, filters)

            wanted = {row.ref for row in rows if _means(expression, row)}
            assert {row.ref for row in found} == wanted, expression
            assert sum(number for *_, number in counted) == len(wanted)
