"""Which events a page is read again for: none that could change it is left out."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from services.projections.web.feed import (
    ALL,
    ANYWHERE,
    MOVING,
    STILL,
    UNSEEN,
    linked,
    of_all,
    of_queue,
    of_records,
)
from shared.domain.events import EVENT_TYPES
from shared.eventlog.entry import Entry
from tests.support.strategies.histories import histories, numbered, opened

_SHOWN_ONLY = ("version", "position", "updated_at", "repeats")
"""Fields of a row by which no queue filters, sorts or counts."""


@given(histories())
def test_what_moves_no_row_changes_nothing_by_which_queues_filter_sort_or_count(
    log: list[Entry],
) -> None:
    rows: dict[str, QueueRow] = {}
    for entry in log:
        ref = entry.stream.removeprefix("incident-")
        before = rows.get(ref)
        after = project(before, entry)
        assert after
        rows[ref] = after
        if before is not None and entry.type not in MOVING:
            kept = {name: getattr(before, name) for name in _SHOWN_ONLY}
            assert replace(after, **kept) == before, entry.type
        if before is not None and entry.type in UNSEEN:
            assert after == before


@pytest.mark.parametrize("type_", sorted(UNSEEN))
def test_what_is_unseen_changes_no_row(type_: str) -> None:
    first, *_ = numbered([opened("INC-000001")])
    row = project(None, first)
    given: dict[str, Any] = {"target": "ttr", "cycle": 1, "by": "system:test"}
    event: Any = EVENT_TYPES[type_].model_construct(**given)
    stream = f"{type_.partition('.')[0]}-INC-000001"
    entry = Entry(2, stream, 1, type_, first.recorded_at, None, event)

    assert project(row, entry) == row


def test_every_type_about_incidents_is_said_to_move_a_row_or_not() -> None:
    assert EVENT_TYPES.keys() >= STILL | UNSEEN
    assert not MOVING & (STILL | UNSEEN)
    assert "policy.applied" in ANYWHERE
    assert "person.role_withdrawn" in ANYWHERE


def test_a_page_of_records_follows_them_and_what_they_are_linked_to() -> None:
    incident = {
        "ref": "INC-000001",
        "merged_into": None,
        "links": [{"target": "PRB-000001"}, {"target": "INC-000002"}],
    }

    feed = of_records(7, linked(incident))

    assert (feed.after, feed.follows) == (7, "INC-000001 INC-000002 PRB-000001")


@pytest.mark.parametrize(
    ("asked", "team", "within"),
    [
        ([], None, []),
        ([], "team-1", [["team", ["team-1"]]]),
        (
            [("service", "web"), ("service", "mail"), ("priority", "")],
            None,
            [["service", ["web", "mail"]]],
        ),
        ([("service", "web"), ("filter", "client:ours")], None, []),
        ([("filter", "client:ours")], "team-1", [["team", ["team-1"]]]),
    ],
)
def test_a_queue_says_what_its_incidents_have_where_that_is_simple(
    asked: list[tuple[str, str]], team: str | None, within: list[object]
) -> None:
    assert json.loads(of_queue(1, asked, team).within) == within


@pytest.mark.parametrize("asked", [[("q", "disk")], [("filter", "disk OR team:a")]])
def test_what_is_said_may_bring_an_incident_into_a_queue_of_words(
    asked: list[tuple[str, str]],
) -> None:
    assert "incident.noted" in of_queue(1, asked, None).moves.split()
    assert "incident.noted" not in of_queue(1, [], None).moves.split()


def test_each_page_hears_of_all_types_for_the_other_tabs() -> None:
    feeds = (of_all(1), of_queue(1, [], None), of_records(1, ["INC-000001"]))

    assert {feed.types for feed in feeds} == {ALL}
