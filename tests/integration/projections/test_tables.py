"""Lists and metrics as CSV: by the parameter or by what `Accept` likes best."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.support.api import Api, problem
from tests.support.june import ONE, TWO, June, asked, june

pytestmark = pytest.mark.servers

_LISTS = [
    "/v1/queues",
    "/v1/load",
    "/v1/queues/all/incidents",
    "/v1/handovers",
    "/v1/service-handovers",
    "/v1/problems",
    "/v1/changes",
    "/v1/solutions",
    "/v1/letters",
]
_QUEUE = "/v1/queues/all/incidents"


def _lines(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def _table(
    api: Api, path: str, headers: Mapping[str, str] | None = None, **given: Any
) -> list[dict[str, str]]:
    return _lines(api.call("GET", path, headers=headers, params=given))


@pytest.fixture(scope="module")
def two(shared_api: Api) -> Api:
    month = June(shared_api.database)
    month.applied()
    month.opens(june(2), ONE, title='=cmd|"calc", "imprimé"\nen feu', priority="p1")
    month.opens(june(2), TWO, title="Plain")
    month.log.close()
    shared_api.get(_QUEUE, min_position=month.position)
    return shared_api


@pytest.mark.parametrize("path", _LISTS)
def test_every_list_is_a_table_with_the_fields_of_its_items(
    two: Api, path: str
) -> None:
    items = two.get(path)["items"]

    answer = two.call("GET", path, params={"format": "csv"})

    assert len(_lines(answer)) == len(items)
    columns = {
        name.partition(".")[0] for name in answer.text.split("\r\n")[0].split(",")
    }
    assert {*columns} >= {*items[0]} if items else columns


def test_words_of_people_are_whole_and_no_formula(two: Api) -> None:
    first, second = _table(two, _QUEUE, format="csv")

    assert first["title"] == '\'=cmd|"calc", "imprimé"\nen feu'
    assert (second["title"], second["breached"], second["due_at"]) == (
        "Plain",
        "false",
        "",
    )


def test_a_table_names_its_next_page(two: Api) -> None:
    answer = two.call("GET", _QUEUE, params={"format": "csv", "limit": 1, "q": "inc"})
    assert [line["ref"] for line in _lines(answer)] == [ONE]

    onward = answer.links["next"]["url"]
    rest = two.call("GET", onward)

    assert [line["ref"] for line in _lines(rest)] == [TWO]
    assert rest.links == {}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/csv, */*;q=0.1", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("text/csv;q=x", "application/json"),
    ],
)
def test_accept_says_what_is_liked_best(two: Api, accept: str, kind: str) -> None:
    answer = two.call("GET", _QUEUE, headers={"Accept": accept})

    assert answer.headers["content-type"].startswith(kind)


def test_a_parameter_wins_over_accept_and_has_two_values(two: Api) -> None:
    liked = {"Accept": "text/csv"}
    answer = two.call("GET", _QUEUE, headers=liked, params={"format": "json"})
    assert answer.json()["items"]

    problem(two.call("GET", _QUEUE, params={"format": "xml"}), 422)


def test_metrics_are_a_line_for_each_number(api: Api, month: June) -> None:
    month.opens(june(2, 8), ONE, service="portal", category="billet")
    month.opens(june(12, 8), TWO, service="payroll", origin="user", reporter="costa")
    given = {"every": "month", "group_by": "service", "within": "8h"}
    found = asked(api, month, **given)
    period = {"from": "2025-06-01", "to": "2025-07-01"}

    lines = _table(api, "/v1/metrics", {"Accept": "text/csv"}, **period, **given)

    whole = {
        line["metric"]: line["value"]
        for line in lines
        if line["group"] == "" and line["from"] == found["from"].replace("Z", "+00:00")
    }
    by_service = {
        line["group"]: line["value"]
        for line in lines
        if line["metric"] == "balance.recorded" and line["group"]
    }
    assert whole["balance.recorded"] == "2"
    assert whole["resolved_within.within.8h.working"] == "0"
    assert whole["reported.by_category.none.user_only"] == "1"
    assert whole["time_to_resolve.working_seconds.p50"] == ""
    assert by_service == {"payroll": "1", "portal": "1"}
