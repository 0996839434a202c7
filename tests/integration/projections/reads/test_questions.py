"""Auditors ask who read what: with a reason, and the question is recorded first."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest

from services.projections.web.csrf import token_for
from shared.reads import Read, Request, note, note_request
from shared.vault.vault import forget
from tests.integration.projections.reads.conftest import Made, Requests
from tests.support.desks.api import Api, problem

pytestmark = pytest.mark.servers

PATH = "/v1/audit/reads"
REF = "INC-000777"
AT = datetime(2025, 6, 2, 9, 7, tzinfo=UTC)
PERIOD = {"from": "2025-06-01", "to": "2025-07-01"}
WHY = {"reason": "A complaint of 3 June"}
READERS = ("person:nadia", "person:odette", "system:dashboard")


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    """Give an API at whose desk three have read, one of them a lot."""
    hour = timedelta(hours=1)
    reads = [
        *(Read(who, REF, "record", AT) for who in READERS),
        Read("person:nadia", REF, "timeline", AT + timedelta(minutes=5)),
        *(Read("person:nadia", REF, "record", AT + n * hour) for n in range(1, 4)),
        Read("person:nadia", "INC-000778", "file", AT + 40 * hour),
    ]
    with shared_api.log.transaction() as cursor:
        note(cursor, reads)
        made = Request("person:nadia", "search", "/v1/search", [REF], AT + 5 * hour)
        note_request(cursor, made)
    return shared_api


@pytest.fixture(autouse=True)
def _no_questions(desk: Api) -> Iterator[None]:
    yield
    with psycopg.connect(desk.database.owner_dsn) as owner:
        owner.execute("DELETE FROM reads.requests WHERE served = 'question'")


def _ask(api: Api, body: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = api.call("POST", PATH, "auditor", json=body | WHY, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_who_read_an_incident_is_answered_and_the_question_is_recorded(
    desk: Api, requests: Requests
) -> None:
    found = _ask(desk, {"record": REF, **PERIOD})["items"]

    first = [each for each in found if each["at"].startswith("2025-06-02T09:00")]
    assert {each["reader"] for each in first} == set(READERS)
    assert {tuple(each["served"]) for each in found} == {
        ("record",), ("record", "timeline"), ("search",),
    }  # fmt: skip
    assert [each["at"] for each in found] == sorted(
        (each["at"] for each in found), reverse=True
    )
    assert requests("person:ida") == [Made("question", None, 0, WHY["reason"])]


def test_what_somebody_read_in_a_period(desk: Api) -> None:
    found = _ask(desk, {"reader": "person:nadia", **PERIOD})["items"]
    shorter = {"from": "2025-06-02T10:30:00Z", "to": "2025-06-02T12:00:00Z"}
    part = _ask(desk, {"reader": "person:nadia", **shorter})["items"]

    assert [each["record"] for each in found].count(REF) == 5
    assert "INC-000778" in {each["record"] for each in found}
    searched = next(each for each in found if each["address"])
    assert (searched["record"], searched["records"]) == (None, 1)
    assert {each["at"][11:16] for each in part} == {"11:00"}


def test_who_asked_is_part_of_the_answer(desk: Api) -> None:
    whole = {"from": "2025-06-01", "to": "2100-01-01"}
    _ask(desk, {"record": REF, **whole})
    asked = _ask(desk, {"record": REF, **whole})["items"][0]
    of_ida = _ask(desk, {"reader": "person:ida", **whole})["items"]

    assert (asked["reader"], asked["reason"]) == ("person:ida", WHY["reason"])
    assert asked["served"] == ["question"]
    assert {each["record"] for each in of_ida} == {REF, "person:ida"}


def test_the_same_question_is_recorded_once_so_that_it_is_read_page_by_page(
    desk: Api, requests: Requests
) -> None:
    asked = {"record": REF, **PERIOD}
    whole = _ask(desk, asked)["items"]
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = _ask(desk, asked, limit=2, **cursor)
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert paged == whole
    assert len(requests("person:ida")) == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"record": REF}, "reason"),
        ({"record": REF, "reason": ""}, "reason"),
        ({"record": REF, "reason": " \u200b "}, "reason"),
        ({"record": REF, "reason": "x" * 1_001}, "reason"),
        (WHY, "record"),
        ({"reader": "person:nadia", **WHY}, "from"),
        ({"reader": "person:nadia", "from": "2025-06-01", **WHY}, "from"),
        ({"record": "a\u0000b", **WHY}, "record"),
        ({"record": REF, "unknown": 1, **WHY}, "unknown"),
        ({"record": REF, "from": "2025-07-01", "to": "2025-06-01", **WHY}, "to"),
    ],
)
def test_a_question_without_a_reason_or_an_object_is_refused_and_unanswered(
    desk: Api, requests: Requests, body: dict[str, Any], named: str
) -> None:
    refused = problem(desk.call("POST", PATH, "auditor", json=body), 422)

    assert any(named in str(each) for each in refused["errors"])  # type: ignore[attr-defined] # a list
    assert requests("person:ida") == []


@pytest.mark.parametrize(
    "cursor", ["x", "bnVsbA", "WyIxIiwgMV0", "WzEsMl0", "%00", "a" * 900]
)
def test_a_cursor_that_we_did_not_give_is_refused(desk: Api, cursor: str) -> None:
    answer = desk.call(
        "POST", PATH, "auditor", json={"record": REF} | WHY, params={"cursor": cursor}
    )

    assert problem(answer, 422)


def test_the_answer_as_rows(desk: Api) -> None:
    asked = {"record": REF, **PERIOD, **WHY}
    table = desk.call("POST", PATH, "auditor", json=asked, params={"format": "csv"})
    lines = desk.call(
        "POST", PATH, "auditor", {"Accept": "application/jsonl"}, json=asked
    )

    rows = list(csv.DictReader(io.StringIO(table.text)))
    items = [orjson.loads(each) for each in lines.text.splitlines()]
    assert [each["reader"] for each in rows] == [each["reader"] for each in items]
    assert len(rows) == 7


def _page(api: Api, who: str, form: dict[str, str] | None) -> tuple[int, str]:
    body = {"token": api.tokens[who], "device": "test"}
    session = api.call("POST", "/v1/sessions", None, json=body).json()["session"]
    cookie = {"Cookie": f"permanence={session}"}
    if form is None:
        answer = api.call("GET", "/audit/reads", None, cookie)
    else:
        given = {"csrf": token_for(session)} | form
        answer = api.call("POST", "/audit/reads", None, cookie, data=given)
    return answer.status_code, answer.text


def test_the_page_asks_with_a_reason_and_shows_the_answer(
    desk: Api, requests: Requests
) -> None:
    assert _page(desk, "auditor", None)[0] == 200
    period = {"from": "2025-06-01T00:00", "to": "2025-07-01T00:00"}
    status, text = _page(
        desk, "auditor", {"record": "777", "reader": "nadia", **period, **WHY}
    )

    assert status == 200, text
    assert len(re.findall(r"<td>\s*<time", text)) == 5
    assert "odette" not in text
    assert requests("person:ida") == [Made("question", None, 0, WHY["reason"])]


def test_the_page_gives_a_table_and_says_what_is_wrong(desk: Api) -> None:
    _, table = _page(desk, "auditor", {"record": REF, "format": "csv", **WHY})
    status, text = _page(desk, "auditor", {"reader": "nadia", **WHY})
    forged = _page(desk, "auditor", {"record": REF, "csrf": "0" * 64, **WHY})

    assert table.startswith("at,reader,record")
    assert status == 422
    assert 'role="alert"' in text
    assert forged[0] == 403
    assert "odette" not in forged[1]


@pytest.mark.parametrize("who", ["agent", "manager", "admin"])
def test_only_auditors_ask(desk: Api, requests: Requests, who: str) -> None:
    body = {"record": REF, **WHY}
    assert problem(desk.call("POST", PATH, who, json=body), 403)["code"] == "scope"
    assert [_page(desk, who, each)[0] for each in (None, body)] == [403, 403]
    actor = {"agent": "paul", "manager": "sylvie", "admin": "root"}[who]
    assert requests(f"person:{actor}") == []


def test_that_a_reader_is_forgotten_does_not_hide_what_they_read(desk: Api) -> None:
    desk.log.vault.prepare("person:odette")
    with psycopg.connect(desk.database.dsn("desk_admin")) as admin:
        assert forget(admin.cursor(), "person:odette", "by letter", datetime.now(UTC))

    found = _ask(desk, {"record": REF, **PERIOD})["items"]

    assert "person:odette" in {each["reader"] for each in found}
