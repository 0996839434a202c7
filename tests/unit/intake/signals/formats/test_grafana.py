"""Grafana's webhook, unified and legacy. The bodies are our own."""

from typing import Any

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.schemas import Rejected
from tests.unit.intake.signals.formats.elements.adapter_result import (
    heard,
    ignored,
    rejected,
    signal,
    without,
)

FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "Till offline", "severity": "high", "service": "caisses"},
    "annotations": {"summary": "Till 4 does not answer"},
    "startsAt": "2025-06-30T08:52:00.62281314+02:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "?orgId=1",
    "fingerprint": "c0ffee",
    "dashboardURL": "https://grafana.example/d/till",
    "panelURL": "",
    "values": {"B": 22, "C": 1},
}
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2025-06-30T09:05:00+02:00"}
RULE: dict[str, Any] = {
    "ruleId": 12,
    "ruleName": "Till 4",
    "ruleUrl": "https://grafana.example/d/till?panelId=2",
    "state": "alerting",
    "title": "[Alerting] Till 4",
    "message": "Somebody look",
    "evalMatches": [
        {"metric": "up", "value": 0, "tags": {"till": "4", "severity": "major"}},
        {"metric": "up", "value": 0, "tags": {"till": "5", "hall": "B"}},
    ],
}
RULE_OK = {**without(RULE, "evalMatches"), "state": "ok", "title": "[OK] Till 4"}


def group(*alerts: object) -> dict[str, object]:
    return {
        "version": "1",
        "status": "firing",
        "state": "alerting",
        "groupKey": "webhook-c0ffee-1",
        "alerts": list(alerts),
    }


def test_unified_alerting_sends_groups_under_version_1() -> None:
    one = signal("grafana", group(FIRING))

    assert (one.action, one.severity) == ("trigger", "error")
    assert (one.title, one.dedup_key) == ("Till 4 does not answer", "c0ffee")
    assert one.labels["severity"] == "high"
    assert str(one.occurred_at) == "2025-06-30 06:52:00.622813+00:00"
    assert '"values":{"B":22,"C":1}' in str(one.details)
    assert "panelURL" not in str(one.details)


def test_each_alert_of_a_mixed_group_says_how_it_is_itself() -> None:
    one, two, three = heard("grafana", group(FIRING, 7, RESOLVED))

    assert isinstance(one, Signal)
    assert isinstance(three, Signal)
    assert (one.action, three.action) == ("trigger", "resolve")
    assert one.dedup_key == three.dedup_key
    assert isinstance(two, Rejected)
    assert two.loc == ("alerts", 1)


def test_a_legacy_rule_fires_and_recovers_without_any_metric() -> None:
    fires, recovers = signal("grafana", RULE), signal("grafana", RULE_OK)

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "rule/12"
    assert fires.title == "Till 4"
    assert fires.severity == "error"
    assert fires.labels == {
        "rule": "Till 4",
        "state": "alerting",
        "till": "4",
        "severity": "major",
        "hall": "B",
    }
    assert "Somebody look" in str(fires.details)


def test_a_rule_without_data_fires_since_nobody_else_says_so() -> None:
    assert signal("grafana", {**RULE, "state": "no_data"}).action == "trigger"


@pytest.mark.parametrize("tags", ["", None, {}, []])
def test_tags_may_be_an_object_or_say_that_there_are_none(tags: object) -> None:
    match = {"metric": "up", "value": 0, "tags": tags}
    one = signal("grafana", {**RULE, "evalMatches": [match], "tags": tags})

    assert (one.severity, one.labels["rule"]) == (None, "Till 4")


def test_tags_of_the_rule_come_before_those_of_its_series() -> None:
    one = signal("grafana", {**RULE, "tags": {"severity": "critical"}})

    assert one.severity == one.labels["severity"] == "critical"


@pytest.mark.parametrize("matches", [None, "", {}, [None, 7, {}]])
def test_series_may_be_anything(matches: object) -> None:
    assert signal("grafana", {**RULE, "evalMatches": matches}).severity is None


@pytest.mark.parametrize("number", [0, "0"])
def test_rule_0_is_the_test_of_the_channel(number: object) -> None:
    one = ignored("grafana", {**RULE, "ruleId": number, "ruleName": "Test"})

    assert (one.action, one.title) == ("ignore", "Test")


@pytest.mark.parametrize("state", ["paused", "pending", "unknown"])
def test_a_rule_that_is_not_looked_at_tells_of_no_trouble(state: str) -> None:
    assert state in ignored("grafana", {**RULE, "state": state}).reason


@pytest.mark.parametrize(
    ("document", "reason", "loc"),
    [
        ([], "a JSON object", ()),
        ("text", "a JSON object", ()),
        ({}, "`ruleId` is missing", ("ruleId",)),
        ({"alerts": {}}, "an array", ("alerts",)),
        ({**RULE, "state": "odd"}, "alerting, ok", ("state",)),
        (without(RULE, "state"), "alerting, ok", ("state",)),
    ],
)
def test_what_cannot_be_told_says_why(
    document: object, reason: str, loc: tuple[str, ...]
) -> None:
    one = rejected("grafana", document)

    assert reason in one.reason
    assert one.loc == loc
