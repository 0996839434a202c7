"""The page of metrics: a month in numbers and charts, chosen, compared, downloaded."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import httpx
import orjson
import pytest

from services.projections.api.session_cookie import COOKIE
from tests.support.builders.june_log import HOUR, ONE, THREE, TWO, June, june, promise
from tests.support.desks.api import Api
from tests.support.patience import answered

pytestmark = pytest.mark.servers

JUNE: Mapping[str, str] = {"from": "2025-06-01", "last": "2025-06-30"}


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Iterator[Api]:
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        month.opens(june(2, 8), ONE, service="portal", priority="p1")
        promise(month, ONE, 2, 8)
        month.says(june(2, 12), "incident.resolved", ONE, cycle=1)
        met: dict[str, Any] = {"target": "ttr", "cycle": 1, "elapsed_seconds": 4 * HOUR}
        met |= {"met_at": june(2, 12)}
        month.says(june(2, 12), "sla.met", ONE, **met, seconds=8 * HOUR)
        month.opens(june(5, 8), TWO, service="portal", client="=1+1")
        month.opens(june(25, 8), THREE, service="payroll")
        shared_api.get("/v1/metrics", min_position=month.position, **_ASKED)
        yield shared_api


_ASKED = {"from": "2025-06-01", "to": "2025-07-01"}


def _get(api: Api, path: str, who: str = "manager", **given: str) -> httpx.Response:
    cookie = {"Cookie": f"{COOKIE}={api.tokens[who]}"}
    return answered(
        lambda: api.call("GET", path, who=None, headers=cookie, params=given)
    )


def _page(api: Api, who: str = "manager", **given: str) -> str:
    found = _get(api, "/figures", who, **{**JUNE, **given})
    assert found.status_code == 200, found.text
    return " ".join(found.text.split())


def _row(page: str, label: str) -> list[str]:
    """Return the cells of the first row with a label, in the table of numbers."""
    _, _, numbers = page.partition('<table class="rows numbers">')
    _, _, rest = numbers.partition(f'<th scope="row">{label}</th>')
    return re.findall(r"<td[^>]*>(.*?)</td>", rest.partition("</tr>")[0])


@pytest.mark.parametrize("who", ["agent", "manager", "auditor"])
def test_a_month_is_shown_beside_the_one_before_satisfaction_first(
    desk: Api, who: str
) -> None:
    page = _page(desk, who)

    assert _row(page, "Recorded") == ["3", "", "0", "+3"]
    assert _row(page, "Open at the end") == ["3", "", "0", "+3"]
    assert _row(page, "14–30 d") == ["2", "", "0", "+2"]
    metrics = re.findall(r'id="metric-(\w+)"', page)
    assert metrics[:2] == ["satisfaction", "balance"]
    assert page.index('id="share"') < page.index('class="charts"')


def test_each_number_has_the_definition_of_the_reference_a_click_away(
    desk: Api,
) -> None:
    meaning = desk.get("/v1/metrics", **_ASKED)["definitions"]["reopened"]["meaning"]

    assert f"<p>{meaning}</p></details>" in _page(desk)
    french = _page(desk, lang="fr")
    assert "<p>Réouvertures ÷ résolutions enregistrées dans la période.</p>" in french
    assert "<code>awaiting_closure</code> : parmi" in french


def test_charts_show_the_same_numbers_as_their_tables(desk: Api) -> None:
    page = _page(desk)

    charts = re.findall(r'<svg class="chart" role="img".*?</svg>', page)
    assert len(charts) == 4
    assert "14–30 d 2" in charts[2]
    tables = re.findall(r'<table class="facts">.*?</table>', page)
    assert '<th scope="row">14–30 d</th><td>2</td>' in tables[2]
    assert '<th scope="row">2 Jun</th><td>1</td><td>1</td>' in tables[0]


def test_what_is_chosen_is_kept_in_every_link_of_the_page(desk: Api) -> None:
    page = _page(desk, service="portal", by="priority")

    assert _row(page, "Recorded")[0] == "2"
    assert 'href="/figures?from=2025-06-01&amp;last=2025-06-30&amp;service=portal' in (
        page
    )
    for month in ("from=2025-05-01&amp;last=2025-05-31", "from=2025-07-01"):
        (link,) = re.findall(rf'href="/figures\?({month}[^"]*)"', page)
        assert "service=portal&amp;by=priority" in link
    assert "priority=p1" in page


def test_a_page_in_french_is_downloaded_as_french_spreadsheets_read_it(
    desk: Api,
) -> None:
    table = _get(desk, "/figures/rows", **JUNE, lang="fr").content

    assert table.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig")), delimiter=";"))
    assert {row["from"] for row in rows} <= {
        f"2025-06-{n:02} 00:00:00" for n in range(1, 31)
    }


def test_the_same_is_downloaded_as_rows_without_formulas(desk: Api) -> None:
    given = {**JUNE, "by": "client"}
    table = _get(desk, "/figures/rows", "auditor", **given)
    lines = _get(desk, "/figures/rows", "auditor", **given, format="jsonl")

    assert table.headers["content-type"].startswith("text/csv; header=present")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert "'=1+1" in {row["group"] for row in rows}
    recorded = [row for row in rows if row["metric"] == "balance.recorded"]
    assert recorded[0]["value"] == "3"
    found: list[dict[str, Any]] = [*map(orjson.loads, lines.content.splitlines())]
    assert len(found) == len(rows)
    assert {row["group"] for row in found} >= {"=1+1"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"from": "2025-06-30", "last": "2025-06-01"}, "Le dernier jour est avant"),
        ({"from": "x", "last": "y"}, "Écrivez les deux jours"),
        ({"from": "0001-01-01", "last": "0001-02-01"}, "Choisissez des années"),
        ({"from": "2015-01-01", "last": "2025-01-01"}, "trois ans au plus"),
    ],
)
def test_a_wrong_period_is_said_on_the_page(
    desk: Api, given: dict[str, str], said: str
) -> None:
    page = _get(desk, "/figures", lang="fr", **given)
    rows = _get(desk, "/figures/rows", **given)

    assert (page.status_code, rows.status_code) == (422, 422)
    assert said in page.text


def test_a_choice_that_cannot_be_is_refused(desk: Api) -> None:
    assert _get(desk, "/figures", **JUNE, priority="urgent").status_code == 422
    assert _get(desk, "/figures", **JUNE, client="x" * 1_000).status_code == 422


def test_only_those_who_may_read_metrics_see_the_page(desk: Api) -> None:
    for path in ("/figures", "/figures/rows"):
        assert _get(desk, path, "source").status_code == 403
        assert desk.call("GET", path, who=None).status_code == 401
