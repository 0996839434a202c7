"""Site24x7's webhook. The bodies are our own."""

from typing import Any

import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    ignored,
    rejected,
    signal,
    without,
)

DOWN: dict[str, Any] = {
    "MONITOR_ID": "300000009",
    "MONITORNAME": "Ticket shop",
    "MONITORURL": "https://shop.example",
    "MONITORTYPE": "URL",
    "MONITOR_GROUPNAME": "shops",
    "STATUS": "DOWN",
    "INCIDENT_REASON": "Service Unavailable",
    "INCIDENT_TIME": "June 30, 2025 8:52 AM CEST",
    "INCIDENT_TIME_ISO": "2025-06-30T08:52:01+0200",
    "OUTAGE_TIME_UNIX_FORMAT": "1751266321000",
    "TAGS": "",
}


def test_a_monitor_goes_down_and_comes_up() -> None:
    up = {**DOWN, "STATUS": "UP", "INCIDENT_TIME_ISO": "2025-06-30T08:55:00+0200"}
    fires, recovers = signal("site24x7", DOWN), signal("site24x7", up)

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "300000009"
    assert (fires.title, fires.severity) == ("Ticket shop: Service Unavailable", None)
    assert str(fires.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert "TAGS" not in str(fires.details)


@pytest.mark.parametrize("name", ["ct", "OUTAGE_TIME_UNIX_FORMAT"])
def test_milliseconds_may_be_a_text(name: str) -> None:
    said = without(DOWN, "INCIDENT_TIME_ISO", "OUTAGE_TIME_UNIX_FORMAT")
    one = signal("site24x7", {**said, name: "1751266321000"})

    assert str(one.occurred_at) == "2025-06-30 06:52:01+00:00"


def test_without_its_number_the_address_names_the_monitor() -> None:
    said = without(DOWN, "MONITOR_ID")

    assert signal("site24x7", said).dedup_key == "https://shop.example"


@pytest.mark.parametrize(
    ("status", "severity"),
    [("DOWN", None), ("CRITICAL", "error"), ("TROUBLE", "warning")],
)
def test_what_is_less_than_down_says_so(status: str, severity: str | None) -> None:
    one = signal("site24x7", {**DOWN, "STATUS": status})

    assert (one.action, one.severity) == ("trigger", severity)
    assert one.labels["status"] == status


@pytest.mark.parametrize("status", ["SUSPENDED", "MAINTENANCE"])
def test_a_monitor_that_rests_tells_of_no_trouble(status: str) -> None:
    assert ignored("site24x7", {**DOWN, "STATUS": status}).title == "Ticket shop"


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (without(DOWN, "MONITOR_ID", "MONITORURL", "MONITORNAME"), ("MONITOR_ID",)),
        ({**DOWN, "STATUS": "ODD"}, ("STATUS",)),
        (without(DOWN, "STATUS"), ("STATUS",)),
        ("text", ()),
    ],
)
def test_what_cannot_be_told_names_the_field(
    document: object, loc: tuple[str, ...]
) -> None:
    assert rejected("site24x7", document).loc == loc
