"""Queues over HTTP: order, filters, counts, one's own write."""

from datetime import timedelta
from typing import Any

import pytest

from services.projections.api.session_cookie import COOKIE
from shared.domain import events
from shared.messaging.commands import Scope
from shared.security.access import create
from tests.support.builders.june_log import June, june
from tests.support.desks.api import Api, problem
from tests.support.policies import full_text
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_ONE, _TWO, _THREE, _FOUR = "INC-000001", "INC-000002", "INC-000003", "INC-000004"
_RECOVERY = "recovery: {restores: always, resolves: unreported}"
_DUE = {
    "target": "ttr",
    "cycle": 1,
    "contract": "ville",
    "candidates": ("ville",),
    "calendar": "toujours",
    "seconds": 3_600,
    "started_at": june(4),
    "due_at": june(5),
}


def _acknowledged(ref: str) -> events.IncidentEvent:
    return events.IncidentAcknowledged(
        at=START, by="person:paul", incident=ref, policy=1
    )


def _given_to(ref: str, person: str, team: str = "desk") -> events.IncidentEvent:
    return events.IncidentAssigned(
        at=START, by="person:paul", incident=ref, policy=1, team=team, assignee=person
    )


def _resolved(ref: str) -> events.IncidentEvent:
    return events.IncidentResolved(
        at=START, by="person:paul", incident=ref, policy=1, cycle=1
    )


def _closed(ref: str, minutes: int) -> events.IncidentEvent:
    at = START + timedelta(minutes=minutes)
    return events.IncidentClosed(at=at, by="person:paul", incident=ref, policy=1)


def _refs(api: Api, queue: str, position: int, **filters: Any) -> list[str]:
    page = api.get(f"/v1/queues/{queue}/incidents", min_position=position, **filters)
    return [item["ref"] for item in page["items"]]


def test_an_incident_is_in_the_queue_as_soon_as_its_position_is_known(api: Api) -> None:
    position = api.happened(opened(_ONE))

    page = api.get("/v1/queues/all/incidents", min_position=position)

    assert [item["ref"] for item in page["items"]] == [_ONE]
    assert page["items"][0]["title"] == "Printer on fire"
    assert page["counts"] == {
        "open": 1,
        "breached": 0,
        "status": {"new": 1},
        "priority": {"p3": 1},
    }
    assert page["as_of"]["position"] == position
    assert page["next_cursor"] is None


def test_the_most_urgent_stands_first_and_what_awaits_closure_last(api: Api) -> None:
    earlier = START - timedelta(hours=1)
    position = api.happened(
        opened(_ONE, priority="p1"),
        _resolved(_ONE),
        opened(_TWO, priority="p3"),
        opened(_THREE, priority="p2"),
        opened(_FOUR, priority="p2", reported_at=earlier),
    )

    assert _refs(api, "all", position) == [_FOUR, _THREE, _TWO, _ONE]


def test_a_reader_or_the_policy_says_in_which_order_and_pages_go_on_in_it(
    api: Api, month: June
) -> None:
    month.opens(june(2), _ONE, priority="p2", reported_at=june(1))
    month.opens(june(3), _TWO, priority="p1")
    month.opens(june(4), _THREE, priority="p3")
    month.says(june(4), "sla.armed", _THREE, **_DUE)
    position = month.position

    assert _refs(api, "all", position) == [_THREE, _TWO, _ONE]
    assert _refs(api, "all", position, order="priority") == [_TWO, _ONE, _THREE]
    assert _refs(api, "all", position, order="reported_at") == [_ONE, _TWO, _THREE]
    first = api.get("/v1/queues/all/incidents", limit=1)["next_cursor"]
    month.applied(full_text((_RECOVERY, f"{_RECOVERY}\n  queue_order: priority")))
    assert _refs(api, "all", position) == [_TWO, _ONE, _THREE]
    assert _refs(api, "all", position, cursor=first) == [_TWO, _ONE]


def test_what_ended_is_in_no_other_order(shared_api: Api) -> None:
    asked = {"status": "closed", "order": "priority"}
    no = problem(shared_api.call("GET", "/v1/queues/all/incidents", params=asked), 422)

    assert "newest first" in str(no["detail"])


def test_a_queue_is_of_all_of_one_team_of_nobody_or_ones_own(api: Api) -> None:
    position = api.happened(
        opened(_ONE),
        opened(_TWO, team="network"),
        _given_to(_ONE, "paul"),
        opened(_THREE),
        _given_to(_THREE, "nadia"),
    )

    assert _refs(api, "mine", position) == [_ONE]
    assert _refs(api, "unassigned", position) == [_TWO]
    assert _refs(api, "network", position) == [_TWO]
    assert _refs(api, "desk", position) == [_ONE, _THREE]


def test_filters_narrow_and_can_be_joined(api: Api) -> None:
    position = api.happened(
        opened(_ONE, service="payroll", client="valmont", reporter="lefevre"),
        opened(_TWO, service="payroll", priority="p1"),
        opened(_THREE, priority="p1", title="100 % of /var used"),
        _acknowledged(_THREE),
    )

    assert _refs(api, "all", position, service="payroll") == [_TWO, _ONE]
    assert _refs(api, "all", position, client="valmont") == [_ONE]
    assert _refs(api, "all", position, reporter="lefevre") == [_ONE]
    assert _refs(api, "all", position, priority="p1", service="payroll") == [_TWO]
    assert _refs(api, "all", position, status=["new", "paused"]) == [_TWO, _ONE]
    assert _refs(api, "all", position, status="acknowledged") == [_THREE]
    assert _refs(api, "all", position, assignee="paul") == []


def test_ended_incidents_are_apart_newest_first_and_not_counted(api: Api) -> None:
    position = api.happened(
        opened(_ONE),
        opened(_TWO),
        _closed(_ONE, minutes=1),
        _closed(_TWO, minutes=2),
        opened(_THREE),
    )

    page = api.get("/v1/queues/all/incidents", min_position=position, status="closed")

    assert [item["ref"] for item in page["items"]] == [_TWO, _ONE]
    assert page["counts"]["open"] == 1
    assert _refs(api, "all", position) == [_THREE]


def test_counts_follow_an_incident_through_its_life(api: Api) -> None:
    position = api.happened(
        opened(_ONE), _acknowledged(_ONE), _given_to(_ONE, "paul", "network")
    )
    queues = api.get("/v1/queues", min_position=position)
    counts = {queue["queue"]: queue["counts"] for queue in queues["items"]}

    one = {
        "open": 1,
        "breached": 0,
        "status": {"acknowledged": 1},
        "priority": {"p3": 1},
    }
    assert counts["all"] == counts["mine"] == counts["network"] == one
    assert counts["unassigned"]["open"] == 0
    assert "desk" not in counts  # it holds nothing, and no policy names it


def test_waiting_for_what_never_comes_ends_with_a_503(api: Api) -> None:
    answer = api.call("GET", "/v1/queues/all/incidents?min_position=7")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["code"] == "behind"


def test_the_people_of_a_team_see_who_of_it_has_how_much_and_nobody_else(
    api: Api, month: June
) -> None:
    _has_token(api, "odette", "agent")
    _has_token(api, "ghislaine", "manager")
    for day, (ref, person) in enumerate(
        [(_ONE, "wim"), (_TWO, "odette"), (_THREE, "wim"), (_FOUR, "wim")], 2
    ):
        month.opens(june(day), ref)
        month.says(june(day), "incident.assigned", ref, team="accueil", assignee=person)
    month.says(june(9), "incident.resolved", _FOUR, cycle=1)
    month.says(june(10), "incident.closed", _FOUR)
    path = "/v1/queues/accueil/assignees"

    for who in ("odette", "ghislaine"):
        items = api.get(path, who, min_position=month.position)["items"]
        page = api.call(
            "GET", "/?queue=accueil", None, {"Cookie": f"{COOKIE}={api.tokens[who]}"}
        )

        assert items == [{"person": "odette", "open": 1}, {"person": "wim", "open": 2}]
        assert 'id="assignees"' in page.text
    for who in ("agent", "manager", "auditor", "admin", "source"):
        problem(api.call("GET", path, who), 403)
    for queue in ("all", "unassigned", "mine", "exploitation", "unknown"):
        problem(api.call("GET", f"/v1/queues/{queue}/assignees", "odette"), 403)


def _has_token(api: Api, person: str, scope: Scope) -> None:
    with api.log.transaction() as cursor:
        made = create(cursor, june(1), f"person:{person}", [scope])
    api.tokens[person] = made.token
