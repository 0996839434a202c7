"""Who is refused a look, and what cannot be asked for: a status and a sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.security.access import create
from tests.support.desks.api import Api, in_bytes, problem
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

_READS = ["/v1/queues", "/v1/queues/all/incidents", "/v1/incidents/INC-000001"]
_AUDITS = ["/v1/log", "/v1/incidents/INC-000001/events", f"/v1/documents/{'0' * 64}"]
_COMMANDS = ["/v1/incidents", "/v1/incidents/INC-000001/acknowledge"]


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    position = shared_api.happened(opened("INC-000001"))
    for path in ("/v1/queues", "/v1/incidents/INC-000001/timeline"):
        shared_api.get(path, min_position=position)
    return shared_api


@pytest.mark.parametrize("path", [*_READS, *_AUDITS])
def test_nobody_reads_without_a_token(api: Api, path: str) -> None:
    answer = api.call("GET", path, who=None)

    problem(answer, 401)
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
    answer = api.call("GET", "/v1/queues", who=None, headers=in_bytes(headers))

    problem(answer, 401)


def test_a_token_past_its_time_is_refused(api: Api) -> None:
    now = datetime.now(UTC)
    with api.log.transaction() as cursor:
        old = create(
            cursor, now, "person:paul", ["agent"], expires_at=now - timedelta(days=1)
        )
    headers = {"Authorization": f"Bearer {old.token}"}

    problem(api.call("GET", "/v1/queues", who=None, headers=headers), 401)


@pytest.mark.parametrize("path", [*_READS, *_AUDITS])
def test_a_source_reads_nothing(api: Api, path: str) -> None:
    problem(api.call("GET", path, who="source"), 403)


@pytest.mark.parametrize("path", _AUDITS)
@pytest.mark.parametrize("who", ["agent", "manager"])
def test_only_auditors_read_the_log(api: Api, path: str, who: str) -> None:
    details = problem(api.call("GET", path, who=who), 403)

    assert "auditor" in str(details["detail"])


@pytest.mark.parametrize("path", _COMMANDS)
@pytest.mark.parametrize("who", ["auditor", "source"])
def test_who_may_not_act_is_refused_before_anything_is_read(
    api: Api, path: str, who: str
) -> None:
    problem(api.call("POST", path, who=who, content=b"not json"), 403)


@pytest.mark.parametrize("path", [*_READS, *_AUDITS])
def test_an_unknown_parameter_is_named(api: Api, path: str) -> None:
    answer = api.call("GET", f"{path}?colour=red", who="admin")

    details = problem(answer, 422)
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
    details = problem(api.call("GET", f"/v1/queues/all/incidents?{asked}"), 422)

    assert named in str(details["errors"])


def test_open_and_ended_incidents_are_not_asked_for_at_once(api: Api) -> None:
    path = "/v1/queues/all/incidents?status=new&status=closed"

    assert "apart" in str(problem(api.call("GET", path), 422)["detail"])


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
    problem(api.call("GET", path), status)


def test_events_of_no_incident_are_not_found(api: Api) -> None:
    problem(api.call("GET", "/v1/incidents/INC-999999/events", who="auditor"), 404)


def test_a_method_that_is_not_for_a_path_is_refused(api: Api) -> None:
    answer = api.call("DELETE", "/v1/queues")

    problem(answer, 405)
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2020-01-01T00:00:00Z", 404),
        ("0001-01-01T00:00:00Z", 422),
        ("2026-03-02T08:00:00", 422),
        ("yesterday", 422),
        ("9999-12-31T23:59:59Z", 422),
        ("2199-12-31T23:59:59Z", 200),
    ],
)
def test_an_absurd_instant_is_answered(api: Api, at: str, status: int) -> None:
    for path in ("/v1/incidents/INC-000001", "/v1/incidents/INC-000001/timeline"):
        answer = api.call("GET", path, params={"at": at})
        assert answer.status_code == status, answer.text


def test_an_unknown_type_of_event_is_named(api: Api) -> None:
    details = problem(
        api.call("GET", "/v1/log?types=incident.lost", who="auditor"), 422
    )

    assert "incident.lost" in str(details["detail"])
    assert "incident.opened" in str(details["detail"])


@pytest.mark.parametrize(
    ("path", "what_to_do"),
    [
        ("/v1/incidents/42", "write a reference such as INC-000042"),
        ("/v1/problems/42", "write a reference such as PRB-000042"),
        ("/v1/incidents/INC-000001?at=yesterday", "write an instant with its zone"),
        ("/v1/incidents/INC-000001?at=2025-06-30T09:00", "write an instant with its"),
        ("/v1/incidents/INC-000001?at=9999-12-31T23:59:59Z", "choose a year from 2000"),
        ("/v1/incidents/INC-000001/sla?at=2200-01-01T00:00:00Z", "2000 to 2199"),
        ("/v1/metrics?from=x&to=y", "query.from: write a day such as 2025-06-30"),
    ],
)
def test_what_is_not_understood_is_answered_with_what_to_write(
    api: Api, path: str, what_to_do: str
) -> None:
    said = str(problem(api.call("GET", path), 422)["detail"])

    assert what_to_do in said
    assert "Value error" not in said
