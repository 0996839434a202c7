"""Senders of Opsgenie move with its own client, and without one."""

import opsgenie_sdk  # type: ignore[import-untyped] # it comes without types
import orjson
import pytest

from services.intake.compat.opsgenie import alert_id
from services.intake.signals.reception import Reception
from shared.domain.events.incident_signals import IncidentSourceNoted
from shared.eventlog.batcher import Overloaded
from tests.integration.intake.endpoints import NOBODY, Doors

pytestmark = pytest.mark.servers

ALERT = {"message": "Gate 12 is stuck", "alias": "gate/12 é", "priority": "P2"}


def client(address: str, key: str) -> opsgenie_sdk.AlertApi:
    """Return Opsgenie's own client, pointed at us."""
    configuration = opsgenie_sdk.Configuration()
    configuration.host = address
    configuration.api_key["Authorization"] = key
    configuration.retry_enabled = False
    return opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration))


def knock(
    doors: Doors, method: str, path: str, said: object = None
) -> tuple[int, dict[str, object]]:
    body = b"" if said is None else orjson.dumps(said)
    key = {"Authorization": f"GenieKey {doors.key}"}
    answer = doors.knock(method, path, body, key)
    return answer.status_code, answer.json()


def types(doors: Doors) -> list[str]:
    return [entry.type for entry in doors.log.since(1, 100)]


def test_opsgenies_client_opens_acknowledges_and_closes(doors: Doors) -> None:
    with doors.on_a_port() as address:
        api = client(address, doors.key)
        payload = opsgenie_sdk.CreateAlertPayload(
            message="Gate 12 is stuck",
            alias="gate/12 é",
            description="It was tried three times.",
            responders=[{"name": "quais", "type": "team"}],
            tags=["quais"],
            details={"service": "gates"},
            entity="gate-12",
            source="watcher",
            priority="P1",
            note="seen at noon",
            user="watcher",
        )

        created = api.create_alert(payload)
        status = api.get_request_status(request_id=created.request_id)
        api.acknowledge_alert(status.data.alias, identifier_type="alias")
        note = opsgenie_sdk.CloseAlertPayload(note="it opens again")
        api.close_alert(created.id, close_alert_payload=note)  # asks for the id itself

    assert created.result == "Request will be processed"
    assert (status.data.is_success, status.data.status) == (True, "opened")
    assert (status.data.action, status.data.alias) == ("Create", "gate/12 é")
    assert types(doors) == [
        "incident.opened",
        "incident.source_acknowledged",
        "incident.recovered",
        "incident.restored",
        "incident.resolved",
    ]


def test_opsgenies_client_is_told_what_to_do_instead(doors: Doors) -> None:
    with doors.on_a_port() as address:
        api = client(address, doors.key)
        with pytest.raises(opsgenie_sdk.exceptions.ConfigurationException) as refused:
            api.add_tags("gate/12", opsgenie_sdk.AddTagsToAlertPayload(tags=["x"]))
        with pytest.raises(opsgenie_sdk.exceptions.AuthenticationException):
            client(address, "wrong").create_alert(
                opsgenie_sdk.CreateAlertPayload(message="m")
            )

    assert refused.value.status == 422
    assert "create the alert again" in refused.value.body


def test_an_alert_sent_twice_is_one_trouble(doors: Doors) -> None:
    answers = [knock(doors, "POST", "/v2/alerts", ALERT) for _ in range(2)]

    assert [status for status, _ in answers] == [202, 202]
    assert answers[0][1]["requestId"] != answers[1][1]["requestId"]
    assert doors.opened() == 1


def test_without_an_alias_what_it_says_is_one(doors: Doors) -> None:
    alert = {"message": "Gate 12 is stuck", "entity": "gate-12"}
    _, first = knock(doors, "POST", "/v2/alerts", alert)
    knock(doors, "POST", "/v2/alerts", alert)
    _, status = knock(doors, "GET", f"/v2/alerts/requests/{first['requestId']}")
    data = status["data"]
    assert isinstance(data, dict)

    closed, _ = knock(doors, "POST", f"/v2/alerts/{data['alertId']}/close")

    assert doors.opened() == 1
    assert closed == 202
    assert types(doors)[-1] == "incident.resolved"


def test_closing_what_is_not_open_is_taken_and_tells_so(doors: Doors) -> None:
    path = "/v2/alerts/nothing/close?identifierType=alias"
    code, answer = knock(doors, "POST", path)
    _, status = knock(doors, "GET", f"/v2/alerts/requests/{answer['requestId']}")

    assert code == 202
    assert isinstance(status["data"], dict)
    assert status["data"]["isSuccess"] is False
    assert status["data"]["status"] == "nothing was open for it"


def test_a_note_is_written_on_what_is_open(doors: Doors) -> None:
    knock(doors, "POST", "/v2/alerts", ALERT)
    path = f"/v2/alerts/{alert_id('gate/12 é')}/notes"
    code, answer = knock(
        doors, "POST", path, {"note": "seen at noon", "user": "k.weiss"}
    )
    _, status = knock(doors, "GET", f"/v2/alerts/requests/{answer['requestId']}")

    assert code == 202
    assert isinstance(status["data"], dict)
    assert status["data"]["isSuccess"] is True
    noted = doors.log.since(0, 10)[-1].event
    assert isinstance(noted, IncidentSourceNoted)
    assert (noted.note, noted.author) == ("seen at noon", "k.weiss")
    assert noted.source == "demo"


def test_a_note_on_what_is_not_open_tells_so(doors: Doors) -> None:
    path = "/v2/alerts/nothing/notes?identifierType=alias"
    _, answer = knock(doors, "POST", path, {"note": "seen at noon"})
    _, status = knock(doors, "GET", f"/v2/alerts/requests/{answer['requestId']}")

    assert isinstance(status["data"], dict)
    assert status["data"]["status"] == "nothing is open for it"
    assert types(doors) == []


REFUSED: list[tuple[str, str, object, int, str]] = [
    ("POST", "/v2/alerts", {}, 422, "`message` cannot be empty"),
    ("POST", "/v2/alerts", {"message": " "}, 422, "`message` cannot be empty"),
    ("POST", "/v2/alerts", {"message": 7}, 422, "`message` cannot be empty"),
    ("POST", "/v2/alerts", {**ALERT, "priority": "P9"}, 422, "P1, P2"),
    ("POST", "/v2/alerts", {**ALERT, "alias": 7}, 422, "an alias"),
    ("POST", "/v2/alerts", {**ALERT, "alias": "x" * 513}, 422, "at most 512"),
    ("POST", "/v2/alerts", [], 422, "a JSON object"),
    ("POST", "/v2/alerts/7f0e/close", {}, 422, "identifierType=alias"),
    ("POST", "/v2/alerts/7/close?identifierType=tiny", {}, 422, "no tiny id"),
    ("POST", "/v2/alerts//close?identifierType=alias", {}, 422, "no alert"),
    ("POST", "/v2/alerts/a/snooze", {}, 422, "pause"),
    ("PUT", "/v2/alerts/a/priority", {}, 422, "create the alert again"),
    ("DELETE", "/v2/alerts/a", None, 422, "close the alert"),
    ("GET", "/v2/alerts/a", None, 404, "queues/all/incidents"),
    ("GET", "/v2/alerts", None, 404, "queues/all/incidents"),
    ("GET", "/v2/alerts/requests/unknown", None, 404, "no such request"),
]


def test_what_cannot_be_done_is_refused_in_opsgenies_form(doors: Doors) -> None:
    for method, path, said, status, word in REFUSED:
        code, answer = knock(doors, method, path, said)

        assert code == status, path
        assert set(answer) == {"message", "took", "requestId"}
        assert word in str(answer["message"])
    assert types(doors) == []


LOCKED = [
    ("POST", "/v2/alerts"),
    ("POST", "/v2/alerts/a/close"),
    ("POST", "/v2/alerts/a/snooze"),
    ("GET", "/v2/alerts/requests/a"),
    ("GET", "/v2/alerts"),
]


def test_without_a_key_nothing_is_told(doors: Doors) -> None:
    for method, path in LOCKED:
        for header in (NOBODY, {"Authorization": "GenieKey wrong"}):
            answer = doors.knock(method, path, b"{}", header)

            assert answer.status_code == 401, path
            assert set(answer.json()) == {"message", "took", "requestId"}


def test_who_must_come_again_hears_when(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise Overloaded("full")

    monkeypatch.setattr(Reception, "receive", full)

    answer = doors.knock("POST", "/v2/alerts", orjson.dumps(ALERT))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert set(answer.json()) == {"message", "took", "requestId"}
