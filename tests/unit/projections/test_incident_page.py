"""The page of an incident that was opened a moment ago."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from starlette.requests import Request

from services.projections.web.actions import Draft
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.incident.actions import (
    ACTIONS,
    GROUPS,
    Choices,
    group_of,
)
from services.projections.web.incident.endpoints import read
from services.projections.web.incident.views import (
    FOLDED_MIN,
    Folded,
    OfferedForm,
    Refused,
    by_cause,
    by_promise,
    by_repetition,
    changes_since,
    first_recipients,
    folded,
    not_now,
    offered_forms,
    shown_at_once,
)

Line = Mapping[str, Any]
PLACE = "/v1/incidents/INC-000001"


class _Api:
    """An API whose timeline knows the incident from position 7 on."""

    def __init__(self, *, there_is_one: bool) -> None:
        self._there_is_one = there_is_one

    async def get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        waits = asked.get("min_position") == "7"
        if not self._there_is_one or (path.endswith("timeline") and not waits):
            raise ApiError(404, "unknown_incident", "there is no incident INC-000001")
        return {"path": path, "as_of": {"position": 7}, "waited": waits}


def _read(api: object, refused: Refused | None = None) -> tuple[dict[str, Any], ...]:
    client, told = cast("ApiClient", api), {"show": "all"}
    return asyncio.run(read(client, PLACE, {}, told, refused))


def test_it_waits_for_a_timeline_that_has_not_come_to_it() -> None:
    found = _read(_Api(there_is_one=True))

    assert [each["path"] for each in found] == [
        PLACE,
        f"{PLACE}/timeline",
        f"{PLACE}/sla/intervals",
    ]


def test_of_one_that_does_not_exist_it_says_so() -> None:
    with pytest.raises(ApiError, match="there is no incident"):
        _read(_Api(there_is_one=False))


class _Behind(_Api):
    """An API whose timeline does not come to position 7."""

    async def get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        if asked.get("min_position") == "7":
            raise ApiError(503, "behind", "the timeline has not come to 7")
        return {"path": path, "as_of": {"position": 7}, "waited": False}


@pytest.mark.parametrize(
    ("api", "waited"),
    [(_Api(there_is_one=True), True), (_Behind(there_is_one=True), False)],
    ids=["that follows", "that is behind"],
)
def test_after_a_conflict_it_waits_for_a_timeline(api: _Api, *, waited: bool) -> None:
    draft = Draft("", "", "", {}, conflict=True)
    _, timeline, _ = _read(api, Refused(ACTIONS[0], draft, 409))

    assert timeline["waited"] is waited


def _line(version: int, actor: str = "person:amina", kind: str = "noted") -> Line:
    return {
        "position": 100 + version,
        "version": version,
        "actor": actor,
        "kind": f"incident.{kind}",
        "message": None,
    }


def _signals(*versions: int) -> list[Line]:
    return [_line(each, "source:prometheus", "signalled") for each in versions]


def _message(version: int, kind: str, reports: int | None = None) -> Line:
    line = {**_line(version, "system:escalation"), "kind": f"notification.{kind}"}
    return {**line, "message": {"reports": reports, "text": "Amina by mail: sent"}}


def test_what_others_did_since_a_form_was_opened_is_told_newest_first() -> None:
    lines = [_line(4), _line(3, "person:me"), *_signals(2), _line(1)]

    found = changes_since(lines, "1", 4, "person:me")

    assert found is not None
    assert [each["version"] for each in found.lines] == [4, 2]
    assert not found.are_own


@pytest.mark.parametrize(
    ("lines", "are_own"),
    [
        ([_line(3, "person:me"), _line(2, "person:me")], True),
        ([_line(3, "person:me")], False),
        ([_line(3, "person:me"), _line(2)], False),
        ([], False),
    ],
    ids=["all own", "one is not shown", "one of others", "none is shown"],
)
def test_only_what_one_did_oneself_need_not_be_read(
    lines: list[Line], are_own: bool
) -> None:
    found = changes_since(lines, "1", 3, "person:me")

    assert found is not None
    assert found.are_own is are_own


@pytest.mark.parametrize("seen", ["3", "4", "", "-1", "x", "1.5"])
def test_where_nothing_changed_nothing_is_told(seen: str) -> None:
    assert changes_since([_line(3)], seen, 3, "person:me") is None


def test_what_monitoring_says_again_and_again_is_one_line() -> None:
    lines = [_line(9), *_signals(8, 7, 6), _line(5), *_signals(4, 3), _line(2)]

    shown = folded(lines)

    assert shown == [
        lines[0],
        Folded("folded-106", "monitoring", lines[1:4]),
        *lines[4:],
    ]
    assert len(lines[1:4]) == FOLDED_MIN


def test_that_it_is_over_is_not_folded_also_if_monitoring_said_it() -> None:
    over = _line(8, "source:prometheus", "restored")
    lines = [*_signals(13, 12, 11), over, *_signals(7, 6, 5)]

    assert [type(each) for each in folded(lines)] == [Folded, dict, Folded]


def test_a_line_under_which_others_stand_is_not_folded() -> None:
    lines = _signals(8, 7, 6)

    assert folded(lines, apart={107}) == lines


def test_messages_on_their_way_are_one_line_and_one_that_failed_is_not() -> None:
    went = [_message(each, "sent") for each in (8, 7, 6)]
    lines = [_line(9), *went, _message(5, "failed"), _line(4)]

    assert folded(lines) == [
        lines[0],
        Folded("folded-106", "messages", went),
        *lines[4:],
    ]
    assert folded(lines, "messages") == lines


def test_a_message_on_its_way_stands_under_what_it_reports() -> None:
    sent, planned = _message(9, "sent", 104), _message(8, "planned", 104)
    failed, of_another_page = _message(7, "failed", 104), _message(6, "sent", 12)
    lines = [sent, planned, failed, of_another_page, _line(4)]

    assert by_cause(lines) == {104: [sent, planned]}
    assert by_cause(lines, "messages") == {}


def test_what_is_decided_again_and_again_stands_under_the_newest() -> None:
    def nobody_left(position: int, level: str, number: int, cycle: int = 1) -> Line:
        what = {"level": level, "team": "network", "cycle": cycle, "number": number}
        line = {**_line(position), "unreadable": None}
        return {**line, "kind": "escalation.exhausted", "what": what}

    newest, before = nobody_left(9, "n2", 5), nobody_left(7, "n2", 2)
    first, other = nobody_left(6, "n2", 1), nobody_left(5, "n1", 1)
    of_an_acceptance_before = [nobody_left(4, "n2", 2), nobody_left(3, "n2", 1)]
    earlier_cycle = nobody_left(2, "n2", 1, cycle=0)
    unreadable = {**nobody_left(1, "n2", 1), "what": {}, "unreadable": "no key"}
    later = [newest, _line(8), before, first, other]
    lines = [*later, *of_an_acceptance_before, earlier_cycle, unreadable]

    assert by_repetition(lines) == {
        109: [before, first],
        104: of_an_acceptance_before[1:],
    }
    assert by_repetition(lines, "escalations") == {}


@pytest.mark.parametrize(("lines", "at_once"), [(0, 0), (5, 5), (6, 3), (40, 3)])
def test_a_telephone_folds_what_is_older_unless_that_is_next_to_nothing(
    lines: int, at_once: int
) -> None:
    assert shown_at_once([_line(n) for n in range(lines)]) == at_once


def test_the_first_event_is_never_folded_and_a_new_one_joins_the_others() -> None:
    opened = _line(1, "source:prometheus", "opened")
    before, after = [*_signals(4, 3, 2), opened], [*_signals(5, 4, 3, 2), opened]

    folds = [folded(before), folded(after)]

    assert [each[-1] for each in folds] == [opened, opened]
    assert {each[0].id for each in folds if isinstance(each[0], Folded)} == {
        "folded-102"
    }


def test_what_is_for_the_same_purpose_stands_together() -> None:
    order = [group_of(action) for action in ACTIONS]

    assert order == sorted(order)
    assert set(order) == set(range(len(GROUPS) + 1))


def test_a_form_that_was_refused_is_there_even_if_it_would_not_be_offered() -> None:
    """The incident was assigned, and what follows is not known: it is sent again."""
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b""}
    request = Request({**scope, "headers": []})
    incident: dict[str, Any] = {"level": "n1", "assignee": "nadia", "version": 2}
    incident |= {"accepted_by": None, "actions": {"assign"}}
    incident |= {"reporters": (), "signals": {}}
    draft = Draft("", "k-1", "1", {}, "Try again.")
    (mine,) = (each for each in ACTIONS if each.verb == "assign_to_me")
    given = Choices([], {}, "nadia")

    forms = offered_forms(request, incident, given, "UTC", Refused(mine, draft, 503))

    (shown,) = (each for each in forms if each.action.verb == "assign_to_me")
    assert (shown.draft.why, shown.draft.key) == ("Try again.", "k-1")


def test_why_something_is_not_possible_is_said_once_for_all_it_concerns() -> None:
    reopen, desk = "it is resolved: reopen it first", "it is with the desk"
    refused = {"assign": reopen, "resolve": reopen, "accept": desk, "wake": reopen}
    (note,) = (each for each in ACTIONS if each.verb == "note")
    offers = [OfferedForm(note, Draft("", "", "", {}), False, True, False)]

    found = not_now({"refused": {**refused, "note": "no"}}, offers)

    assert found == {desk: ["accept"], reopen: ["assign", "resolve"]}


def test_whom_a_message_does_not_reach_is_shown_before_all_others() -> None:
    def recipient(
        person: str, why_not: str | None = None, last_failure: str | None = None
    ) -> dict[str, str | None]:
        return {"person": person, "why_not": why_not, "last_failure": last_failure}

    reached = [recipient(f"p{n}") for n in range(6)]
    failing = [recipient("x", "no_address"), recipient("y", None, "550")]

    shown = [each["person"] for each in first_recipients([*reached, *failing])]

    assert shown == ["x", "y", "p0", "p1", "p2"]


@pytest.mark.parametrize(
    ("kind", "target", "shown", "stands"),
    [
        ("sla.armed", "ttr", "all", "under"),
        ("sla.resumed", "ttr", "all", "under"),
        ("sla.breached", "ttr", "all", "in the story"),
        ("sla.extension_proposed", "ttr", "all", "in the story"),
        ("sla.armed", "ola_n2", "all", "in the story"),
        ("sla.armed", "ttr", "decisions", "in the story"),
        ("incident.noted", "ttr", "all", "in the story"),
    ],
)
def test_what_the_clock_decides_stands_under_its_promise_if_that_is_drawn(
    kind: str, target: str, shown: str, stands: str
) -> None:
    line = {"kind": kind, "what": {"target": target}}

    found = by_promise([line], {"tto", "ttr"}, shown)

    assert found == ({"ttr": [line]} if stands == "under" else {})
