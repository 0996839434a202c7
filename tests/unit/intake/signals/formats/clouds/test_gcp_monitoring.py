"""Google Cloud Monitoring, versions 1.0 to 1.2. The bodies are our own."""

from typing import Any

import orjson
import pytest
from hypothesis import given

from services.intake.records.signal import DETAILS_MAX
from tests.unit.intake.signals.formats.elements.adapter_result import (
    ignored,
    rejected,
    signal,
    without,
)
from tests.unit.intake.signals.formats.elements.bent_bodies import (
    JSON,
    bent,
    never_raises,
)

INCIDENT: dict[str, Any] = {
    "incident_id": "0.portail7c",
    "scoping_project_id": "mairie",
    "url": "https://console.cloud.google.com/monitoring/alerting/incidents/0.portail7c",
    "started_at": 1751266681,
    "ended_at": None,
    "state": "open",
    "summary": "Latency of the portal is above 2 s",
    "policy_name": "Portal is slow",
    "condition_name": "Latency",
    "resource": {"type": "gce_instance", "labels": {"zone": "europe-west9-a"}},
    "resource_display_name": "portail-01",
    "metric": {"type": "x", "labels": {"code": "200"}},
    "metadata": {"user_labels": {"env": "prod"}, "system_labels": {"severity": "x"}},
    "policy_user_labels": {"service": "portail"},
    "documentation": {"content": "See the runbook", "mime_type": "text/markdown"},
}
OVER = {**INCIDENT, "state": "closed", "ended_at": 1751267100}


def body(incident: object = INCIDENT, version: str = "1.2") -> dict[str, Any]:
    return {"incident": incident, "version": version}


def test_an_open_incident_is_a_trouble() -> None:
    heard = signal("gcp_monitoring", body())

    assert (heard.action, heard.severity) == ("trigger", None)
    assert heard.title == "Latency of the portal is above 2 s"
    assert str(heard.occurred_at) == "2025-06-30 06:58:01+00:00"
    assert heard.labels == {
        "zone": "europe-west9-a",
        "code": "200",
        "env": "prod",
        "service": "portail",
        "project": "mairie",
        "policy": "Portal is slow",
        "condition": "Latency",
        "resource": "portail-01",
    }


@pytest.mark.parametrize("state", ["closed", "CLOSED", " Closed "])
def test_a_closed_one_is_its_recovery_in_any_case(state: str) -> None:
    heard = signal("gcp_monitoring", body({**OVER, "state": state}))

    assert heard.action == "resolve"
    assert heard.dedup_key == signal("gcp_monitoring", body()).dedup_key
    assert str(heard.occurred_at) == "2025-06-30 07:05:00+00:00"


def test_a_recovery_that_says_nothing_but_its_id_closes_the_same_trouble() -> None:
    least = {"incident_id": "0.portail7c", "state": "CLOSED"}
    heard = signal("gcp_monitoring", body(least, "1.1"))

    assert heard.dedup_key == signal("gcp_monitoring", body()).dedup_key
    assert heard.title == "an alert without a name"


def test_an_acknowledged_one_is_acknowledged() -> None:
    said = {**INCIDENT, "state": "ACKNOWLEDGED"}

    assert signal("gcp_monitoring", body(said)).action == "acknowledge"


@pytest.mark.parametrize("unknown", [0, None, "0", "", "soon"])
def test_an_instant_0_is_one_that_is_not_known(unknown: object) -> None:
    said = {**INCIDENT, "started_at": unknown}

    assert signal("gcp_monitoring", body(said)).occurred_at is None


@pytest.mark.parametrize(
    ("more", "severity", "label"),
    [
        ({"severity": "CRITICAL"}, "critical", "CRITICAL"),
        ({"severity": "Warning"}, "warning", "Warning"),
        ({"severity": "No severity"}, None, "No severity"),
        ({"policy_user_labels": {"severity": "error"}}, "error", "error"),
        ({"documentation": {"content": '{"severity": "info"}'}}, "info", "info"),
        ({"documentation": '{"severity": "info"}'}, "info", "info"),
        ({"metadata": {"system_labels": {"severity": "critical"}}}, None, None),
    ],
)
def test_a_severity_is_the_policys_wherever_people_wrote_it(
    more: dict[str, Any], severity: str | None, label: str | None
) -> None:
    heard = signal("gcp_monitoring", body({**INCIDENT, **more}))

    assert heard.severity == severity
    assert heard.labels.get("severity") == label


def test_documentation_that_is_json_in_a_text_is_read() -> None:
    content = orjson.dumps({"runbook": "R-7"}).decode()
    heard = signal(
        "gcp_monitoring", body({**INCIDENT, "documentation": {"content": content}})
    )

    assert orjson.loads(str(heard.details))["documentation"] == {"runbook": "R-7"}


@pytest.mark.parametrize("content", ["{", "[1]", '{"a":' * 40 + "1" + "}" * 40, 7])
def test_documentation_that_is_no_json_stays_what_it_is(content: object) -> None:
    said = {**INCIDENT, "documentation": {"content": content}}
    heard = signal("gcp_monitoring", body(said))

    told = orjson.loads(str(heard.details))["documentation"]
    assert told == {"content": content}


def test_a_test_notification_opens_nothing() -> None:
    heard = ignored("gcp_monitoring", body({**INCIDENT, "summary": "Trial"}, "test"))

    assert (heard.action, heard.title) == ("ignore", "Trial")


@pytest.mark.parametrize(
    ("said", "loc"),
    [
        (None, ()),
        ({"incident": 7}, ()),
        (body({**INCIDENT, "state": "odd"}), ("incident", "state")),
        (body(without(INCIDENT, "incident_id")), ("incident", "incident_id")),
    ],
)
def test_what_cannot_be_mapped_says_where(said: object, loc: tuple[str, ...]) -> None:
    assert rejected("gcp_monitoring", said).loc == loc


def test_what_is_too_long_is_cut_not_refused() -> None:
    heard = signal(
        "gcp_monitoring",
        body({**INCIDENT, "incident_id": "i" * 900, "summary": "s" * 9_000}),
    )

    assert len(heard.title) == 1_024
    assert len(str(heard.details)) <= DETAILS_MAX


@given(bent(INCIDENT), JSON)
def test_whatever_comes_it_never_raises(incident: Any, other: Any) -> None:
    never_raises("gcp_monitoring", body(incident))
    never_raises("gcp_monitoring", other)
