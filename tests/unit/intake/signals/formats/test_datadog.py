"""Datadog's webhooks, as they come and as people make them. The bodies are our own."""

from typing import Any

import pytest
from hypothesis import given

from services.intake.records.signal import DETAILS_MAX
from tests.unit.intake.signals.formats.elements.adapter_result import (
    rejected,
    signal,
    without,
)
from tests.unit.intake.signals.formats.elements.bent_bodies import (
    JSON,
    bent,
    never_raises,
)

DEFAULT: dict[str, Any] = {
    "body": "%%%\n@webhook-desk\n\n[[Monitor Status]"
    "(https://app.datadoghq.eu/monitors#4711?)] · [[Edit Monitor]"
    "(https://app.datadoghq.eu/monitors#4711/edit)]\n%%%",
    "last_updated": "1751266690000",
    "event_type": "query_alert_monitor",
    "title": "[Triggered on {host:portail-01}] Disk of the portal is full",
    "date": "1751266681000",
    "org": {"id": "1", "name": "Mairie"},
    "id": "700000000001",
}
OWN: dict[str, Any] = {
    "alert_id": "4711",
    "alert_transition": "Triggered",
    "alert_scope": "host:portail-01, env:prod",
    "alert_priority": "P2",
    "title": "Disk of the portal is full",
    "date": "1751266681000",
    "id": "700000000001",
    "tags": "service:portail,env:prod,env:eu,urgent",
    "aggreg_key": "9bd4ac",
}


def test_the_default_payload_says_its_state_only_in_the_title() -> None:
    heard = signal("datadog", DEFAULT)

    assert (heard.action, heard.severity) == ("trigger", None)
    assert heard.title == "Disk of the portal is full"
    assert heard.dedup_key == "monitor/4711/host:portail-01"
    assert heard.event_id == "700000000001"
    assert str(heard.occurred_at) == "2025-06-30 06:58:01+00:00"
    assert heard.labels == {
        "event_type": "query_alert_monitor",
        "org": "Mairie",
        "state": "triggered",
        "monitor": "4711",
    }


@pytest.mark.parametrize(
    ("prefix", "action", "severity"),
    [
        ("[Triggered]", "trigger", None),
        ("[Re-Triggered]", "trigger", None),
        ("[Warn]", "trigger", "warning"),
        ("[Re-Warn]", "trigger", "warning"),
        ("[No Data]", "trigger", "warning"),
        ("[Re-No Data]", "trigger", "warning"),
        ("[Renotify]", "trigger", None),
        ("[recovered]", "resolve", None),
        ("", "trigger", None),
        ("[P1] [Recovered]", "resolve", "critical"),
        ("[P4] [Triggered on {host:a}]", "trigger", "info"),
        ("[Portal] [Recovered]", "trigger", None),
    ],
)
def test_the_state_is_what_the_title_begins_with(
    prefix: str, action: str, severity: str | None
) -> None:
    heard = signal("datadog", {**DEFAULT, "title": f"{prefix} Disk"})

    assert (heard.action, heard.severity) == (action, severity)


def test_a_title_goes_without_its_state_but_keeps_other_brackets() -> None:
    heard = signal("datadog", {**DEFAULT, "title": "[Triggered] [TEST] Disk"})

    assert heard.title == "[TEST] Disk"


@pytest.mark.parametrize("said", ["Recovered", "recovered"])
def test_a_transition_goes_before_the_title(said: str) -> None:
    body = {**DEFAULT, "alert_transition": said}

    assert signal("datadog", body).action == "resolve"


@pytest.mark.parametrize(
    ("kind", "action"),
    [("success", "resolve"), ("error", "trigger"), ("info", "trigger")],
)
def test_the_type_says_the_state_where_nothing_else_does(
    kind: str, action: str
) -> None:
    body = {**without(OWN, "alert_transition"), "alert_type": kind}

    assert signal("datadog", body).action == action


@pytest.mark.parametrize("scope", ["host:a,env:prod", "env:prod, host:a", None])
def test_the_groups_of_a_monitor_are_troubles_of_their_own(scope: str | None) -> None:
    firing = signal("datadog", {**OWN, "alert_scope": "env:prod,host:a"})
    over = {**OWN, "alert_transition": "Recovered", "alert_scope": scope}

    heard = signal("datadog", over)
    assert (heard.dedup_key == firing.dedup_key) is (scope is not None)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"monitor_id": 4711, "scopes": []}, "monitor/4711"),
        ({"monitor_id": 4711, "scopes": ["b:1", "a:1"]}, "monitor/4711/a:1,b:1"),
        ({"link": "https://app.datadoghq.com/monitors/4711?x=1"}, "monitor/4711"),
        ({"aggreg_key": "9bd4ac", "alert_cycle_key": "c1"}, "aggregate/9bd4ac"),
        ({"alert_cycle_key": "c1"}, "cycle/c1"),
        ({}, "title/Disk"),
    ],
)
def test_the_trouble_has_the_best_name_there_is(
    fields: dict[str, object], key: str
) -> None:
    firing = signal("datadog", {"title": "[Triggered] Disk", **fields})
    over = signal("datadog", {"title": "[Recovered] Disk", **fields})

    assert firing.dedup_key == over.dedup_key == key


@pytest.mark.parametrize(
    ("field", "said", "severity"),
    [
        ("alert_priority", "P1", "critical"),
        ("alert_priority", "p2", "error"),
        ("priority", "P3", "warning"),
        ("priority", 4, "info"),
        ("priority", "5", "info"),
        ("priority", "normal", None),
        ("priority", "low", None),
        ("priority", None, None),
    ],
)
def test_a_priority_is_a_severity(
    field: str, said: object, severity: str | None
) -> None:
    body = {**without(OWN, "alert_priority"), field: said}

    assert signal("datadog", body).severity == severity


@pytest.mark.parametrize(
    ("priority", "severity"),
    [("P1", "warning"), ("P3", "warning"), ("P4", "info"), (None, "warning")],
)
def test_a_warning_is_no_more_than_a_warning(
    priority: str | None, severity: str
) -> None:
    body = {**OWN, "alert_transition": "Warn", "alert_priority": priority}

    assert signal("datadog", body).severity == severity


def test_tags_are_labels_and_a_name_that_comes_twice_has_both_values() -> None:
    labels = signal("datadog", OWN).labels

    assert labels["service"] == "portail"
    assert labels["env"] == "prod,eu"
    assert not labels["urgent"]
    assert labels["severity"] == "P2"


def test_a_name_that_was_not_filled_in_says_nothing() -> None:
    body = {
        "alert_id": "$ALERT_ID",
        "alert_transition": "$ALERT_TRANSITION",
        "alert_scope": "$TAGS[host]",
        "priority": "$ALERT_PRIORITY",
        "title": "{{host.name}}",
        "alert_title": "[Recovered on {host:a}] Disk of {{host.name}}",
        "aggreg_key": "9bd4ac",
    }

    heard = signal("datadog", body)
    assert (heard.action, heard.severity) == ("resolve", None)
    assert heard.dedup_key == "aggregate/9bd4ac"
    assert heard.title == "Disk of {{host.name}}"
    assert heard.labels == {"state": "recovered"}
    assert "$ALERT" not in str(heard.details)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ([], ()),
        ({}, ("alert_id",)),
        ({"title": "$EVENT_TITLE"}, ("alert_id",)),
        ({**OWN, "alert_transition": "Odd"}, ("alert_transition",)),
    ],
)
def test_what_cannot_be_mapped_says_where(body: object, loc: tuple[str, ...]) -> None:
    assert rejected("datadog", body).loc == loc


def test_what_is_too_long_is_cut_not_refused() -> None:
    tags = ",".join(f"t{n}:{'x' * 2_000}" for n in range(99))
    heard = signal("datadog", {**OWN, "alert_id": "7" * 900, "tags": tags})

    assert heard.dedup_key.startswith("sha256:")
    assert len(str(heard.details)) <= DETAILS_MAX


@given(bent(DEFAULT), bent(OWN), JSON)
def test_whatever_comes_it_never_raises(default: Any, own: Any, other: Any) -> None:
    never_raises("datadog", default, own, other)
