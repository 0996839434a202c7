"""The doors for machines, knocked at as no honest sender would."""

import httpx
import orjson
import pytest

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.signals.formats.alertmanager import ALERTS_MAX
from shared.eventlog.log import EventLog
from tests.integration.intake.conftest import NOW, POLICY
from tests.integration.intake.endpoints import Doors
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("event_id", ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 8_000])
def test_an_event_id_that_can_be_none_is_not_found(doors: Doors, event_id: str) -> None:
    assert doors.knock("GET", f"/v1/requests/{event_id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/events", 405),
        ("BREW", "/v1/requests/e-1", 405),
        ("POST", "/v1/queues", 404),
        ("GET", "/", 404),
        ("GET", "/v1/requests/e%0A1", 404),
        ("GET", "/nowhere%0A", 404),
    ],
)
def test_what_is_not_there_is_refused_like_all_else(
    doors: Doors, method: str, path: str, status: int
) -> None:
    answer = doors.knock(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) is (status == 405)


def test_a_crowd_that_can_be_no_alerts_is_kept_as_a_whole(doors: Doors) -> None:
    crowd = orjson.dumps({"alerts": [{}] * (ALERTS_MAX + 1)})

    answer = doors.knock("POST", "/v1/integrations/alertmanager", crowd)

    assert answer.status_code == 202
    assert [r["status"] for r in answer.json()["results"]] == ["quarantined"]


def test_a_form_is_taken_as_json_is(doors: Doors) -> None:
    form = b"monitorID=779&monitorFriendlyName=Ticket+shop&alertType=1"
    path = f"/v1/integrations/uptimerobot/{doors.key}"
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}

    answer = doors.knock("POST", path, form, kind)

    assert answer.status_code == 202
    (result,) = answer.json()["results"]
    assert (result["status"], result["dedup_key"]) == ("opened", "779")


ALERT = {"environment": "Production", "resource": "web-3", "event": "HttpDown"}


def test_alertas_clients_are_answered_as_alerta_does(doors: Doors) -> None:
    def send(**said: object) -> httpx.Response:
        body = orjson.dumps({**ALERT, "severity": "major", **said})
        key = {"Authorization": f"Key {doors.key}"}
        return doors.knock("POST", "/v1/integrations/alerta/alert", body, key)

    opened, again = send(), send()
    gone, nothing = send(severity="normal"), send(severity="normal", event="Other")

    assert [a.status_code for a in (opened, again, gone)] == [201, 201, 201]
    assert opened.json()["id"].startswith("INC-")
    assert again.json()["id"] == opened.json()["id"]
    assert (opened.json()["alert"]["repeat"], again.json()["alert"]["repeat"]) == (
        False,
        True,
    )
    assert gone.json()["alert"]["status"] == "closed"
    assert nothing.status_code == 202
    assert nothing.json()["status"] == "ok"
    assert "alert" not in nothing.json()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{}", 400, "`resource` is missing"),
        (b"[]", 400, "not an alert"),
        (b"no JSON", 400, "not JSON"),
    ],
)
def test_alertas_clients_are_refused_as_alerta_does(
    doors: Doors, body: bytes, status: int, said: str
) -> None:
    path = f"/v1/integrations/alerta/{doors.key}/alert"
    answer = doors.knock("POST", path, body, {"Authorization": ""})

    assert answer.status_code == answer.json()["code"] == status
    assert answer.json()["status"] == "error"
    assert said in answer.json()["message"]


def test_alertas_clients_need_a_key_except_for_their_settings(doors: Doors) -> None:
    nobody = {"Authorization": ""}
    refused = doors.knock("POST", "/v1/integrations/alerta/alert", b"{}", nobody)
    asked = doors.knock("GET", "/v1/integrations/alerta/any/config", b"", nobody)

    assert (refused.status_code, refused.json()["status"]) == (401, "error")
    assert (asked.status_code, asked.json()) == (200, {})


def test_the_whole_life_of_a_trouble_may_come_in_one_webhook(doors: Doors) -> None:
    incident = {"incident_key": "gate/12", "trigger_summary_data": {"subject": "Stuck"}}
    kinds = ("incident.trigger", "incident.acknowledge", "incident.resolve")
    body = orjson.dumps(
        {
            "messages": [
                {"id": kind, "type": kind, "data": {"incident": incident}}
                for kind in kinds
            ]
        }
    )

    first = doors.knock("POST", "/v1/integrations/pagerduty", body).json()
    again = doors.knock("POST", "/v1/integrations/pagerduty", body).json()

    statuses = [result["status"] for result in first["results"]]
    assert statuses == ["opened", "signalled", "recovered"]
    assert (again["accepted"], again["duplicates"]) == (3, 3)


def test_what_no_webhook_of_theirs_is_is_kept(doors: Doors) -> None:
    for kind in ("pagerduty", "opsgenie"):
        answer = doors.knock("POST", f"/v1/integrations/{kind}", b'{"a":1}').json()

        assert [result["status"] for result in answer["results"]] == ["quarantined"]


def test_a_source_without_a_mapping_is_told_what_to_write(doors: Doors) -> None:
    answer = doors.knock("POST", "/v1/integrations/mapped", b"{}")

    assert answer.status_code == 422
    assert answer.json()["code"] == "unmapped"
    assert "`sources: {demo: {type: mapped, mapping:" in answer.json()["detail"]


def test_any_system_is_taken_in_by_the_mapping_of_its_source(
    doors: Doors, ruled: Database
) -> None:
    apply_mapping(
        ruled, "{title: text, action: {from: up, values: {'false': trigger}}}"
    )
    body = b'[{"text": "Door open", "up": false}, {"text": "Door", "up": null}]'

    answer = doors.knock("POST", f"/v1/integrations/mapped/{doors.key}", body)

    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [r["status"] for r in results] == ["opened", "quarantined"]


def apply_mapping(desk: Database, mapping: str) -> None:
    """Put a policy in force that maps the source `demo`, in the zone of Paris."""
    text = POLICY.read_text(encoding="utf-8").replace(
        "demo: {type: native}",
        f"demo: {{type: mapped, timezone: Europe/Paris, mapping: {mapping}}}",
    )
    log = EventLog.open(desk.owner_dsn)
    signature = Signature(by="root", reason="a mapping")
    applied = policy_store.apply(log, text, signature, NOW, "test")
    log.close()
    assert isinstance(applied, Applied), applied
