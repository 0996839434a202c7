"""New Relic's workflows, and its alerts of before. The bodies are our own."""

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

ISSUE: dict[str, Any] = {
    "id": "3f0c7a52-0000-4000-8000-000000000001",
    "issueUrl": "https://radar-api.service.eu.newrelic.com/accounts/1/issues/another",
    "title": "Portal answers in more than 2 s",
    "priority": "HIGH",
    "impactedEntities": ["portail-01", "portail-02"],
    "totalIncidents": 1,
    "state": "ACTIVATED",
    "trigger": "STATE_CHANGE",
    "createdAt": 1751266681000,
    "updatedAt": 1751267100000,
    "alertPolicyNames": ["Portal"],
    "alertConditionNames": ["Latency"],
    "workflowName": "Desk",
}
INCIDENT: dict[str, Any] = {
    "account_id": 77,
    "account_name": "Mairie",
    "incident_id": 1234,
    "current_state": "open",
    "severity": "WARN",
    "condition_name": "Latency of the portal",
    "policy_name": "Portal",
    "details": "Latency > 2 s",
    "event_type": "INCIDENT",
    "timestamp": 1751266681000,
    "targets": [
        {"name": "portail", "type": "Application", "labels": {"service": "portail"}}
    ],
}


@pytest.mark.parametrize("state", ["CREATED", "ACTIVATED", "activated"])
def test_an_issue_is_a_trouble(state: str) -> None:
    heard = signal("newrelic", {**ISSUE, "state": state})

    assert (heard.action, heard.severity) == ("trigger", "error")
    assert heard.title == "Portal answers in more than 2 s"
    assert str(heard.occurred_at) == "2025-06-30 06:58:01+00:00"
    assert heard.labels == {
        "policy": "Portal",
        "condition": "Latency",
        "entity": "portail-01, portail-02",
        "severity": "HIGH",
        "workflow": "Desk",
    }


def test_a_closed_issue_is_its_recovery_by_its_id_not_by_its_link() -> None:
    over = {"id": ISSUE["id"], "state": "CLOSED", "updatedAt": 1751267100000}
    heard = signal("newrelic", over)

    assert heard.action == "resolve"
    assert heard.dedup_key == signal("newrelic", ISSUE).dedup_key
    assert heard.dedup_key == f"issue/{ISSUE['id']}"
    assert str(heard.occurred_at) == "2025-06-30 07:05:00+00:00"


@pytest.mark.parametrize(
    ("state", "why", "action"),
    [
        ("ACKNOWLEDGED", "STATE_CHANGE", "acknowledge"),
        ("ACTIVATED", "ISSUE_ACKNOWLEDGED", "acknowledge"),
        ("CLOSED", "ISSUE_ACKNOWLEDGED", "resolve"),
        ("ACTIVATED", "PRIORITY_CHANGED", "trigger"),
    ],
)
def test_an_issue_may_be_acknowledged_and_stay_active(
    state: str, why: str, action: str
) -> None:
    body = {**ISSUE, "state": state, "trigger": why}

    assert signal("newrelic", body).action == action


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("CRITICAL", "critical"),
        ("HIGH", "error"),
        ("MEDIUM", "warning"),
        ("LOW", "info"),
        ("page", None),
        (None, None),
    ],
)
def test_a_priority_is_a_severity(said: object, severity: str | None) -> None:
    assert signal("newrelic", {**ISSUE, "priority": said}).severity == severity


@pytest.mark.parametrize("when", ["Monday", "", None, "{{createdAt}}", [1]])
def test_an_instant_that_cannot_be_read_is_none(when: object) -> None:
    assert signal("newrelic", {**ISSUE, "createdAt": when}).occurred_at is None


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({"title": ["One", "Two"]}, "One"),
        ({"title": "{{ annotations.title }}"}, "Latency"),
        ({"title": [], "alertConditionNames": None}, "an alert without a name"),
    ],
)
def test_a_title_may_be_a_list(more: dict[str, Any], title: str) -> None:
    assert signal("newrelic", {**ISSUE, **more}).title == title


def test_an_incident_of_before_is_a_trouble() -> None:
    heard = signal("newrelic", INCIDENT)

    assert (heard.action, heard.severity) == ("trigger", "warning")
    assert heard.title == "Latency of the portal"
    assert str(heard.occurred_at) == "2025-06-30 06:58:01+00:00"
    assert heard.labels == {
        "service": "portail",
        "target": "portail",
        "target_type": "Application",
        "account": "Mairie",
        "policy": "Portal",
        "condition": "Latency of the portal",
        "severity": "WARN",
    }


@pytest.mark.parametrize(
    ("state", "action"), [("acknowledged", "acknowledge"), ("Closed", "resolve")]
)
def test_what_follows_has_less_to_say_and_is_of_the_same_trouble(
    state: str, action: str
) -> None:
    heard = signal("newrelic", {"current_state": state, "incident_id": "1234"})

    assert heard.action == action
    assert heard.dedup_key == signal("newrelic", INCIDENT).dedup_key


def test_an_issue_and_an_incident_of_one_number_are_two_troubles() -> None:
    issue = signal("newrelic", {**ISSUE, "id": "1234"})

    assert issue.dedup_key != signal("newrelic", INCIDENT).dedup_key


def test_a_test_notification_opens_nothing() -> None:
    heard = ignored("newrelic", {**INCIDENT, "current_state": "test"})

    assert heard.title == "Latency of the portal"


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ([], ()),
        ({"title": "x"}, ()),
        ({**ISSUE, "state": "ODD"}, ("state",)),
        ({**ISSUE, "id": "{{issueId}}"}, ("id",)),
        ({**INCIDENT, "current_state": "odd"}, ("current_state",)),
        (without(INCIDENT, "incident_id"), ("incident_id",)),
    ],
)
def test_what_cannot_be_mapped_says_where(body: object, loc: tuple[str, ...]) -> None:
    assert rejected("newrelic", body).loc == loc


def test_what_is_too_long_is_cut_not_refused() -> None:
    long = {"id": "i" * 900, "title": "t" * 9_000, "impactedEntities": ["e" * 99] * 99}
    heard = signal("newrelic", {**ISSUE, **long})

    assert heard.dedup_key.startswith("sha256:")
    assert len(heard.title) == len(heard.labels["entity"]) == 1_024


@given(bent(ISSUE), bent(INCIDENT), JSON)
def test_whatever_comes_it_never_raises(issue: Any, incident: Any, other: Any) -> None:
    never_raises("newrelic", issue, incident, other)
