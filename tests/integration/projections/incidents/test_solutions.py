"""Solution notes for the desk: by service and words, and how often each was used."""

from contextlib import closing
from typing import Any

import pytest

from tests.support.builders.june_log import ONE, THREE, TWO, June, june
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

_FOUR, _FIVE = "INC-000004", "INC-000005"
_PRB = "PRB-000001"


def _notes(month: June, ref: str, day: int, note: str, service: str = "vpn") -> None:
    fields = {"by": "person:amina", "whose": "person:amina", "service": service}
    month.says(june(day), "incident.solution_noted", ref, note=note, **fields)


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        for hour, ref in enumerate((ONE, TWO, THREE, _FOUR, _FIVE), 1):
            month.opens(june(2, hour), ref, service="vpn")
        month.says(june(3), "incident.resolved", ONE, cycle=1, level="n2")
        _notes(month, ONE, 4, "Call the provider")
        _notes(month, ONE, 5, "Restart the tunnel from the console, 100%")
        _notes(month, TWO, 6, "Renew the certificate")
        _notes(month, THREE, 7, "Restart the proxy", service="web")
        month.says(june(8), "incident.resolved", _FOUR, cycle=1, solution=ONE)
        month.says(june(9), "incident.resolved", TWO, cycle=1)
        month.says(june(9), "incident.resolved", THREE, cycle=1, by="source:zabbix")
        asks = {"cycle": 1, "level": "n3", "asks_for_solution": True}
        month.says(june(9), "incident.resolved", _FIVE, **asks)
        about = {"title": "VPN", "service": "vpn", "team": "causes"}
        month.says(
            june(9),
            "problem.identified",
            _PRB,
            **about,
            origin="incident",
            incident=ONE,
        )
        month.says(june(9), "problem.incident_linked", _PRB, incident=_FOUR)
        for path in ("/v1/solutions", "/v1/queues/all/incidents"):
            shared_api.get(path, min_position=month.position)
    return shared_api


def _listed(api: Api, **asked: Any) -> list[str]:
    asked |= {"min_position": api.log.head().position}
    return [each["incident"] for each in api.get("/v1/solutions", **asked)["items"]]


def test_notes_are_listed_by_service_and_by_words_in_any_order(
    desk: Api,
) -> None:
    assert _listed(desk) == [THREE, TWO, ONE]
    assert _listed(desk, service="vpn") == [TWO, ONE]
    assert _listed(desk, q="restart") == [THREE, ONE]
    assert _listed(desk, q="CONSOLE restart 100%") == [ONE]
    assert _listed(desk, q="provider") == []  # another note has replaced it
    assert _listed(desk, q=TWO) == [TWO]


def test_a_page_of_notes_goes_on_where_the_one_before_ended(
    desk: Api,
) -> None:
    found: list[str] = []
    head = desk.log.head().position
    asked: dict[str, Any] = {"limit": 1, "q": "restart", "min_position": head}
    while True:
        page = desk.get("/v1/solutions", **asked)
        found += [each["incident"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]

    assert found == [THREE, ONE]


def test_a_note_tells_whose_it_is_and_how_often_it_was_used(
    desk: Api,
) -> None:
    (note,) = desk.get(
        "/v1/solutions", q="tunnel", min_position=desk.log.head().position
    )["items"]

    assert note == {
        "incident": ONE,
        "service": "vpn",
        "note": "Restart the tunnel from the console, 100%",
        "by": "person:amina",
        "noted_at": "2025-06-05T00:00:00Z",
        "used": 1,
        "last_used_at": "2025-06-08T00:00:00Z",
    }


def test_what_notes_spare_the_levels_above_is_counted(desk: Api) -> None:
    june_of = {"from": "2025-06-01", "to": "2025-07-01"}

    assert desk.get("/v1/metrics", **june_of)["figures"]["solutions"] == {
        "noted": 4,
        "above_n1": 2,
        "at_n1": 2,
        "at_n1_by_note": 1,
        "share": 0.5,
    }


def test_a_problem_shows_the_notes_of_its_incidents(desk: Api) -> None:
    found = desk.get(f"/v1/problems/{_PRB}")

    assert [each["incident"] for each in found["solutions"]] == [ONE]
    assert desk.get("/v1/problems")["items"][0]["solutions"] == found["solutions"]


def test_an_incident_shows_its_note_or_that_one_is_asked_for(desk: Api) -> None:
    one, five = (desk.get(f"/v1/incidents/{ref}") for ref in (ONE, _FIVE))

    assert one["solution"] == "Restart the tunnel from the console, 100%"
    assert not one["asks_for_solution"]
    assert (five["solution"], five["asks_for_solution"]) == (None, True)
