"""The load of each team and level: open, oldest, working time committed."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.load import Load, load
from shared.domain.identifiers import incident_ref
from tests.support.builders.due_queue import (
    CALENDARS,
    Due,
    Store,
    queue_of,
    stored_policy,
)
from tests.support.builders.june_log import HOUR, ONE, THREE, TWO, June, june, promise
from tests.support.desks.api import Api
from tests.support.examples import examples_with_servers
from tests.support.servers.servers import PostgresServer
from tests.support.strategies.histories import START

pytestmark = pytest.mark.servers

_MONDAY = june(9)
_DEFINED = {"open", "at_work", "breached", "oldest", "committed_seconds"}


@pytest.fixture(scope="module")
def store(postgres_server: PostgresServer) -> Iterator[Store]:
    with stored_policy(postgres_server) as stored:
        yield stored


def test_a_promise_in_open_hours_commits_no_night_and_no_weekend(store: Store) -> None:
    friday, monday = june(6, 16), june(9, 10)  # Lisbon closes at 17:00Z, opens at 8:00Z

    with queue_of(store, [Due("lisbonne", monday), Due("toujours", monday)]) as queue:
        (desk,) = load(*queue, friday, {})

    around_the_clock = monday - friday
    assert desk.committed_seconds == 3 * HOUR + around_the_clock.total_seconds()


def test_what_is_late_commits_nothing_and_what_waits_what_it_had_left(
    store: Store,
) -> None:
    late = Due("toujours", _MONDAY, breached=True)
    waiting = Due("toujours", _MONDAY, paused_with=HOUR)
    done = Due("toujours", june(30), resolved=True)

    with queue_of(store, [late, waiting, done]) as queue:
        (desk,) = load(*queue, _MONDAY + timedelta(days=1), {})

    assert (desk.open, desk.at_work, desk.breached) == (3, 2, 1)
    assert desk.committed_seconds == HOUR


_dues = st.builds(
    Due,
    calendar=st.sampled_from(CALENDARS),
    due_at=st.integers(-600, 600).map(lambda n: _MONDAY + timedelta(minutes=n * 15)),
    paused_with=st.none() | st.integers(0, HOUR),
    escalated=st.booleans(),
    resolved=st.booleans(),
)


@examples_with_servers(40)
@given(st.lists(_dues, max_size=12))
def test_any_load_is_what_a_count_by_the_definitions_finds(
    store: Store, wanted: list[Due]
) -> None:
    with queue_of(store, wanted) as queue:
        found = load(*queue, _MONDAY, {})

    expected = []
    for team, level, escalated in (("desk", "n1", False), ("network", "n2", True)):
        of = {
            incident_ref(number): each
            for number, each in enumerate(wanted, start=1)
            if each.escalated is escalated
        }
        at_work = {ref: each for ref, each in of.items() if not each.resolved}
        seconds = sum(
            max(each.left(_MONDAY, store.policy), 0)
            if each.paused_with is None
            else each.paused_with
            for each in at_work.values()
        )
        oldest = min(at_work, default=None)
        since = START if oldest else None
        numbers = (len(of), len(at_work), 0, oldest, since, seconds)
        expected += [Load(team, level, *numbers)] if of else []  # type: ignore[arg-type] # levels
    assert found == expected


def test_every_team_and_level_is_shown_and_explained(api: Api, month: June) -> None:
    month.opens(june(2, 8), ONE, team="accueil")
    month.opens(june(2, 9), TWO, team="accueil", reported_at=june(2, 7))
    promise(month, TWO, 3, 9)  # long overdue by now
    month.opens(june(4), THREE, team="causes")

    answer = api.get("/v1/load", min_position=month.position)

    assert [(each["team"], each["level"]) for each in answer["items"]] == [
        ("accueil", "n1"),
        ("causes", "n1"),
        ("editeur", "n3"),
        ("exploitation", "n2"),
    ]
    assert answer["items"][0] == {
        "team": "accueil",
        "level": "n1",
        "open": 2,
        "at_work": 2,
        "breached": 0,
        "oldest": TWO,
        "oldest_reported_at": "2025-06-02T07:00:00Z",
        "committed_seconds": 0,
    }
    assert answer["items"][2]["oldest"] is None
    assert answer["definitions"].keys() == _DEFINED
    table = api.call("GET", "/v1/load", params={"format": "csv"}).text
    lines = list(csv.DictReader(io.StringIO(table)))
    assert [line["oldest"] for line in lines] == [TWO, THREE, "", ""]
