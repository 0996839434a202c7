"""Sentry's integration platform and its legacy plug-in. The bodies are our own."""

from typing import Any

import pytest
from hypothesis import given

from services.intake.signals.formats import ADAPTERS, NEVER_RECOVERS
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
    "id": "880042",
    "shortId": "PORTAIL-7",
    "title": "TimeoutError: the registry does not answer",
    "culprit": "portail.registry in ask",
    "level": "fatal",
    "status": "unresolved",
    "firstSeen": "2025-06-30T06:58:01.123456Z",
    "lastSeen": "2025-06-30T06:59:00.000000Z",
    "project": {"id": "3", "slug": "portail", "name": "Portail"},
}
EVENT: dict[str, Any] = {
    "event_id": "b1946ac92492d2347c6235b4d2611184",
    "issue_id": "880042",
    "title": "TimeoutError: the registry does not answer",
    "level": "error",
    "datetime": "2025-06-30T06:58:01.123456Z",
    "environment": "prod",
    "tags": [["service", "portail"], ["os", None], "odd"],
    "web_url": "https://sentry.example/organizations/mairie/issues/880042/",
    "exception": {"values": [{"stacktrace": {"frames": ["…"] * 1_000}}]},
}
METRIC: dict[str, Any] = {
    "id": "55",
    "identifier": "5",
    "title": "Too many errors on the portal",
    "alert_rule": {"id": "9", "name": "Too many errors", "environment": "prod"},
    "date_started": "2025-06-30T06:58:01.123456Z",
    "date_closed": None,
}
LEGACY: dict[str, Any] = {
    "id": "880042",
    "project": "portail",
    "project_slug": "portail",
    "level": "warning",
    "culprit": "portail.registry in ask",
    "message": "The registry does not answer",
    "url": "https://sentry.example/mairie/portail/issues/880042/",
    "event": {
        "event_id": "b1946ac92492d2347c6235b4d2611184",
        "received": 1751266681,
        "tags": [["service", "portail"]],
    },
}
HOOK_AT = {"sentry-hook-timestamp": "1751267100"}


def of(resource: str) -> dict[str, str]:
    return {"sentry-hook-resource": resource}


def issue(action: str, actor: str = "user", **more: object) -> dict[str, Any]:
    return {
        "action": action,
        "data": {"issue": {**ISSUE, **more}},
        "actor": {"type": actor, "id": 1, "name": "Nadia"},
    }


def event(**more: object) -> dict[str, Any]:
    data = {"event": {**EVENT, **more}, "triggered_rule": "Portal, at once"}
    return {"action": "triggered", "data": data}


def metric(action: str, **more: object) -> dict[str, Any]:
    data = {
        "metric_alert": {**METRIC, **more},
        "description_title": f"{action.title()}: Too many errors",
        "description_text": "1000 events in the last 10 minutes",
    }
    return {"action": action, "data": data}


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ("created", "trigger"),
        ("unresolved", "trigger"),
        ("assigned", "acknowledge"),
        ("resolved", "resolve"),
        ("ignored", "resolve"),
        ("archived", "resolve"),
    ],
)
def test_an_issue_lives_under_its_id(said: str, action: str) -> None:
    heard = signal("sentry", issue(said), headers=of("issue"))

    assert (heard.action, heard.severity) == (action, "critical")
    assert heard.dedup_key == "issue/880042"
    assert heard.title == "TimeoutError: the registry does not answer"
    assert heard.labels == {
        "severity": "fatal",
        "issue": "PORTAIL-7",
        "project": "portail",
    }


def test_when_it_was_resolved_only_the_header_says() -> None:
    created = signal("sentry", issue("created"), headers=HOOK_AT)
    resolved = signal("sentry", issue("resolved"), headers=HOOK_AT)

    assert str(created.occurred_at) == "2025-06-30 06:58:01.123456+00:00"
    assert str(resolved.occurred_at) == "2025-06-30 07:05:00+00:00"
    assert signal("sentry", issue("resolved")).occurred_at is None


@pytest.mark.parametrize("actor", ["application", ""])
def test_a_rule_that_assigns_acknowledges_nothing(actor: str) -> None:
    assert "by a rule" in ignored("sentry", issue("assigned", actor)).reason


def test_an_alert_about_an_issue_is_the_same_trouble_as_the_issue() -> None:
    heard = signal("sentry", event(), headers=of("event_alert"))

    assert (heard.action, heard.severity) == ("trigger", "error")
    assert heard.dedup_key == signal("sentry", issue("resolved")).dedup_key
    assert str(heard.occurred_at) == "2025-06-30 06:58:01.123456+00:00"
    assert heard.labels == {
        "service": "portail",
        "severity": "error",
        "environment": "prod",
        "rule": "Portal, at once",
    }
    assert "frames" not in str(heard.details)


@pytest.mark.parametrize("said", ["critical", "warning"])
def test_a_metric_alert_and_its_end_are_one_trouble(said: str) -> None:
    firing = signal("sentry", metric(said), headers=of("metric_alert"))
    over = signal("sentry", metric("resolved", date_closed="2025-06-30T07:05:00Z"))

    assert (firing.action, firing.severity) == ("trigger", said)
    assert (over.action, over.severity) == ("resolve", None)
    assert firing.dedup_key == over.dedup_key == "metric/55"
    assert firing.title == over.title == "Too many errors on the portal"
    assert str(over.occurred_at) == "2025-06-30 07:05:00+00:00"


def test_a_metric_alert_and_an_issue_of_one_number_are_two_troubles() -> None:
    alert = signal("sentry", metric("critical", id="880042"))

    assert alert.dedup_key != signal("sentry", issue("created")).dedup_key


@pytest.mark.parametrize("resource", ["installation", "comment", "seer", "\x00"])
def test_what_is_about_no_trouble_is_ignored(resource: str) -> None:
    body = {"action": "created", "data": {"installation": {"status": "installed"}}}

    heard = ignored("sentry", body, headers=of(resource))
    assert heard.action == "ignore"
    assert (
        ignored("sentry", body).reason == "of installation, not of any issue or alert"
    )


def test_an_event_of_the_plug_in_is_a_trouble_of_its_issue() -> None:
    heard = signal("sentry", LEGACY)

    assert (heard.action, heard.severity) == ("trigger", "warning")
    assert heard.title == "The registry does not answer"
    assert heard.event_id == "b1946ac92492d2347c6235b4d2611184"
    assert heard.dedup_key == signal("sentry", issue("created")).dedup_key
    assert str(heard.occurred_at) == "2025-06-30 06:58:01+00:00"
    assert heard.labels == {
        "service": "portail",
        "severity": "warning",
        "project": "portail",
    }
    assert signal("sentry_legacy", LEGACY) == heard


def test_two_events_of_an_issue_are_two_messages_about_one_trouble() -> None:
    other = {**LEGACY, "event": {**LEGACY["event"], "event_id": "another"}}
    first, second = signal("sentry_legacy", LEGACY), signal("sentry_legacy", other)

    assert first.dedup_key == second.dedup_key
    assert first.event_id != second.event_id


def test_the_plug_in_never_tells_of_an_end() -> None:
    resolved = {**LEGACY, "status": "resolved", "action": "resolved"}

    assert signal("sentry_legacy", resolved).action == "trigger"
    assert "sentry_legacy" in NEVER_RECOVERS
    assert set(ADAPTERS) > NEVER_RECOVERS


@pytest.mark.parametrize(
    ("adapter", "body", "loc"),
    [
        ("sentry", [], ()),
        ("sentry_legacy", "x", ()),
        ("sentry", {}, ("id",)),
        ("sentry", issue("odd"), ("action",)),
        ("sentry", issue("created", id=None), ("data", "issue", "id")),
        ("sentry", event(issue_id=None), ("data", "event", "issue_id")),
        ("sentry", metric("odd"), ("action",)),
        ("sentry", metric("critical", id=""), ("data", "metric_alert", "id")),
        ("sentry_legacy", without(LEGACY, "id"), ("id",)),
    ],
)
def test_what_cannot_be_mapped_says_where(
    adapter: str, body: object, loc: tuple[str, ...]
) -> None:
    assert rejected(adapter, body).loc == loc


def test_what_is_too_long_is_cut_not_refused() -> None:
    heard = signal("sentry", issue("created", id="7" * 900, title="t" * 9_000))

    assert heard.dedup_key.startswith("sha256:")
    assert len(heard.title) == 1_024


@given(bent(ISSUE), bent(EVENT), bent(METRIC), bent(LEGACY), JSON)
def test_whatever_comes_it_never_raises(
    one: Any, two: Any, three: Any, four: Any, other: Any
) -> None:
    for body in (issue("created", **one), event(**two), metric("critical", **three)):
        never_raises("sentry", body)
        never_raises("sentry", {**body, "data": other, "actor": other})
        never_raises("sentry", {**body, "action": other})
    never_raises("sentry_legacy", four)
    never_raises("sentry", other)
