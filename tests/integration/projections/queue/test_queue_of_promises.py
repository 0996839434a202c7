"""The queue over HTTP, in the order of what was promised."""

from typing import Any

import pytest

from shared.domain.events.incident import IncidentClassified, IncidentResolved
from tests.support.builders.promise_events import armed, breached, minute, told
from tests.support.desks.api import Api
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_ALL = "/v1/queues/all/incidents"
_ONE, _TWO, _THREE, _FOUR, _FIVE, _SIX, _SEVEN = (
    f"INC-{number:06d}" for number in range(1, 8)
)


def _refs(api: Api, **asked: Any) -> list[str]:
    return [item["ref"] for item in api.get(_ALL, **asked)["items"]]


def _paged(api: Api, **asked: Any) -> list[str]:
    found: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = api.get(_ALL, limit=1, **asked, **cursor)
        found += [item["ref"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest.fixture(scope="module")
def busy(shared_api: Api) -> Api:
    resolved = {"at": START, "by": "person:paul", "policy": 1, "cycle": 1}
    position = shared_api.happened(
        opened(_ONE, priority="p1"),  # no promise at all
        opened(_TWO, priority="p4"),
        armed(_TWO, "tto", 30),
        opened(_THREE, priority="p3"),
        armed(_THREE, "tto", 10),
        armed(_THREE, "ttr", 60),
        opened(_FOUR, priority="p4"),
        armed(_FOUR, "tto", 20),
        breached(_FOUR, "tto", 20),
        opened(_FIVE, priority="p3", reported_at=minute(-5)),
        armed(_FIVE, "ttr", 10),
        opened(_SIX, priority="p3", reporter="lefevre"),
        armed(_SIX, "ttr", 10),
        told("escalation.escalated", _SIX),
        opened(_SEVEN, priority="p1"),
        armed(_SEVEN, "tto", 1),
        breached(_SEVEN, "tto", 1),
        IncidentResolved.model_validate({**resolved, "incident": _SEVEN}),
    )
    shared_api.get(_ALL, min_position=position)
    return shared_api


def test_broken_promises_first_then_the_least_time_left(busy: Api) -> None:
    order = [_FOUR, _SIX, _FIVE, _THREE, _TWO, _ONE, _SEVEN]

    assert _refs(busy) == order
    assert _paged(busy) == order


def test_a_row_shows_what_is_due_and_where_help_was_looked_for(busy: Api) -> None:
    (row,) = busy.get(_ALL, level="n2")["items"]

    assert row["ref"] == _SIX
    assert (row["due_target"], row["breached"]) == ("ttr", False)
    assert row["due_at"] == "2026-03-02T08:10:00Z"
    assert (row["team"], row["user_reported"]) == ("network", True)
    assert "own_team" not in row


def test_a_queue_is_narrowed_to_what_is_broken_or_is_not(busy: Api) -> None:
    assert _paged(busy, breached="true") == [_FOUR, _SEVEN]
    assert _paged(busy, breached="false") == [_SIX, _FIVE, _THREE, _TWO, _ONE]
    assert _refs(busy, breached="true", status="resolved") == [_SEVEN]


def test_what_is_broken_is_counted_while_there_is_work_to_do(busy: Api) -> None:
    assert busy.get(_ALL)["counts"]["breached"] == 1
    assert _refs(busy, priority="p4") == [_FOUR, _TWO]


def test_the_team_at_work_has_it_in_its_queue(busy: Api) -> None:
    items = busy.get("/v1/queues/network/incidents")["items"]

    assert [item["ref"] for item in items] == [_SIX]


def test_a_promise_that_changes_moves_its_incident(api: Api) -> None:
    position = api.happened(
        opened(_ONE),
        armed(_ONE, "ttr", 60),
        opened(_TWO),
        armed(_TWO, "ttr", 30),
        IncidentClassified.model_validate(
            {
                "at": START,
                "by": "person:paul",
                "incident": _ONE,
                "policy": 1,
                "service": "portal",
                "impact": "high",
                "urgency": "high",
                "priority": "p1",
            }
        ),
    )
    assert _refs(api, min_position=position) == [_TWO, _ONE]

    position = api.happened(told("sla.paused", _TWO, target="ttr", paused_at=minute(1)))
    assert _refs(api, min_position=position) == [_ONE, _TWO]
