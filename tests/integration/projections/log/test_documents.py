"""The documents that the log names, over HTTP: what auditors see of a policy."""

from hashlib import sha256
from typing import Any

import psycopg
import pytest

from shared.domain.policy.document import Policy
from shared.eventlog import policies
from tests.support.desks.api import Api, problem

pytestmark = pytest.mark.servers


def _applied(api: Api) -> dict[str, Any]:
    (item,) = api.get("/v1/log", who="auditor", types="policy.applied")["items"]
    event: dict[str, Any] = item["event"]
    return event


@pytest.mark.usefixtures("shared_month")
def test_the_log_names_the_document_and_an_auditor_reads_it(shared_api: Api) -> None:
    event = _applied(shared_api)
    answer = shared_api.call(
        "GET", f"/v1/documents/{event['document_hash']}", "auditor"
    )

    assert "document" not in event
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert len(answer.content) == event["document_size"]
    assert sha256(answer.content).hexdigest() == event["document_hash"]
    assert "jour" in Policy.from_document(answer.json()).calendars


@pytest.mark.usefixtures("shared_month")
def test_an_unknown_document_is_404_and_a_wrong_hash_422(shared_api: Api) -> None:
    problem(shared_api.call("GET", f"/v1/documents/{'0' * 64}", "auditor"), 404)
    problem(shared_api.call("GET", "/v1/documents/latest", "auditor"), 422)


@pytest.mark.usefixtures("month")
def test_a_policy_whose_document_is_missing_is_a_503(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "_CACHE", policies.PolicyCache())  # of other tests
    name = _applied(api)["document_hash"]
    with psycopg.connect(api.database.owner_dsn) as connection:
        connection.execute("ALTER TABLE log.documents DISABLE TRIGGER append_only")
        connection.execute("DELETE FROM log.documents")
    answer = problem(api.call("GET", "/v1/oncall"), 503)

    assert answer["code"] == "policy_unreadable"
    assert name in str(answer["detail"])
