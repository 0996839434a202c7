"""Hand-overs over HTTP, page by page: a page is full of what was asked for."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.builders.june_log import June, june
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

_REFS = [f"INC-{number:06d}" for number in range(1, 6)]
_PART = {"service": "portal", "team": "studies"}
_SERVICE = {
    **_PART,
    "cause": "breaches",
    "breaches": 3,
    "within_days": 30,
    "crossed_at": june(2),
    "counted": (),
}
_KINDS = {
    "handovers": ("handover.", {**_PART, "cycle": 1, "breached_at": june(2)}, {}),
    "service-handovers": ("handover.service_", _SERVICE, {"service": "portal"}),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_what_waits_fills_its_pages_and_the_last_one_says_so(
    api: Api, month: June, kind: str
) -> None:
    prefix, request, about = _KINDS[kind]
    for day, ref in enumerate(_REFS, start=2):
        month.opens(june(day), ref)
        month.says(june(day), f"{prefix}requested", ref, **request)
    for ref in _REFS[2:4]:
        month.says(june(8), f"{prefix}declined", ref, reason="Ours", **about)
    undone = {**about, "problem": "PRB-000002"}
    month.says(june(8), f"{prefix}joined", _REFS[1], **undone)
    month.says(june(9), f"{prefix}reopened", _REFS[1], **undone)
    reached = {"min_position": month.position}

    pages = _pages(api, f"/v1/{kind}", **reached, limit=2)
    everything = _pages(api, f"/v1/{kind}", **reached, limit=5, state="all")

    assert pages == [[_REFS[4], _REFS[1]], [_REFS[0]]]
    assert everything == [_REFS[::-1]]


def test_what_joined_by_itself_waits_until_it_is_confirmed(
    api: Api, month: June
) -> None:
    for day, ref in enumerate(_REFS, start=2):
        month.opens(june(day), ref)
        asked = {**_PART, "cycle": 1, "breached_at": june(2)}
        month.says(june(day), "handover.requested", ref, **asked)
    problem = {"problem": "PRB-000002"}
    by_service = {**problem, "matched": "service", "to_be_confirmed": True}
    by_signature = {**problem, "matched": "signature"}
    unsure, confirmed, sure, undone, _open = _REFS
    month.says(june(8), "handover.joined", unsure, **by_service)
    month.says(june(8), "handover.joined", confirmed, **by_service)
    month.says(june(9), "handover.joined", confirmed, **problem)
    month.says(june(9), "handover.joined", sure, **by_signature)
    month.says(june(9), "handover.joined", undone, **by_signature)
    month.says(june(9), "handover.reopened", undone, **problem, answer_by=june(10))

    found = api.get("/v1/handovers", min_position=month.position, state="all")
    waiting = api.get("/v1/handovers", min_position=month.position)

    shown = {
        item["incident"]: (item["state"], item["matched"], item["to_be_confirmed"])
        for item in found["items"]
    }
    assert shown == {
        unsure: ("joined", "service", True),
        confirmed: ("joined", None, False),
        sure: ("joined", "signature", False),
        undone: ("requested", None, False),
        _open: ("requested", None, False),
    }
    assert [item["incident"] for item in waiting["items"]] == [_open, undone, unsure]


def _pages(api: Api, path: str, **asked: Any) -> Sequence[Sequence[str]]:
    """Return the incidents of each page, up to the one that names no next."""
    found: list[list[str]] = []
    more: dict[str, Any] = {}
    while True:
        page = api.get(path, **asked, **more)
        found.append([item["incident"] for item in page["items"]])
        if page["next_cursor"] is None:
            return found
        more = {"cursor": page["next_cursor"]}
