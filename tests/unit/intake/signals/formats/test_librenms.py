"""LibreNMS' API transport. The bodies are our own."""

from typing import Any

import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    PARIS,
    rejected,
    signal,
    without,
)

ALERT: dict[str, Any] = {
    "title": "Alert for device switch-7 - Port down",
    "hostname": "switch-7.example",
    "sysName": "switch-7",
    "ip": "10.0.7.1",
    "device_id": "31",
    "rule_id": "5",
    "id": "88",
    "uid": "1201",
    "alert_id": "64",
    "name": "Port down",
    "severity": "critical",
    "state": "1",
    "timestamp": "2025-06-30 08:52:01",
    "elapsed": "",
    "location": "hall B",
    "msg": "Port Gi0/4 is down",
}


def test_an_alert_and_its_recovery_are_one_trouble() -> None:
    recovery = {**ALERT, "state": "0", "severity": "ok", "id": "91", "uid": "1202"}
    fires, recovers = signal("librenms", ALERT), signal("librenms", recovery)

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "rule/5/device/31"
    assert (fires.severity, recovers.severity) == ("critical", None)
    assert recovers.labels["severity"] == "ok"
    assert fires.title == "Alert for device switch-7 - Port down"
    assert "Port Gi0/4 is down" in str(fires.details)
    assert "elapsed" not in str(fires.details)


def test_a_time_without_a_zone_is_that_of_the_source() -> None:
    assert str(signal("librenms", ALERT, PARIS).occurred_at)[11:] == "06:52:01+00:00"
    assert str(signal("librenms", ALERT).occurred_at)[11:] == "08:52:01+00:00"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (0, "resolve"),
        ("ok", "resolve"),
        (1, "trigger"),
        ("2", "acknowledge"),
        ("3", "trigger"),
        ("4", "trigger"),
        ("5", "trigger"),
        ("Worse", "trigger"),
    ],
)
def test_worse_better_or_changed_it_still_fires(state: object, action: str) -> None:
    assert signal("librenms", {**ALERT, "state": state}).action == action


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (without(ALERT, "rule_id", "name"), ("rule_id",)),
        (without(ALERT, "device_id", "hostname"), ("device_id",)),
        ({**ALERT, "device_id": "{{ $device_id }}", "hostname": ""}, ("device_id",)),
        ({**ALERT, "state": "9"}, ("state",)),
        ({**ALERT, "state": None}, ("state",)),
        ([ALERT], ()),
    ],
)
def test_what_cannot_be_told_names_the_field(
    document: object, loc: tuple[str, ...]
) -> None:
    assert rejected("librenms", document).loc == loc
