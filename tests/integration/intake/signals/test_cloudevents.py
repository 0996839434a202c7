"""CloudEvents over HTTP, from the specification's own client and from others."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import orjson
import pytest
from cloudevents.core.bindings.http import (
    HTTPMessage,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent

from tests.integration.intake.endpoints import NOBODY, Doors
from tests.support.patience import SECONDS

pytestmark = pytest.mark.servers

EVENT = {
    "specversion": "1.0",
    "id": "7",
    "source": "/quais/north",
    "type": "example.gate.stuck",
    "subject": "gate-12",
}
BATCH = "application/cloudevents-batch+json"


def post(
    doors: Doors, document: object, kind: str, path: str = "/v1/cloudevents"
) -> httpx.Response:
    key = {"Authorization": f"Bearer {doors.key}", "Content-Type": kind}
    return doors.knock("POST", path, orjson.dumps(document), key)


@pytest.mark.parametrize("mode", [to_binary_event, to_structured_event])
@pytest.mark.parametrize("path", ["/v1/cloudevents", "/v1/integrations/cloudevents/{}"])
def test_the_specifications_own_client_is_understood(
    doors: Doors, mode: Callable[[CloudEvent], HTTPMessage], path: str
) -> None:
    made = CloudEvent(
        {
            "id": "7",
            "source": "/quais/north",
            "type": "example.gate.stuck",
            "subject": "gate 12 €",
            "severitynumber": "21",
            "time": datetime(2025, 6, 30, 7, 59, tzinfo=UTC),
        },
        {"message": "Gate 12 is stuck"},
    )
    sent = mode(made)
    headers = {**sent.headers, "Authorization": f"Bearer {doors.key}"}

    with doors.on_a_port() as address:
        url = f"{address}{path.format(doors.key)}"
        answers = [
            httpx.post(url, content=sent.body, headers=headers, timeout=SECONDS)
            for _ in range(2)
        ]

    first, again = (answer.json() for answer in answers)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert first["results"][0]["status"] == "opened"
    assert first["results"][0]["event_id"] == "/quais/north|7"
    assert first["results"][0]["dedup_key"] == "/quais/north|gate 12 €"
    assert again["duplicate"] is True
    assert again["results"][0]["incident"] == first["results"][0]["incident"]


def test_of_a_batch_the_good_ones_are_taken(doors: Doors) -> None:
    broken = {**EVENT, "id": "8", "data_base64": 7}
    over = {**EVENT, "id": "9", "type": "example.gate.resolved"}

    answer = post(doors, [EVENT, broken, over], BATCH)

    statuses = [result["status"] for result in answer.json()["results"]]
    assert answer.status_code == 202
    assert statuses == ["opened", "rejected", "recovered"]
    assert "in base64" in answer.json()["results"][1]["error"]


def test_where_nobody_reads_the_answer_the_bad_ones_are_kept(doors: Doors) -> None:
    path = "/v1/integrations/cloudevents"

    answer = post(doors, [{**EVENT, "id": ""}, EVENT], BATCH, path)

    statuses = [result["status"] for result in answer.json()["results"]]
    assert statuses == ["quarantined", "opened"]


def test_two_bad_events_with_the_same_data_are_both_kept(doors: Doors) -> None:
    for number in ("7", "8"):
        headers = {
            "Authorization": f"Bearer {doors.key}",
            **{f"ce-{name}": value for name, value in EVENT.items()},
            "ce-id": number,
            "ce-specversion": "0.3",
        }
        doors.knock("POST", "/v1/integrations/cloudevents", b"", headers)

    assert doors.rows("SELECT count(*) FROM intake.quarantine") == [(2,)]


def test_an_empty_batch_is_taken(doors: Doors) -> None:
    answer = post(doors, [], BATCH)

    assert (answer.status_code, answer.json()["results"]) == (202, [])


@pytest.mark.parametrize(
    ("change", "kind", "status", "word"),
    [
        ({"specversion": "0.3"}, "application/cloudevents+json", 422, "1.0"),
        ({"id": None}, "application/cloudevents+json", 422, "id: "),
        ({}, "application/cloudevents+avro", 415, "cloudevents+json"),
    ],
)
def test_a_single_event_that_is_none_is_refused(
    doors: Doors, change: dict[str, object], kind: str, status: int, word: str
) -> None:
    answer = post(doors, EVENT | change, kind)

    assert answer.status_code == status
    assert word in answer.json()["detail"]


def test_data_of_any_kind_is_taken(doors: Doors) -> None:
    headers = {
        "Authorization": f"Bearer {doors.key}",
        "Content-Type": "image/png",
        **{f"ce-{name}": value for name, value in EVENT.items()},
    }

    answer = doors.knock("POST", "/v1/cloudevents", b"\xff\x00", headers)

    assert answer.json()["results"][0]["status"] == "opened"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/cloudevents",
        "/v1/integrations/cloudevents",
        "/v1/integrations/cloudevents/pmn_key",
    ],
)
def test_who_asks_whether_we_want_events_hears_yes(doors: Doors, path: str) -> None:
    asked = {
        "WebHook-Request-Origin": "events.example.com",
        "WebHook-Request-Rate": "120",
    }

    answer = doors.knock("OPTIONS", path, b"", {**NOBODY, **asked})

    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "events.example.com"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"
    assert answer.headers["Allow"] == "POST, OPTIONS"


def test_an_origin_that_is_no_host_is_not_repeated(doors: Doors) -> None:
    asked = {"WebHook-Request-Origin": "a b<c>"}

    answer = doors.knock("OPTIONS", "/v1/cloudevents", b"", {**NOBODY, **asked})

    assert answer.status_code == 400
    assert "WebHook-Allowed-Origin" not in answer.headers


def test_who_asks_without_an_origin_hears_what_is_taken(doors: Doors) -> None:
    answer = doors.knock("OPTIONS", "/v1/cloudevents", b"", NOBODY)

    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert "WebHook-Allowed-Origin" not in answer.headers
