"""Page after page: no incident is lost or shown twice, whatever happens meanwhile."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events.incident import IncidentClassified, IncidentClosed
from shared.domain.identifiers import incident_ref
from tests.support.desks.api import Api
from tests.support.examples import examples_with_servers
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_ALL = "/v1/queues/all/incidents"


def _fill(api: Api, first: int, count: int) -> int:
    return api.happened(
        *(
            opened(
                incident_ref(number),
                priority=f"p{number % 4 + 1}",
                reported_at=START - timedelta(minutes=number % 3),
            )
            for number in range(first, first + count)
        )
    )


def _pages(api: Api, limit: int, **asked: Any) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        given: dict[str, Any] = {"limit": limit, **asked} | (
            {"cursor": cursor} if cursor else {}
        )
        page = api.get(_ALL, **given)
        pages.append([item["ref"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


@pytest.fixture(scope="module")
def filled(shared_api: Api) -> Api:
    position = _fill(shared_api, 1, 23)
    shared_api.get(_ALL, min_position=position)
    return shared_api


@examples_with_servers(25)
@given(limit=st.integers(1, 24))
def test_pages_of_any_size_make_the_whole(filled: Api, limit: int) -> None:
    whole = _pages(filled, 500)[0]

    pages = _pages(filled, limit)

    assert list(chain.from_iterable(pages)) == whole
    assert all(len(page) == limit for page in pages[:-1])
    assert len(whole) == 23


def test_incidents_that_come_and_go_move_no_other(api: Api) -> None:
    api.get(_ALL, min_position=_fill(api, 1, 12))
    first = api.get(_ALL, limit=5)
    seen = [item["ref"] for item in first["items"]]
    gone, stays = seen[1], {incident_ref(n) for n in range(1, 13)}

    position = api.happened(
        IncidentClosed(at=START, by="person:paul", incident=gone, policy=1),
        opened("INC-000100", priority="p1", reported_at=START - timedelta(days=9)),
        opened("INC-000101", priority="p4", reported_at=START + timedelta(days=9)),
    )
    rest = api.get(_ALL, limit=100, cursor=first["next_cursor"], min_position=position)
    later = [item["ref"] for item in rest["items"]]

    assert set(seen) | set(later) == stays | {"INC-000101"}
    assert not set(seen) & set(later)


def test_an_incident_that_becomes_urgent_behind_us_is_not_shown_again(
    api: Api,
) -> None:
    api.get(_ALL, min_position=_fill(api, 1, 8))
    first = api.get(_ALL, limit=4)
    seen = {item["ref"] for item in first["items"]}
    moved = next(n for n in range(1, 9) if incident_ref(n) not in seen)

    position = api.happened(
        IncidentClassified(
            at=START,
            by="person:paul",
            incident=incident_ref(moved),
            policy=1,
            service="portal",
            impact="high",
            urgency="high",
            priority="p1",
        )
    )
    rest = api.get(_ALL, limit=9, cursor=first["next_cursor"], min_position=position)
    later = {item["ref"] for item in rest["items"]}

    others = {incident_ref(n) for n in range(1, 9)} - {incident_ref(moved)}
    assert others <= seen | later
    assert not seen & later


@pytest.mark.parametrize(
    ("cursor", "sentence"),
    [
        ("nonsense", "not a cursor"),
        ("%00", "not a cursor"),
        ("W10", "not a cursor"),  # []
        ("eyJhIjoxfQ", "not a cursor"),  # {"a":1}
    ],
)
def test_a_made_up_cursor_is_refused(filled: Api, cursor: str, sentence: str) -> None:
    answer = filled.call("GET", f"{_ALL}?cursor={cursor}")

    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (1, "9999-01-01T00:00:00Z"),
        (1, 7),
        (3, 2**63),
        (2, True),
        (2, False),
        (3, True),
        (3, "1"),
        (6, None),
    ],
)
def test_a_cursor_that_was_tampered_with_is_refused(
    filled: Api, place: int, value: object
) -> None:
    parts = orjson.loads(urlsafe_b64decode(f"{_next(filled)}==="))
    parts[place] = value
    cursor = urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")

    answer = filled.call("GET", f"{_ALL}?limit=3&cursor={cursor}")

    assert answer.status_code == 400
    assert "not a cursor" in answer.json()["detail"]


def _next(api: Api) -> str:
    cursor: str = api.get(_ALL, limit=3)["next_cursor"]
    return cursor


def test_a_cursor_of_another_query_is_refused(filled: Api) -> None:
    cursor = filled.get(_ALL, limit=3)["next_cursor"]

    for other in ("priority=p1", "q=fire", "status=new"):
        answer = filled.call("GET", f"{_ALL}?cursor={cursor}&{other}")
        assert answer.status_code == 400
        assert "another query" in answer.json()["detail"]
    elsewhere = f"/v1/queues/unassigned/incidents?cursor={cursor}"
    assert filled.call("GET", elsewhere).status_code == 400


def test_a_cursor_does_not_tell_who_it_is_for(filled: Api) -> None:
    cursor = filled.get(_ALL, limit=3)["next_cursor"]

    mine = "/v1/queues/mine/incidents"
    assert filled.call("GET", f"{mine}?cursor={cursor}").status_code == 400
