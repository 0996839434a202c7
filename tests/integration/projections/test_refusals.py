"""Every way to be refused: the status, and a sentence that says what to do."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.access import create
from tests.support.api import Api
from tests.support.histories import opened

pytestmark = pytest.mark.servers

_READS = ["/v1/queues", "/v1/queues/all/incidents", "/v1/incidents/INC-000001"]
_AUDITS = ["/v1/log", "/v1/incidents/INC-000001/events"]
_COMMANDS = ["/v1/incidents", "/v1/incidents/INC-000001/acknowledge"]


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    position = shared_api.happened(opened("INC-000001"))
    for path in ("/v1/queues", "/v1/incidents/INC-000001/timeline"):
        shared_api.get(path, min_position=position)
    return shared_api


def _problem(answer: object, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text  # type: ignore[attr-defined] # of httpx
    kind = answer.headers["content-type"]  # type: ignore[attr-defined] # likewise
    assert kind == "application/problem+json"
    details: dict[str, object] = answer.json()  # type: ignore[attr-defined] # likewise
    assert details["status"] == status
    assert details["detail"]
    assert "Traceback" not in str(details)
    return details


@pytest.mark.parametrize("path", [*_READS, *_AUDITS])
def test_nobody_reads_without_a_token(api: Api, path: str) -> None:
    answer = api.call("GET", path, who=None)

    _problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer pmn_000000000000_made-up",
        "Bearer x",
        "Basic cGF1bDpwYXVs",
        "Bearer",
        "Bearer pmn_\u00e9_x",
    ],
)
def test_a_token_that_is_none_is_refused(api: Api, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("latin-1").decode("latin-1")}
    answer = api.call("GET", "/v1/queues", who=None, headers=_bytes(headers))

    _problem(answer, 401)


def _bytes(headers: dict[str, str]) -> dict[str, str]:
    return {k: v.encode("latin-1") for k, v in headers.items()}  # type: ignore[misc] # raw


def test_a_token_past_its_time_is_refused(api: Api) -> None:
    now = datetime.now(UTC)
    with api.log.transaction() as cursor:
        old = create(
            cursor, now, "person:paul", ["agent"], expires_at=now - timedelta(days=1)
        )
    headers = {"Authorization": f"Bearer {old.token}"}

    _problem(api.call("GET", "/v1/queues", who=None, headers=headers), 401)


@pytest.mark.parametrize("path", [*_READS, *_AUDITS])
def test_a_source_reads_nothing(api: Api, path: str) -> None:
    _problem(api.call("GET", path, who="source"), 403)


@pytest.mark.parametrize("path", _AUDITS)
@pytest.mark.parametrize("who", ["agent", "manager"])
def test_only_auditors_read_the_log(api: Api, path: str, who: str) -> None:
    details = _problem(api.call("GET", path, who=who), 403)

    assert "auditor" in str(details["detail"])


@pytest.mark.parametrize("path", _COMMANDS)
@pytest.mark.parametrize("who", ["auditor", "source"])
def test_who_may_not_act_is_refused_before_anything_is_read(
    api: Api, path: str, who: str
) -> None:
    _problem(api.call("POST", path, who=who, content=b"not json"), 403)


@pytest.mark.parametrize("path", [*_READS, *_AUDITS])
def test_an_unknown_parameter_is_named(api: Api, path: str) -> None:
    answer = api.call("GET", f"{path}?colour=red", who="admin")

    details = _problem(answer, 422)
    assert "colour" in str(details["detail"])
    assert details["errors"] == [
        {
            "loc": ["query", "colour"],
            "msg": "Extra inputs are not permitted",
            "type": "extra_forbidden",
        }
    ]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("status=lost", "status"),
        ("priority=p9", "priority"),
        ("q=", "q"),
        ("q=a%00b", "q"),
        ("service=a%00b", "service"),
        (f"q={'x' * 201}", "q"),
        (f"assignee={'x' * 129}", "assignee"),
        ("min_position=-1", "min_position"),
        ("min_position=9223372036854775808", "min_position"),
        (f"cursor={'x' * 600}", "cursor"),
    ],
)
def test_a_parameter_out_of_bounds_is_named(api: Api, asked: str, named: str) -> None:
    details = _problem(api.call("GET", f"/v1/queues/all/incidents?{asked}"), 422)

    assert named in str(details["errors"])


def test_open_and_ended_incidents_are_not_asked_for_at_once(api: Api) -> None:
    path = "/v1/queues/all/incidents?status=new&status=closed"

    assert "apart" in str(_problem(api.call("GET", path), 422)["detail"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/queues/nowhere/incidents", 404),
        ("/v1/queues/%00/incidents", 422),
        ("/v1/incidents/INC-999999", 404),
        ("/v1/incidents/INC-1", 422),
        ("/v1/incidents/INC-999999/timeline", 404),
        ("/v1/nothing", 404),
        ("/%ff", 404),
    ],
)
def test_what_is_not_there_is_said_not_to_be(api: Api, path: str, status: int) -> None:
    _problem(api.call("GET", path), status)


def test_events_of_no_incident_are_not_found(api: Api) -> None:
    _problem(api.call("GET", "/v1/incidents/INC-999999/events", who="auditor"), 404)


def test_a_method_that_is_not_for_a_path_is_refused(api: Api) -> None:
    answer = api.call("DELETE", "/v1/queues")

    _problem(answer, 405)
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2020-01-01T00:00:00Z", 404),
        ("0001-01-01T00:00:00Z", 404),
        ("2026-03-02T08:00:00", 422),
        ("yesterday", 422),
        ("9999-12-31T23:59:59Z", 200),
    ],
)
def test_an_absurd_instant_is_answered(api: Api, at: str, status: int) -> None:
    for path in ("/v1/incidents/INC-000001", "/v1/incidents/INC-000001/timeline"):
        answer = api.call("GET", path, params={"at": at})
        assert answer.status_code == status, answer.text


def test_an_unknown_type_of_event_is_named(api: Api) -> None:
    details = _problem(
        api.call("GET", "/v1/log?types=incident.lost", who="auditor"), 422
    )

    assert "incident.lost" in str(details["detail"])
    assert "incident.opened" in str(details["detail"])


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

    _problem(api.call("POST", path, headers=headers, content=content), status)


def test_a_body_that_grows_too_large_is_refused_without_a_declared_length(
    api: Api,
) -> None:
    def endless() -> object:
        for _ in range(100):
            yield b"x" * 1_024

    answer = api.call("POST", "/v1/incidents", content=endless())

    _problem(answer, 413)


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

    assert header in str(_problem(answer, 422)["errors"])


def test_a_command_takes_no_query(api: Api) -> None:
    answer = api.call("POST", f"{_COMMANDS[1]}?force=yes", json={})

    assert "force" in str(_problem(answer, 422)["detail"])


@pytest.mark.parametrize("path", _COMMANDS)
def test_without_its_owner_a_command_is_not_done_and_says_so(
    api: Api, path: str
) -> None:
    answer = api.call("POST", path, json={})

    details = _problem(answer, 503)
    assert "nothing was done" in str(details["detail"])
    assert answer.headers["Retry-After"] == "1"


def test_without_intake_nothing_is_taken_and_it_says_so(api: Api) -> None:
    answer = api.call("POST", "/v1/events", who="source", json={})

    assert "nothing was taken" in str(_problem(answer, 503)["detail"])
    assert answer.headers["Retry-After"] == "1"


def test_what_is_forwarded_has_a_limit_too(api: Api) -> None:
    content = b"x" * (512 * 1024 + 1)

    _problem(api.call("POST", "/v1/events", who="source", content=content), 413)


def test_a_search_that_takes_too_long_is_given_up(api: Api) -> None:
    with psycopg.connect(api.database.owner_dsn) as blocking:
        # Nobody can read the table meanwhile: as slow as a search can get.
        blocking.execute("LOCK TABLE rm_queue_v1.incidents IN ACCESS EXCLUSIVE MODE")
        answer = api.call("GET", "/v1/queues/all/incidents")
        blocking.rollback()

    assert _problem(answer, 503)["code"] == "too_slow"


def test_a_database_that_hangs_hangs_no_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.desk.ANSWER_SECONDS", 0.1)
    with psycopg.connect(api.database.owner_dsn) as blocking:
        blocking.execute("LOCK TABLE rm_queue_v1.incidents IN ACCESS EXCLUSIVE MODE")
        answer = api.call("GET", "/v1/queues/all/incidents")
        blocking.rollback()

    assert _problem(answer, 503)["code"] == "log_silent"
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("name", ["User-Agent", "Idempotency-Key", "ce-subject"])
def test_what_is_passed_on_may_hold_any_header(api: Api, name: str) -> None:
    answer = api.call("POST", "/v1/events", headers=_bytes({name: "\u00e9\u00ff"}))

    assert _problem(answer, 503)["code"] == "intake_away"


def test_a_webhook_without_a_key_in_its_address_is_passed_on_too(api: Api) -> None:
    answer = api.call("POST", "/v1/integrations/alertmanager")

    assert _problem(answer, 503)["code"] == "intake_away"
