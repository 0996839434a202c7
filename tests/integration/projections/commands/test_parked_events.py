"""Events that readers could not apply: listed, retried and skipped from a screen."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from itertools import count
from typing import Any

import httpx
import pytest

from services.projections.api.session_cookie import COOKIE
from shared.domain.limits import Limits
from shared.eventlog.append import AppendUnit
from shared.security.access import create
from tests.support.builders.short_events import note
from tests.support.desks.running import Desk
from tests.support.patience import BUSY, until

pytestmark = pytest.mark.servers

OURS = "queue"
OF_INTAKE = "closing"
BOTH = pytest.mark.parametrize("reader", [OURS, OF_INTAKE])
_numbers = count(900_001)


def _unreadable(desk: Desk, *, events: int = 1) -> str:
    """Return a stream whose events nobody can read, once both readers parked them."""
    stream = f"incident-INC-{next(_numbers)}"
    log = desk.log()
    with log.transaction() as cursor:
        versions = range(1, events + 1)
        log.append(cursor, [AppendUnit(tuple(note(stream, each) for each in versions))])
    log.close()
    until(
        lambda: all(
            _parked(desk, reader, stream)["events"] == events
            for reader in (OURS, OF_INTAKE)
        ),
        "both readers have parked it",
    )
    return stream


def _parked(desk: Desk, reader: str, stream: str) -> dict[str, Any]:
    """Return what the API says is parked of a stream; no events if nothing is."""
    whole = desk.get(f"/v1/parked/{reader}/{stream}", "auditor")
    parked: dict[str, Any] | None = whole.json().get("parked")
    return parked or {"events": 0, "position": None}


def _do(
    desk: Desk,
    reader: str,
    stream: str,
    verb: str,
    who: str = "admin",
    **fields: Any,
) -> httpx.Response:
    """Send a command; `key` makes it one that can be repeated."""
    key, retry_on = str(fields.pop("key", "")), fields.pop("retry_on", BUSY)
    path = f"/v1/parked/{reader}/{stream}/{verb}"
    return desk.ask_reader(path, fields, who, key, retry_on)


@pytest.fixture
def limited(desk: Desk) -> Iterator[str]:
    """Yield somebody who administers one client only."""
    log = desk.log()
    with log.transaction() as cursor:
        limits = Limits(clients=frozenset({"acme"}))
        token = create(
            cursor, datetime.now(UTC), "person:ola", ["admin"], limits=limits
        )
    log.close()
    desk.tokens["limited admin"] = token.token
    yield "limited admin"
    del desk.tokens["limited admin"]


@BOTH
def test_a_retry_that_fails_again_is_counted_and_says_why(
    desk: Desk, reader: str
) -> None:
    stream = _unreadable(desk)

    done = _do(desk, reader, stream, "retry").json()

    assert (done["outcome"], done["error"] is None) == ("still_parked", False)
    parked = _parked(desk, reader, stream)
    assert (parked["attempts"], parked["events"]) == (2, 1)
    assert parked["last_attempt_at"] > parked["parked_at"]
    assert "UnknownEvent" in parked["last_error"]
    whole = desk.get(f"/v1/parked/{reader}/{stream}", "auditor").json()
    (asked,) = whole["requests"]
    assert (asked["action"], asked["by"]) == ("retry", "person:root")


@BOTH
def test_a_repeated_skip_skips_one_event_and_one_of_another_key_none(
    desk: Desk, reader: str
) -> None:
    stream = _unreadable(desk, events=3)
    first = _parked(desk, reader, stream)["position"]
    skip: dict[str, Any] = {"position": first, "reason": "Written by a test"}

    done = _do(desk, reader, stream, "skip", key="once", **skip)
    again = _do(desk, reader, stream, "skip", key="once", **skip)
    late = _do(desk, reader, stream, "skip", key="another", **skip)

    assert done.json() == again.json()
    assert (done.json()["outcome"], done.json()["skipped"]) == ("skipped", 1)
    assert late.json()["outcome"] == "still_parked"
    assert f"at {first + 1} now" in late.json()["error"]
    assert _parked(desk, reader, stream)["position"] == first + 1
    assert _parked(desk, reader, stream)["events"] == 2
    (skipped,) = _skipped(desk, stream)
    assert skipped["position"] == first
    assert skipped["skipped_by"] == "person:root"
    assert skipped["reason"] == "Written by a test"


@BOTH
def test_what_was_skipped_to_its_end_is_parked_no_more(desk: Desk, reader: str) -> None:
    stream = _unreadable(desk)
    position = _parked(desk, reader, stream)["position"]

    done = _do(desk, reader, stream, "skip", position=position, reason="A test")

    assert (done.json()["outcome"], done.json()["error"]) == ("skipped", None)
    assert _parked(desk, reader, stream)["events"] == 0
    assert _do(desk, reader, stream, "retry").json()["outcome"] == "nothing_parked"


def _skipped(desk: Desk, stream: str) -> list[dict[str, Any]]:
    items = desk.get("/v1/parked/skipped", "auditor").json()["items"]
    return [each for each in items if each["stream"] == stream]


@BOTH
def test_a_key_of_another_command_is_refused(desk: Desk, reader: str) -> None:
    stream, other = _unreadable(desk), _unreadable(desk)

    first = _do(desk, reader, stream, "retry", key=f"one-{reader}")
    second = _do(desk, reader, other, "retry", key=f"one-{reader}")

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (422, "idempotency_key")


@BOTH
@pytest.mark.parametrize("who", ["agent", "manager", "auditor"])
def test_only_administrators_retry_and_skip(desk: Desk, reader: str, who: str) -> None:
    stream = "incident-INC-900000"

    for verb in ("retry", "skip"):
        skip: dict[str, Any] = {"position": 1, "reason": "Mine"}
        body = skip if verb == "skip" else {}
        assert _do(desk, reader, stream, verb, who, **body).status_code == 403


@BOTH
def test_limits_to_a_client_include_no_parked_event(
    desk: Desk, reader: str, limited: str
) -> None:
    stream = "incident-INC-900000"

    answers = [
        _do(desk, reader, stream, "retry", limited),
        desk.get("/v1/parked", limited),
        desk.get("/v1/parked/skipped", limited),
        desk.get(f"/v1/parked/{reader}/{stream}", limited),
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {
        (403, "limits")
    }


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        {"position": 1},
        {"position": 1, "reason": " "},
        {"position": 0, "reason": "A test"},
        {"reason": "A test"},
        {"position": 1, "reason": "A test", "whole": True},
    ],
)
def test_a_skip_names_its_event_and_its_reason(
    desk: Desk, reader: str, body: dict[str, Any]
) -> None:
    done = _do(desk, reader, "incident-INC-900000", "skip", **body)

    assert done.status_code == 422, done.text
    assert done.json()["detail"]


def test_a_service_that_does_not_run_is_said_and_nothing_is_done(desk: Desk) -> None:
    done = _do(desk, "sla_watcher", "incident-INC-900000", "retry", retry_on=())

    assert (done.status_code, done.json()["code"]) == (503, "owner_away")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/parked/queue/incident-INC-800000", 404),
        ("/v1/parked/nobody/incident-INC-800000", 422),
        ("/v1/parked?reader=nobody", 422),
        ("/v1/parked?cursor=x", 422),
        ("/v1/parked?cursor=1.queue.2", 422),
        ("/v1/parked/skipped?cursor=99999999999999999.queue.1", 200),
        ("/v1/parked/skipped?cursor=1.queue", 422),
        ("/v1/parked?cursor=9999999999999999999.queue", 200),
    ],
)
def test_what_is_not_there_is_said(desk: Desk, path: str, status: int) -> None:
    assert desk.get(path, "auditor").status_code == status


def test_pages_of_the_list_follow_on_and_rows_are_offered(desk: Desk) -> None:
    streams = {_unreadable(desk), _unreadable(desk)}
    seen: list[tuple[int, str]] = []
    found: set[str] = set()

    given: dict[str, Any] = {"limit": 1}
    while given.get("cursor", "") is not None:
        page = desk.get("/v1/parked", "auditor", params=given).json()
        seen += [(each["position"], each["reader"]) for each in page["items"]]
        found |= {each["stream"] for each in page["items"]}
        given["cursor"] = page["next_cursor"]
    rows = desk.get("/v1/parked?format=csv&reader=closing", "auditor").text

    assert seen == sorted(set(seen))
    assert streams <= found
    listed = list(csv.DictReader(io.StringIO(rows)))
    assert streams <= {each["stream"] for each in listed}
    assert {each["service"] for each in listed} == {"intake"}


def test_skipped_events_are_paged_from_the_newest(desk: Desk) -> None:
    stream = _unreadable(desk, events=2)
    first = _parked(desk, OURS, stream)["position"]
    for position in (first, first + 1):
        _do(desk, OURS, stream, "skip", position=position, reason="A test")

    newest = desk.get("/v1/parked/skipped?limit=1", "auditor").json()
    onward = {"limit": 1, "cursor": newest["next_cursor"]}
    then = desk.get("/v1/parked/skipped", "auditor", params=onward).json()
    lines = desk.get("/v1/parked/skipped?format=jsonl", "auditor").text

    assert [each["position"] for each in newest["items"]] == [first + 1]
    assert [each["position"] for each in then["items"]] == [first]
    assert len(lines.splitlines()) >= 2


def _page(desk: Desk, path: str, who: str = "admin") -> str:
    cookie = {"Cookie": f"{COOKIE}={desk.tokens[who]}"}
    answer = desk.get(path, None, headers=cookie)
    assert answer.status_code == 200, answer.text
    return answer.text


def _listed(desk: Desk, path: str, who: str = "admin") -> str:
    """Return all pages of a list, one after the other: other tests park events, too."""
    pages: list[str] = []
    onward: str | None = path
    while onward is not None:
        pages.append(_page(desk, onward, who))
        found = re.search(r'class="next"><a href="([^"]+)"', pages[-1])
        onward = found and unescape(found[1])
    return "".join(pages)


@BOTH
def test_the_screen_lists_retries_and_skips(desk: Desk, reader: str) -> None:
    stream = _unreadable(desk)
    place = f"/parked/{reader}/{stream}"
    position = str(_parked(desk, reader, stream)["position"])

    assert f'href="{place}"' in _listed(desk, "/parked")
    assert f'href="{place}"' in _listed(desk, f"/parked?reader={reader}", "agent")
    assert f'href="{place}"' not in _listed(desk, "/parked?reader=sla_watcher")
    again = desk.send_form(f"{place}/actions/retry", "admin")
    assert "It still cannot be applied: the reason is shown." in again.text
    skip = f"{place}/actions/skip_event"
    wordless = desk.send_form(skip, "admin", position=position)
    assert wordless.status_code == 422
    done = desk.send_form(skip, "admin", position=position, reason="Not ours")
    assert "The event was skipped." in done.text
    assert "Nothing of this stream is parked any more." in done.text
    assert "Not ours" in _page(desk, "/parked?state=skipped", "auditor")
    assert desk.send_form(f"{place}/actions/forget", "admin").status_code == 404


def test_an_auditor_sees_the_events_and_no_form(desk: Desk) -> None:
    place = f"/parked/{OURS}/{_unreadable(desk)}"

    seen = _page(desk, place, "auditor")

    assert "UnknownEvent" in seen
    assert "/actions/" not in seen
    assert desk.send_form(f"{place}/actions/retry", "auditor").status_code == 403


def test_operations_lead_to_their_first_screen(desk: Desk) -> None:
    assert 'href="/parked"' in _page(desk, "/operations", "agent")
