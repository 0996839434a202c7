"""Commands that are refused, and servers that are away: a status and a sentence."""

import psycopg
import pytest

from tests.support.desks.api import Api, in_bytes, problem
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

_COMMANDS = ["/v1/incidents", "/v1/incidents/INC-000001/acknowledge"]


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    position = shared_api.happened(opened("INC-000001"))
    shared_api.get("/v1/queues", min_position=position)
    return shared_api


@pytest.mark.parametrize("path", _COMMANDS)
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"a":"\\ud800"}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b'{"a":' * 20 + b"1" + b"}" * 20, "application/json", 400),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "application/json", 400),
        (b'"' + b"x" * 65_536 + b'"', "application/json", 413),
    ],
)
def test_a_body_that_is_none_is_refused(
    api: Api, path: str, content: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}

    problem(api.call("POST", path, headers=headers, content=content), status)


def test_a_body_that_grows_too_large_is_refused_without_a_declared_length(
    api: Api,
) -> None:
    def endless() -> object:
        for _ in range(100):
            yield b"x" * 1_024

    answer = api.call("POST", "/v1/incidents", content=endless())

    problem(answer, 413)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "two words"),
        ("Idempotency-Key", "x" * 256),
        ("If-Match", "seven"),
        ("If-Match", '"-1"'),
        ("If-Match", "99999999999999999999"),
    ],
)
def test_a_malformed_header_is_named(api: Api, header: str, value: str) -> None:
    answer = api.call("POST", _COMMANDS[1], headers={header: value}, json={})

    assert header in str(problem(answer, 422)["errors"])


def test_a_command_takes_no_query(api: Api) -> None:
    answer = api.call("POST", f"{_COMMANDS[1]}?force=yes", json={})

    assert "force" in str(problem(answer, 422)["detail"])


@pytest.mark.parametrize("path", _COMMANDS)
def test_without_its_owner_a_command_is_not_done_and_says_so(
    api: Api, path: str
) -> None:
    answer = api.call("POST", path, json={})

    details = problem(answer, 503)
    assert "nothing was done" in str(details["detail"])
    assert answer.headers["Retry-After"] == "1"


def test_without_intake_nothing_is_taken_and_it_says_so(api: Api) -> None:
    answer = api.call("POST", "/v1/events", who="source", json={})

    assert "nothing was taken" in str(problem(answer, 503)["detail"])
    assert answer.headers["Retry-After"] == "1"


def test_what_is_forwarded_has_a_limit_too(api: Api) -> None:
    content = b"x" * (512 * 1024 + 1)

    problem(api.call("POST", "/v1/events", who="source", content=content), 413)


def test_a_search_that_takes_too_long_is_given_up(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.snapshots.READ_SECONDS_MAX", 0.2)
    with psycopg.connect(api.database.owner_dsn) as blocking:
        # Nobody can read the table meanwhile: as slow as a search can get.
        blocking.execute("LOCK TABLE rm_queue_v1.incidents IN ACCESS EXCLUSIVE MODE")
        answer = api.call("GET", "/v1/queues/all/incidents")
        blocking.rollback()

    assert problem(answer, 503)["code"] == "too_slow"


def test_a_database_that_hangs_hangs_no_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.desk.ANSWER_SECONDS", 0.1)
    with psycopg.connect(api.database.owner_dsn) as blocking:
        blocking.execute("LOCK TABLE rm_queue_v1.incidents IN ACCESS EXCLUSIVE MODE")
        answer = api.call("GET", "/v1/queues/all/incidents")
        blocking.rollback()

    assert problem(answer, 503)["code"] == "log_silent"
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("name", ["User-Agent", "Idempotency-Key", "ce-subject"])
def test_what_is_passed_on_may_hold_any_header(api: Api, name: str) -> None:
    answer = api.call("POST", "/v1/events", headers=in_bytes({name: "\u00e9\u00ff"}))

    assert problem(answer, 503)["code"] == "intake_away"


def test_a_webhook_without_a_key_in_its_address_is_passed_on_too(api: Api) -> None:
    answer = api.call("POST", "/v1/integrations/alertmanager")

    assert problem(answer, 503)["code"] == "intake_away"
