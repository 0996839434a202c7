"""Alerta's API of alerts. The bodies are our own."""

from typing import Any

import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    ignored,
    rejected,
    signal,
    without,
)

ALERT: dict[str, Any] = {
    "id": None,
    "environment": "Production",
    "resource": "web-3",
    "event": "HttpDown",
    "severity": "major",
    "correlate": [],
    "service": ["billetterie", "quais"],
    "group": "Web",
    "value": "503",
    "text": "The shop answers 503",
    "tags": ["rack=4", "eu", "=odd"],
    "attributes": {"runbook": "R-9", "empty": "", "odd": None},
    "createTime": "2025-06-30T06:52:01.000Z",
    "timeout": 3600,
}


def test_an_alert_fires_and_is_normal_again() -> None:
    fires = signal("alerta", ALERT)
    recovers = signal("alerta", {**ALERT, "severity": "normal", "text": "fine"})

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "Production/web-3/HttpDown"
    assert (fires.title, fires.severity) == ("The shop answers 503", "error")
    assert recovers.severity is None
    assert str(fires.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert fires.labels == {
        "environment": "Production",
        "event": "HttpDown",
        "group": "Web",
        "rack": "4",
        "resource": "web-3",
        "runbook": "R-9",
        "service": "billetterie",
        "severity": "major",
    }
    assert "quais" in str(fires.details)


@pytest.mark.parametrize(
    ("word", "action", "severity"),
    [
        ("security", "trigger", "critical"),
        ("critical", "trigger", "critical"),
        ("major", "trigger", "error"),
        ("minor", "trigger", "warning"),
        ("warning", "trigger", "warning"),
        ("indeterminate", "trigger", None),
        ("informational", "trigger", "info"),
        ("normal", "resolve", None),
        ("ok", "resolve", None),
        ("cleared", "resolve", None),
        ("debug", "trigger", "info"),
        ("trace", "trigger", "info"),
        ("unknown", "trigger", None),
        (None, "trigger", None),
    ],
)
def test_its_thirteen_severities_are_ours(
    word: str | None, action: str, severity: str | None
) -> None:
    one = signal("alerta", {**ALERT, "severity": word})

    assert (one.action, one.severity) == (action, severity)


def test_events_that_correlate_are_one_trouble() -> None:
    both = ["HttpDown", "HttpUp"]
    fires = signal("alerta", {**ALERT, "correlate": both})
    recovers = signal(
        "alerta",
        {**ALERT, "event": "HttpUp", "severity": "ok", "correlate": [*reversed(both)]},
    )

    assert fires.dedup_key == recovers.dedup_key
    assert fires.dedup_key != signal("alerta", ALERT).dedup_key


def test_an_event_that_correlates_with_itself_is_that_event() -> None:
    one = signal("alerta", {**ALERT, "correlate": ["HttpDown"]})

    assert one.dedup_key == signal("alerta", ALERT).dedup_key


def test_customers_have_their_own_troubles() -> None:
    one, other = ({**ALERT, "customer": name} for name in ("sncf", "ratp"))

    assert signal("alerta", one).dedup_key != signal("alerta", other).dedup_key


def test_a_forwarded_alert_keeps_its_id_and_is_another_message() -> None:
    fires = signal("alerta", {**ALERT, "id": "17ab"})
    again = signal("alerta", {**ALERT, "id": "17ab"})
    recovers = signal("alerta", {**ALERT, "id": "17ab", "severity": "normal"})

    assert fires.event_id == again.event_id != recovers.event_id
    assert signal("alerta", ALERT).event_id is None


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("open", "trigger"),
        ("ack", "acknowledge"),
        ("closed", "resolve"),
        ("expired", "resolve"),
    ],
)
def test_a_status_is_worth_something_too(status: str, action: str) -> None:
    assert signal("alerta", {**ALERT, "status": status}).action == action


@pytest.mark.parametrize("status", ["shelved", "blackout"])
def test_what_its_sender_put_away_tells_of_no_trouble(status: str) -> None:
    assert status in ignored("alerta", {**ALERT, "status": status}).reason


def test_an_alert_needs_little() -> None:
    one = signal("alerta", {"resource": "web-3", "event": "HttpDown"})

    assert (one.title, one.dedup_key) == ("HttpDown on web-3", "/web-3/HttpDown")


@pytest.mark.parametrize(
    "said", [{"tags": "x"}, {"service": "x"}, {"correlate": 7}, {"attributes": []}]
)
def test_a_field_of_another_form_says_nothing(said: dict[str, object]) -> None:
    assert signal("alerta", {**ALERT, **said}).action == "trigger"


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (without(ALERT, "resource"), ("resource",)),
        ({**ALERT, "event": ""}, ("event",)),
        ([ALERT], ()),
    ],
)
def test_what_cannot_be_told_names_the_field(
    document: object, loc: tuple[str, ...]
) -> None:
    assert rejected("alerta", document).loc == loc
