"""Azure Monitor in its three schemas. The bodies are our own."""

from typing import Any

import pytest
from hypothesis import given

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

GROUP = "/subscriptions/9f7c/resourceGroups/Mairie/providers"
RULE = f"{GROUP}/Microsoft.Insights/metricAlerts/Disk%20full"
MACHINE = f"{GROUP}/Microsoft.Compute/virtualMachines/Portail01"
ALERT_ID = "/subscriptions/9f7c/providers/Microsoft.AlertsManagement/alerts/0B1C"
CLASSIC: dict[str, Any] = {
    "status": "Activated",
    "context": {
        "timestamp": "2025-06-30T06:58:01.1234567Z",
        "id": f"{GROUP}/microsoft.insights/alertrules/Lent",
        "name": "Lent",
        "description": "Answers take too long",
        "condition": {"metricName": "Latency", "metricValue": "900"},
        "resourceName": "portail",
        "resourceId": f"{GROUP}/microsoft.web/sites/Portail",
    },
    "properties": {"service": "portail", "contact": {"a": 1}, "floor": 3},
}


def metric(status: str, *dimensions: tuple[str, str], **more: object) -> dict[str, Any]:
    named = (("microsoft.resourceId", MACHINE), *dimensions)
    criteria = [{"dimensions": [{"name": n, "value": v} for n, v in named]}]
    context = {
        "timestamp": "2025-06-30T06:58:01.1234567Z",
        "id": RULE,
        "name": "Disk full",
        "severity": "1",
        "condition": {"windowSize": "PT5M", "allOf": criteria},
        "resourceId": MACHINE,
        **more,
    }
    data = {"version": "2.0", "status": status, "context": context, "properties": None}
    return {"schemaId": "AzureMonitorMetricAlert", "data": data}


def common(condition: str, **more: object) -> dict[str, Any]:
    essentials = {
        "alertId": ALERT_ID,
        "alertRule": "Disk full",
        "severity": "Sev0",
        "signalType": "Metric",
        "monitorCondition": condition,
        "alertTargetIDs": [MACHINE],
        "firedDateTime": "2025-06-30T06:58:01.1234567Z",
        "resolvedDateTime": "2025-06-30T07:05:00.0000000Z",
        "description": "Less than 5 % is free",
        **more,
    }
    context = {"properties": {"team": "n2"}, "condition": {"allOf": []}}
    data = {
        "essentials": essentials,
        "alertContext": context,
        "customProperties": {"service": "portail"},
    }
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data}


def test_a_classic_alert_has_no_severity_and_its_own_properties_are_labels() -> None:
    heard = signal("azure_monitor", CLASSIC)

    assert (heard.action, heard.severity, heard.title) == ("trigger", None, "Lent")
    assert str(heard.occurred_at) == "2025-06-30 06:58:01.123456+00:00"
    assert heard.labels["service"] == "portail"
    assert heard.labels["floor"] == "3"
    assert "contact" not in heard.labels


@pytest.mark.parametrize("status", ["Resolved", "Deactivated", "deactivated"])
def test_the_case_of_a_resource_says_nothing_of_the_trouble(status: str) -> None:
    context = {
        "id": CLASSIC["context"]["id"].upper(),
        "resourceId": CLASSIC["context"]["resourceId"].lower(),
    }
    over = signal("azure_monitor", {"status": status, "context": context})

    assert over.action == "resolve"
    assert over.dedup_key == signal("azure_monitor", CLASSIC).dedup_key
    assert over.dedup_key == over.dedup_key.lower()


def test_a_metric_alert_and_its_end_are_one_trouble() -> None:
    firing = signal("azure_monitor", metric("Activated"))
    over = signal("azure_monitor", metric("Deactivated", condition={}))

    assert (firing.action, firing.severity) == ("trigger", "error")
    assert over.action == "resolve"
    assert firing.dedup_key == over.dedup_key


def test_each_series_of_a_resource_is_a_trouble_of_its_own() -> None:
    c, d = metric("Activated", ("Drive", "C:")), metric("Activated", ("Drive", "D:"))
    over = metric("Deactivated", ("Drive", "D:"))

    keys = [signal("azure_monitor", body).dedup_key for body in (c, d, over)]
    assert keys[0] != keys[1]
    assert keys[1] == keys[2]


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        (0, "critical"),
        ("1", "error"),
        (2, "warning"),
        ("3", "info"),
        (4, "info"),
        ("Sev2", "warning"),
        ("7", None),
        (None, None),
    ],
)
def test_a_severity_is_a_number_in_text_or_not(said: object, severity: str) -> None:
    heard = signal("azure_monitor", metric("Activated", severity=said))

    assert heard.severity == severity
    assert heard.labels.get("severity") == (None if said is None else str(said))


@pytest.mark.parametrize(
    ("said", "severity"),
    [("Sev0", "critical"), ("Sev1", "error"), ("Sev3", "info"), ("Sev4", "info")],
)
def test_the_common_schema_fires_and_is_resolved_under_one_id(
    said: str, severity: str
) -> None:
    firing = signal("azure_monitor", common("Fired", severity=said))
    over = signal(
        "azure_monitor",
        common("Resolved", alertId=ALERT_ID.lower(), alertTargetIDs=None),
    )

    assert (firing.action, firing.severity) == ("trigger", severity)
    assert over.action == "resolve"
    assert firing.dedup_key == over.dedup_key
    assert str(firing.occurred_at) == "2025-06-30 06:58:01.123456+00:00"
    assert str(over.occurred_at) == "2025-06-30 07:05:00+00:00"
    assert firing.labels["service"] == "portail"
    assert firing.labels["team"] == "n2"
    assert firing.labels["resource"] == MACHINE.lower()


def test_a_rule_that_is_a_whole_resource_is_shown_by_its_name() -> None:
    heard = signal("azure_monitor", common("Fired", alertRule=f"{GROUP}/rules/Slow"))

    assert heard.title == "Slow"


def test_without_an_id_rule_and_targets_name_the_trouble() -> None:
    body, over = common("Fired"), common("Resolved")
    for each in (body, over):
        del each["data"]["essentials"]["alertId"]

    firing = signal("azure_monitor", body)
    assert firing.dedup_key == signal("azure_monitor", over).dedup_key
    assert firing.dedup_key != signal("azure_monitor", common("Fired")).dedup_key


def test_a_test_of_an_action_group_is_ignored() -> None:
    nobody = "/subscriptions/11111111-1111-1111-1111-111111111111"
    body = common("Fired", alertId=f"{nobody}/alerts/1", alertRule="test-rule")

    assert ignored("azure_monitor", body).title == "test-rule"


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ([], ()),
        ({}, ("schemaId",)),
        ({"schemaId": "Microsoft.Insights/LogAlert", "data": {}}, ("schemaId",)),
        ({**CLASSIC, "status": "Odd"}, ("status",)),
        ({**CLASSIC, "context": None}, ("context", "id")),
        (metric("Odd"), ("data", "status")),
        (metric("Activated", id=""), ("data", "context", "id")),
        (common("Odd"), ("data", "essentials", "monitorCondition")),
        (common("Fired", alertId=""), ("data", "essentials", "alertId")),
    ],
)
def test_what_cannot_be_mapped_says_where(body: object, loc: tuple[str, ...]) -> None:
    assert rejected("azure_monitor", body).loc == loc


def test_what_is_too_long_is_cut_not_refused() -> None:
    body = common("Fired", alertId="/a" * 400, alertRule="r" * 2_000)
    body["data"]["customProperties"] = {f"p{n}": "x" * 2_000 for n in range(99)}

    assert len(signal("azure_monitor", body).title) == 1_024


@given(bent(CLASSIC) | JSON, JSON, JSON)
def test_whatever_comes_it_never_raises(body: Any, some: Any, other: Any) -> None:
    never_raises("azure_monitor", body)
    never_raises("azure_monitor", metric("Activated", condition=some, severity=other))
    never_raises("azure_monitor", common("Fired", alertTargetIDs=some, alertRule=other))
    never_raises("azure_monitor", {**without(common("Fired"), "data"), "data": some})
