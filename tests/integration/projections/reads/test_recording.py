"""What is recorded of reads: once in a quarter of an hour, each search and export."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest

from services.projections.reads import middleware, worker
from services.projections.reads.rules import recorded
from shared.messaging.commands import Scope
from shared.security.access import create
from standalone.nats import Bus
from tests.integration.projections.reads.conftest import (
    Made,
    Requests,
    Window,
    Windows,
    windows_of,
)
from tests.support.builders.june_log import ONE, THREE, TWO, June, june
from tests.support.desks.api import Api, problem, serving
from tests.support.patience import until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

_numbers = count(1)


@pytest.fixture(scope="module")
def desk(shared_api: Api, shared_month: June) -> Api:
    for hour, ref in enumerate((ONE, TWO, THREE), 1):
        shared_month.opens(june(2, hour), ref, title=f"Printer {hour} jams")
    return shared_api


def _somebody(api: Api, *scopes: Scope, actor: str | None = None) -> str:
    """Return a new reader, who is named by their actor."""
    who = actor or f"person:reader-{next(_numbers)}"
    with api.log.transaction() as cursor:
        made = create(cursor, datetime.now(UTC), who, scopes or ("agent",))
    api.tokens[who] = made.token
    return who


@pytest.fixture
def one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no quarter of an hour end between the reads of a test."""
    now = datetime.now(UTC)
    monkeypatch.setattr(
        middleware,
        "recorded",
        lambda words, answered, _: recorded(words, answered, now),
    )


@pytest.mark.usefixtures("one_instant")
def test_an_incident_that_is_read_again_is_one_row_with_what_was_served(
    desk: Api, windows: Windows
) -> None:
    who = _somebody(desk)
    for _ in range(3):
        desk.get(f"/v1/incidents/{ONE}", who)
    desk.get(f"/v1/incidents/{ONE}/timeline", who)
    desk.get(f"/v1/incidents/{TWO}", who)

    expected = [Window(ONE, ["record", "timeline"]), Window(TWO, ["record"])]
    until(lambda: windows(who) == expected, lambda: str(windows(who)))


def test_a_token_of_a_service_reads_by_its_name(desk: Api, windows: Windows) -> None:
    who = _somebody(desk, actor="system:dashboard")
    desk.get(f"/v1/incidents/{ONE}", who)

    until(lambda: windows(who) == [Window(ONE, ["record"])], "the row is written")


def test_the_first_page_of_a_list_is_a_list_and_a_later_one_all_its_records(
    desk: Api, windows: Windows
) -> None:
    first, later, long = (_somebody(desk) for _ in range(3))
    path = "/v1/queues/all/incidents"
    page = desk.get(path, first, limit=1)
    desk.get(path, later, limit=1, cursor=page["next_cursor"])
    desk.get(path, long, limit=500)

    lists = [Window("queue:all", ["list"])]
    both = sorted([page["items"][0]["ref"], *(each for each in (ONE, TWO, THREE))])
    until(lambda: len(windows(later)) == 2, lambda: str(windows(later)))
    until(lambda: len(windows(long)) == 4, lambda: str(windows(long)))
    assert windows(first) == lists
    assert {each.record for each in windows(later)} < {*both, "queue:all"}
    assert {each.record for each in windows(long)} == {*both, "queue:all"}


@pytest.mark.parametrize(
    ("path", "given", "served"),
    [
        ("/v1/search", {"q": "printer"}, "search"),
        ("/v1/queues/all/incidents", {"q": "printer"}, "search"),
        ("/v1/queues/all/incidents", {"format": "csv"}, "export"),
        ("/v1/queues/all/incidents", {"format": "jsonl"}, "export"),
        ("/v1/log", {}, "log"),
        ("/v1/log", {"format": "csv"}, "log"),
    ],
)
def test_searches_exports_and_the_log_are_recorded_each_time_before_the_answer(
    desk: Api, requests: Requests, windows: Windows, path: str, given: dict[str, str],
    served: str,
) -> None:  # fmt: skip
    who = _somebody(desk, "agent", "auditor")

    for _ in range(2):
        answer = desk.call("GET", path, who, params=given)
        assert answer.status_code == 200, answer.text

    address = path.replace("/all/", "/{queue}/")
    shown = {each.record for each in windows(who)}  # at once: nothing is waited for
    assert {ONE, TWO, THREE} <= shown <= {ONE, TWO, THREE, "queue:all"}
    assert requests(who) == [Made(served, address, len(shown), None)] * 2


def test_the_words_of_a_search_are_not_kept(desk: Api, requests: Requests) -> None:
    who = _somebody(desk)
    desk.get("/v1/search", who, q="Lefevre")

    assert requests(who) == [Made("search", "/v1/search", 0, None)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/incidents/INC-999999", 404),
        (f"/v1/incidents/{ONE}/events", 403),
        (f"/v1/incidents/{ONE}?unknown=1", 422),
        ("/v1/log", 403),
        ("/v1/search", 422),
    ],
)
def test_what_was_refused_was_not_read(
    desk: Api, windows: Windows, requests: Requests, path: str, status: int
) -> None:
    who = _somebody(desk)
    desk.call("GET", path, who)
    assert desk.call("GET", path, who).status_code == status
    desk.get(f"/v1/incidents/{THREE}", who)

    until(lambda: windows(who) != [], "what was read is written")
    assert windows(who) == [Window(THREE, ["record"])]
    assert requests(who) == []


@pytest.mark.usefixtures("one_instant")
def test_a_page_is_recorded_like_the_answers_that_it_shows(
    desk: Api, windows: Windows
) -> None:
    who = _somebody(desk)
    body = {"token": desk.tokens[who], "device": "test"}
    session = desk.call("POST", "/v1/sessions", None, json=body).json()["session"]
    cookie = {"Cookie": f"permanence={session}"}

    page = desk.call("GET", f"/incidents/{TWO}", None, cookie)

    assert "Printer 2 jams" in page.text
    shown = {"record", "timeline"}
    until(
        lambda: shown <= set(dict(windows(who)).get(TWO, ())), lambda: str(windows(who))
    )


@contextmanager
def _locked(database: Database, table: str) -> Iterator[None]:
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute(f"LOCK TABLE reads.{table}")
        yield


def test_what_cannot_be_recorded_is_not_shown(
    desk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = _somebody(desk)
    monkeypatch.setattr(middleware, "ANSWER_SECONDS", 1)
    with _locked(desk.database, "requests"):
        refused = desk.call("GET", "/v1/search", who, params={"q": "printer"})

    assert "Printer" not in refused.text
    assert problem(refused, 503)["code"]


def test_reads_wait_for_their_rows_only_if_too_many_wait_already(
    desk: Api, windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "WAITING_MAX", 1)
    who = _somebody(desk)
    with _locked(desk.database, "windows"):
        first = desk.call("GET", f"/v1/incidents/{ONE}", who)
        monkeypatch.setattr(middleware, "ANSWER_SECONDS", 1)
        second = desk.call("GET", f"/v1/incidents/{TWO}", who)

    assert (first.status_code, second.status_code) == (200, 503)
    until(lambda: windows(who) == [Window(ONE, ["record"])], "it is written later")


def test_a_process_that_is_stopped_writes_what_waits(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    """Read right before the end: the next batch would be a second later."""
    with serving(database, bus, tmp_path) as api:
        month = June(database)
        month.applied()
        month.opens(june(2), ONE)
        month.log.close()
        api.get(f"/v1/incidents/{ONE}")

    assert windows_of(database, "person:paul") == [Window(ONE, ["record"])]
