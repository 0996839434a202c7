"""Requests that are not what they seem, at the doors that speak HTTP: they were held.

Both doors run with the real parser and the real database, each attack in its own bytes.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import psycopg
import pytest

from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import BUSY, SECONDS, answered, posted, until
from tests.support.servers.webhook_receiver import open_postbox
from tests.support.strategies.requests import described

pytestmark = pytest.mark.servers

DOORS: Mapping[str, Callable[[Desk], str]] = {
    "intake": lambda desk: desk.intake_url,
    "api": lambda desk: desk.api_url,
}
SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
SIGNAL = {"action": "trigger", "title": "The portal is down", "service": "web"}
REFUSED = -1
every_door = pytest.mark.parametrize("door", DOORS)

TWO_WAYS = [
    b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    b"Content-Length: 0, 44\r\n\r\n",
    b"Content-Length: +0\r\n\r\n",
    b"Content-Length: -1\r\n\r\n",
    b"Content-Length: 0x0\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n\r\n",
    b"X-Folded: a\r\n Content-Length: 44\r\n\r\n",
    b"X-Nul: a\x00b\r\n\r\n",
]
"""Heads and bodies of which two servers in a row could find different ends."""

ELSEWHERE = [
    "/assets/../../../../../../etc/passwd",
    "/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%252f..%252fetc%252fpasswd",
    "/assets/..\\..\\..\\etc\\passwd",
    "/assets//etc/passwd",
    "/assets/page.css%00.html",
    "/static-offline-docs/../../../../../../etc/passwd",
    "/static-offline-docs/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/v1/integrations/grafana/..%2f..%2f..%2fmetrics",
]
INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE log.events; --",
    "%' UNION SELECT hash FROM access.tokens --",
    "1; SELECT pg_sleep(60)",
    "\\'; COPY log.events TO PROGRAM 'id'; --",
    "$1 {0} %s %(x)s",
    "\x00",
]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        reachable_folder() as folder,
        running_desk(folder, start=("intake", "projections")) as desk,
    ):
        url, headers = f"{desk.intake_url}/v1/events", desk.bearer("source")
        opened = posted(url, json=SIGNAL, headers=headers)
        assert opened.json()["results"][0]["status"] == "opened"
        until(lambda: found(desk, "portal") == 1, "the incident is in the queue")
        yield desk
        for name in ("intake", "projections"):
            assert "Traceback" not in desk.output(name)


def found(desk: Desk, words: str) -> int:
    """Return how many incidents a search finds."""
    answer = desk.get("/v1/queues/all/incidents", params={"q": words})
    return len(answer.json()["items"]) if answer.is_success else REFUSED


def said(url: str, sent: bytes) -> bytes:
    """Send bytes as they are; return all that comes until the server closes."""
    where = urlsplit(url)
    address = (str(where.hostname), int(where.port or 0))
    with closing(socket.create_connection(address, timeout=SECONDS)) as line:
        line.sendall(sent)
        parts = []
        while part := line.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def _get(path: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return head.encode()


@every_door
@pytest.mark.parametrize("framing", TWO_WAYS)
def test_nothing_is_smuggled_behind_a_request_with_two_ends(
    desk: Desk, door: str, framing: bytes
) -> None:
    head = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\n"

    answer = said(DOORS[door](desk), head + framing + SMUGGLED)

    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer


@every_door
@pytest.mark.parametrize("path", ELSEWHERE)
def test_no_path_leads_out_of_what_is_served(desk: Desk, door: str, path: str) -> None:
    answer = said(DOORS[door](desk), _get(path))

    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert b"root:" not in answer
    assert b"# HELP" not in answer


@pytest.mark.parametrize("path", ["/v1/requests/..", "/v1/integrations/grafana/../.."])
def test_no_path_leads_out_of_what_is_passed_on(desk: Desk, path: str) -> None:
    answer = said(desk.api_url, _get(f"{path}/../metrics"))

    assert answer.startswith(b"HTTP/1.1 404"), answer


@every_door
@pytest.mark.parametrize("how", ["{method} {url} HTTP/1.1", "CONNECT {host} HTTP/1.1"])
def test_nobody_is_called_for_a_stranger(desk: Desk, door: str, how: str) -> None:
    with open_postbox() as elsewhere:
        for method in ("GET", "POST"):
            url = elsewhere.url.replace("/hook", "/v1/integrations/grafana/key")
            line = how.format(method=method, url=url, host=urlsplit(url).netloc)
            head = f"{line}\r\nHost: localhost\r\nContent-Length: 0\r\n"
            said(DOORS[door](desk), f"{head}Connection: close\r\n\r\n".encode())

    assert elsewhere.requests == []


def _operations() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for door, document in (
        ("intake", described("intake-openapi.json")),
        ("api", described("openapi.json")),
    ):
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if path != "/v1/stream":
                    yield door, method.upper(), path, operation


OPERATIONS = list(_operations())


def _state(desk: Desk) -> list[tuple[object, ...]]:
    query = """
    SELECT count(*), (SELECT max(notification_id) FROM log.events),
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'log'::regnamespace),
           (SELECT count(*) FROM access.tokens WHERE revoked_at IS NULL)
    FROM pg_namespace WHERE nspname !~ '^pg_'
    """
    with psycopg.connect(desk.database.owner_dsn) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def clients(desk: Desk) -> Iterator[Mapping[str, httpx.Client]]:
    with ExitStack() as stack:
        yield {
            door: stack.enter_context(httpx.Client(base_url=url(desk), timeout=SECONDS))
            for door, url in DOORS.items()
        }


@pytest.mark.parametrize("words", INJECTIONS)
def test_no_parameter_is_a_statement(
    desk: Desk, clients: Mapping[str, httpx.Client], words: str
) -> None:
    before = _state(desk)
    for door, method, path, operation in OPERATIONS:
        who = "agent" if door == "api" else "source"
        asked = [_filled(path, words)]
        for each in operation.get("parameters", []):
            if each.get("in") == "query":
                query = urlencode({each["name"]: words})
                asked.append(f"{_filled(path, 'INC-000001')}?{query}")
        for url in asked:
            answer = answered(
                partial(clients[door].request, method, url, headers=desk.bearer(who)),
                BUSY,
            )
            assert answer.status_code < 500, (method, url, answer.text)

    assert found(desk, words) in {0, REFUSED}
    assert _state(desk) == before


def _filled(path: str, words: str) -> str:
    parts = (
        quote(words, safe="") if part.startswith("{") else part
        for part in path.split("/")
    )
    return "/".join(parts)


def test_the_key_of_a_source_opens_nothing_that_is_for_people(
    desk: Desk, clients: Mapping[str, httpx.Client]
) -> None:
    before = _state(desk)
    closed = [
        each for each in OPERATIONS if each[0] == "api" and each[3].get("security")
    ]
    for _, method, path, _ in closed:
        url = _filled(path, "INC-000001")
        headers = desk.bearer("source")
        answer = answered(
            partial(clients["api"].request, method, url, json={}, headers=headers),
            BUSY,
        )
        assert 400 <= answer.status_code < 500, (method, path, answer.text)

    assert len(closed) > len(OPERATIONS) / 2
    assert _state(desk) == before
