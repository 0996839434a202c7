"""UptimeRobot's webhook. The bodies are our own."""

from typing import Any

import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    ignored,
    rejected,
    signal,
    without,
)

DOWN: dict[str, Any] = {
    "monitorID": "779",
    "monitorURL": "https://shop.example",
    "monitorFriendlyName": "Ticket shop",
    "alertType": "1",
    "alertTypeFriendlyName": "Down",
    "alertDetails": "HTTP 503",
    "alertDateTime": "1751266321",
    "alertDuration": "*alertDuration*",
}


def test_a_monitor_goes_down_and_comes_up() -> None:
    up = {
        **DOWN,
        "alertType": "2",
        "alertTypeFriendlyName": "Up",
        "alertDuration": "60",
    }
    fires, recovers = signal("uptimerobot", DOWN), signal("uptimerobot", up)

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "779"
    assert (fires.title, fires.severity) == ("Ticket shop: HTTP 503", None)
    assert str(fires.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert "alertDuration" not in str(fires.details)
    assert '"alertDuration":"60"' in str(recovers.details)


def test_names_may_be_written_in_any_way() -> None:
    snake = {
        "monitor_id": 779,
        "monitor_friendly_name": "Ticket shop",
        "alert_type": 1,
        "alert_details": "HTTP 503",
    }

    assert signal("uptimerobot", snake).dedup_key == "779"
    assert signal("uptimerobot", snake).title == "Ticket shop: HTTP 503"


def test_of_two_ways_of_writing_the_one_that_says_something_counts() -> None:
    said = {**DOWN, "monitor_id": "", "alert_type": "*alertType*"}

    assert signal("uptimerobot", said).dedup_key == "779"


def test_without_its_number_the_address_names_the_monitor() -> None:
    said = {**DOWN, "monitorID": "*monitorID*"}

    assert signal("uptimerobot", said).dedup_key == "https://shop.example"


def test_what_nobody_filled_in_is_absent() -> None:
    said = {**DOWN, "alertDetails": "*alertDetails*"}

    assert signal("uptimerobot", said).title == "Ticket shop: Down"


@pytest.mark.parametrize("kind", [3, "4", "SSL expiry"])
def test_an_expiry_is_a_trouble_of_its_own(kind: object) -> None:
    one = signal("uptimerobot", {**DOWN, "alertType": kind})

    assert (one.action, one.severity) == ("trigger", "warning")
    assert one.dedup_key != signal("uptimerobot", DOWN).dedup_key


def test_a_monitor_that_is_paused_tells_of_no_trouble() -> None:
    assert (
        ignored("uptimerobot", {**DOWN, "alertType": "Paused"}).title == "Ticket shop"
    )


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (
            without(DOWN, "monitorID", "monitorURL", "monitorFriendlyName"),
            ("monitorID",),
        ),
        ({**DOWN, "alertType": "9"}, ("alertType",)),
        (without(DOWN, "alertType", "alertTypeFriendlyName"), ("alertType",)),
        (None, ()),
    ],
)
def test_what_cannot_be_told_names_the_field(
    document: object, loc: tuple[str, ...]
) -> None:
    assert rejected("uptimerobot", document).loc == loc
