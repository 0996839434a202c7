"""At the read API: whoever has no token takes nothing from those who have one."""

import select
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from services.projections.api.limits import STREAMS_A_TOKEN_MAX
from services.projections.api.session_cookie import COOKIE
from shared.eventlog.append import AppendUnit
from shared.eventlog.recorder import PendingEvent
from shared.http.bodies import POOL_BYTES_MAX
from shared.http.token_buckets import Flow
from shared.security.access import new_token
from standalone.nats import Bus
from tests.support.desks.api import Api, problem, serving
from tests.support.faults.stalled_senders import stalling
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import Database
from tests.support.servers.sse import events, listening

pytestmark = pytest.mark.servers

NO_SESSION = f"pms_{'0' * 12}_{'x' * 43}"
LARGE = 512 * 1024
TOGETHER = POOL_BYTES_MAX // LARGE
"""So many of the largest bodies have a place while nobody knows who sends them."""


@pytest.fixture(scope="module")
def api(
    shared_database: Database,
    shared_bus: Bus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    with serving(shared_database, shared_bus, folder) as running:
        yield running


def sent_away(lines: Sequence[socket.socket]) -> int:
    """Return how many of these have heard that there is no room for them."""
    readable, _, _ = select.select(lines, [], [], 0)
    return sum(b"overloaded" in each.recv(65_536, socket.MSG_PEEK) for each in readable)


@pytest.mark.parametrize("path", ["/v1/events", "/v2/enqueue", "/v1/reports"])
def test_large_bodies_without_a_token_share_a_small_pool(
    api: Api, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("shared.http.bodies.KEYLESS_SECONDS_MAX", SECONDS)
    monkeypatch.setattr("shared.contacts.endpoints.BODY_SECONDS_MAX", SECONDS)
    size = 60_000 if path == "/v1/reports" else LARGE
    number = POOL_BYTES_MAX // size + 8
    body = b"[" + b" " * (size - 2)
    with stalling(api.url, path, number, size, body) as lines:
        until(lambda: sent_away(lines) >= 7, "bodies without a token fill memory")

        answer = api.call("POST", "/v1/events", who="source", json={})

    assert answer.json()["code"] == "intake_away"  # it would have been passed on


def test_a_key_that_is_no_token_costs_no_look_up(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("shared.security.access.Access.verify", asked)

    answer = api.call("GET", "/v1/queues", None, {"Authorization": "Bearer guess"})

    assert answer.status_code == 401


def test_wrong_tokens_without_end_are_told_to_wait_while_good_ones_come_in(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.wrong_keys.WRONG_KEYS", Flow(1e-6, 20.0))
    there = {"X-Forwarded-For": "2001:db8::7"}

    def asked(
        key: str, path: str = "/v1/me", where: Mapping[str, str] = there
    ) -> httpx.Response:
        shown = {"Authorization": f"Bearer {key}"}
        return api.at_once("GET", path, None, {**shown, **where})

    wrong = [asked(new_token().token).status_code for _ in range(20)]
    page = api.at_once("GET", "/", None, there, cookies={COOKIE: NO_SESSION})

    assert wrong == [401] * 20
    assert problem(asked(new_token().token), 429)["code"] == "guessing"
    assert problem(asked(NO_SESSION, "/v1/stream"), 429)["code"] == "guessing"
    assert page.status_code == 401
    assert 'name="token"' in page.text
    assert asked(NO_SESSION, where={}).status_code == 401, "nobody else waits"
    assert asked(api.tokens["agent"]).status_code == 200
    begun = api.at_once(
        "POST", "/v1/sessions", None, there, json={"token": api.tokens["agent"]}
    )
    assert asked(begun.json()["session"]).status_code == 200


def test_one_token_cannot_take_all_streams(api: Api) -> None:
    stream = f"{api.url}/v1/stream"
    agent, other = (
        {"Authorization": f"Bearer {api.tokens[who]}"} for who in ("agent", "manager")
    )
    with ExitStack() as open_until:
        heard = [
            open_until.enter_context(listening(stream, agent))
            for _ in range(STREAMS_A_TOKEN_MAX)
        ]
        assert all(next(said).retry for said in heard)

        refused = api.call("GET", "/v1/stream")
        with listening(stream, other) as said:
            assert next(said).id is not None

    assert problem(refused, 429)["code"] == "overloaded"
    assert "by this token" in refused.text


def test_one_damaged_event_ends_nobodys_stream(api: Api) -> None:
    """As before the database looked at what a service records."""
    half_a_character = b'{"at":"\\ud800"}'
    damaged = [
        PendingEvent("escalation-INC-000001", 1, "escalation.raised", half_a_character),
        PendingEvent("escalation-nobody", 1, "escalation.raised", b"{}"),
    ]
    agent = {"Authorization": f"Bearer {api.tokens['agent']}"}
    with listening(f"{api.url}/v1/stream", agent) as said:
        assert next(said).retry
        with api.log.transaction() as cursor:
            api.log.append(cursor, [AppendUnit(tuple(damaged))])

        heard = events(said, len(damaged))

    assert [each.data and each.data["stream"] for each in heard] == [
        each.stream for each in damaged
    ]
    items = api.get("/v1/log", "auditor")["items"]
    assert [bool(each["unreadable"]) for each in items] == [True] * len(damaged)


@pytest.mark.parametrize(
    "said",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},  # another port
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_a_form_of_another_site_signs_nobody_in_or_out(
    api: Api, path: str, said: dict[str, str]
) -> None:
    form = {"token": api.tokens["agent"]}

    forged = api.call("POST", path, None, said, data=form)
    own = api.call("POST", path, None, {"Origin": api.url}, data=form)

    assert "Set-Cookie" not in forged.headers
    assert "Set-Cookie" in own.headers


@pytest.mark.parametrize("key", [{}, {"Authorization": "Bearer made-up"}])
@pytest.mark.parametrize(
    "path",
    ["/", "/report", "/docs", "/openapi.json", "/metrics", "/v1/reports/form"],
)
def test_the_name_of_another_site_opens_nothing(
    api: Api, path: str, key: dict[str, str]
) -> None:
    port = urlsplit(api.url).port

    forged = api.call("GET", path, None, {"Host": f"elsewhere.example:{port}", **key})
    own = api.call("GET", path, None, {"Host": f"localhost:{port}"})

    assert problem(forged, 421)["code"] == "host"
    assert own.status_code in {200, 401, 503}  # this desk has no policy


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", "/v1/queues", "agent"),
        ("POST", "/v2/enqueue", None),
        ("GET", "/health/live", None),
    ],
)
def test_who_shows_a_key_and_probes_may_ask_under_any_name(
    api: Api, method: str, path: str, who: str | None
) -> None:
    answer = api.call(method, path, who, {"Host": "monitoring.example"})

    assert answer.status_code in {200, 503}  # intake is away


@pytest.mark.parametrize(
    "path",
    ["/docs", "/openapi.json", "/v1/queues", "/nothing", "/health/live", "/report"],
)
def test_a_browser_takes_each_answer_for_what_it_is_and_runs_nothing_in_it(
    api: Api, path: str
) -> None:
    headers = api.call("GET", path, None).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'unsafe" not in policy
