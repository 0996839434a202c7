"""Lists and metrics as rows: by the parameter or by what `Accept` likes best."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from services.intake.directory.store import import_people
from standalone.nats import Bus
from tests.integration.intake.signals.mapped_desk import BAD, mapped_desk
from tests.support.builders.june_log import ONE, TWO, June, asked, june
from tests.support.desks.api import Api, problem, serving
from tests.support.servers.servers import Database

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
_COSTA = {"id": "costa", "name": "M. Costa", "phone": "+33475000001"}
_OF_OTHERS = [
    ("/v1/log", "auditor"),
    (f"/v1/incidents/{ONE}/events", "auditor"),
    (f"/v1/incidents/{ONE}/timeline", "agent"),
    ("/v1/people?q=costa", "agent"),
]


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
    with month.log.transaction() as cursor:
        import_people(cursor, [_COSTA], june(2))
    month.log.close()
    for path in (_QUEUE, f"/v1/incidents/{ONE}/timeline"):
        shared_api.get(path, min_position=month.position)
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


@pytest.mark.parametrize("path", _LISTS)
def test_every_list_is_lines_of_json_with_its_items_as_they_are(
    two: Api, path: str
) -> None:
    items = two.get(path)["items"]

    answer = two.call("GET", path, params={"format": "jsonl"})

    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"].endswith('.jsonl"')
    assert [orjson.loads(line) for line in answer.content.splitlines()] == items


@pytest.mark.parametrize(("path", "who"), _OF_OTHERS)
def test_log_timeline_and_people_are_tables_for_whom_may_read_them(
    two: Api, path: str, who: str
) -> None:
    items = two.call("GET", path, who).json()["items"]

    lines = _lines(two.call("GET", path, who, headers={"Accept": "text/csv"}))

    assert len(lines) == len(items) > 0
    assert {name.partition(".")[0] for name in lines[0]} >= {*items[0]}
    problem(two.call("GET", path, "source", headers={"Accept": "text/csv"}), 403)


def test_the_quarantine_of_intake_is_a_table_too(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    with (
        mapped_desk(database) as desk,
        desk.serving() as url,
        serving(database, bus, tmp_path, built=False, intake_url=url) as api,
    ):
        desk.post([BAD, {**BAD, "point": "d8"}])
        page = api.get("/v1/quarantine", limit=1)

        answer = api.call("GET", "/v1/quarantine?limit=1&format=csv")
        rest = api.call("GET", answer.links["next"]["url"])

        (first,), (second,) = _lines(answer), _lines(rest)
        assert [first["id"]] == [str(item["id"]) for item in page["items"]]
        assert (first["source"], first["state"]) == ("demo", "waiting")
        assert second["id"] != first["id"]
        for wrong in ("format=xml", "format=csv&color=red"):
            problem(api.call("GET", f"/v1/quarantine?{wrong}"), 422)
        problem(api.call("GET", "/v1/quarantine?format=csv", None), 401)


_FORWARDED = ["suppressed", "decisions?dedup_key=d7", "sources", "maintenance"]


@pytest.mark.parametrize("path", [*_FORWARDED, "heartbeats"])
def test_every_list_of_intake_is_a_table_too(
    database: Database, bus: Bus, tmp_path: Path, path: str
) -> None:
    with (
        mapped_desk(database) as desk,
        desk.serving() as url,
        serving(database, bus, tmp_path, built=False, intake_url=url) as api,
    ):
        desk.post([BAD])
        items = api.call("GET", f"/v1/{path}").json()["items"]

        by_header = api.call("GET", f"/v1/{path}", headers={"Accept": "text/csv"})
        joint = "&" if "?" in path else "?"
        by_word = api.call("GET", f"/v1/{path}{joint}format=csv")
        wrong = api.call("GET", f"/v1/{path}{joint}format=xml")

        assert len(_lines(by_header)) == len(_lines(by_word)) == len(items)
        assert by_word.text == by_header.text
        assert ("header=present" in by_word.headers["content-type"]) == bool(items)
        problem(wrong, 422)
        problem(api.call("GET", f"/v1/{path}{joint}format=csv", None), 401)


def test_every_list_with_pages_is_documented_as_rows(two: Api) -> None:
    document = two.call("GET", "/openapi.json").json()
    models = document["components"]["schemas"]
    plain = []
    for path, methods in document["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {})
        answer = content.get("content", {}).get("application/json", {})
        name = answer.get("schema", {}).get("$ref", "").rpartition("/")[2]
        fields = models.get(name, {}).get("properties", {})
        paged = "items" in fields and "next_cursor" in fields
        if paged and not {"text/csv", "application/jsonl"} <= {*content["content"]}:
            plain.append(path)

    assert plain == []


def test_the_log_is_read_on_where_its_table_ended(two: Api) -> None:
    whole = two.get("/v1/log", "auditor")["items"]

    answer = two.call("GET", "/v1/log?format=csv&limit=2", "auditor")
    rest = two.call("GET", answer.links["next"]["url"], "auditor")

    read = [line["position"] for line in (*_lines(answer), *_lines(rest))]
    assert read == [str(item["position"]) for item in whole][:4]


def test_no_cell_of_the_log_or_of_a_person_is_a_formula(two: Api) -> None:
    log = _lines(two.call("GET", "/v1/log?format=csv", "auditor"))
    (costa,) = _table(two, "/v1/people", q="costa", format="csv")

    assert any(line["event.title"].startswith("'=cmd") for line in log)
    assert costa["phone"] == "'+33475000001"
    assert not any(value[:1] in {*"=+-@"} for line in log for value in line.values())


def test_a_timeline_as_a_table_says_its_language(two: Api) -> None:
    path = f"/v1/incidents/{ONE}/timeline"
    answer = two.call("GET", path, params={"format": "csv", "lang": "fr"})

    assert answer.headers["Content-Language"] == "fr"
    assert "Accept" in answer.headers["Vary"].split(", ")
    assert "a ouvert l’incident" in answer.text


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
    lines = two.call("GET", _QUEUE, params={"format": "jsonl", "limit": 1, "q": "inc"})
    assert orjson.loads(lines.content)["ref"] == ONE
    assert (
        orjson.loads(two.call("GET", lines.links["next"]["url"]).content)["ref"] == TWO
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/csv, */*;q=0.1", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("text/csv;q=x", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("application/jsonl", "application/jsonl"),
        ("application/x-ndjson, text/csv;q=0.9", "application/jsonl"),
    ],
)
def test_accept_says_what_is_liked_best(two: Api, accept: str, kind: str) -> None:
    answer = two.call("GET", _QUEUE, headers={"Accept": accept})

    assert answer.headers["content-type"].startswith(kind)


def test_a_parameter_wins_over_accept_and_has_three_values(two: Api) -> None:
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
