"""Uptime Kuma's webhook. The bodies are our own."""

from typing import Any

import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    PARIS,
    ignored,
    rejected,
    signal,
)

DOWN: dict[str, Any] = {
    "heartbeat": {
        "monitorID": 6,
        "status": 0,
        "time": "2025-06-30 06:52:01.527",
        "localDateTime": "2025-06-30 08:52:01",
        "timezoneOffset": "+02:00",
        "msg": "connect ECONNREFUSED",
        "important": True,
    },
    "monitor": {
        "id": 6,
        "name": "Ticket shop",
        "type": "http",
        "url": "https://shop.example",
        "hostname": None,
        "tags": [{"name": "service", "value": "billetterie"}, {"name": "eu"}, 7],
    },
    "msg": "[Ticket shop] [Down] connect ECONNREFUSED",
}


def beat(**said: object) -> dict[str, Any]:
    return {**DOWN, "heartbeat": {**DOWN["heartbeat"], **said}}


def test_a_monitor_goes_down_and_comes_up() -> None:
    fires, recovers = signal("uptime_kuma", DOWN), signal("uptime_kuma", beat(status=1))

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "6"
    assert (fires.title, fires.severity) == ("Ticket shop: connect ECONNREFUSED", None)
    assert fires.labels == {
        "monitor": "Ticket shop",
        "type": "http",
        "url": "https://shop.example",
        "service": "billetterie",
        "eu": "",
    }


def test_time_is_utc_without_saying_so() -> None:
    one = signal("uptime_kuma", DOWN, PARIS)

    assert str(one.occurred_at) == "2025-06-30 06:52:01.527000+00:00"


@pytest.mark.parametrize(
    ("offset", "at"),
    [("+02:00", "06:52:01"), ("-05:00", "13:52:01"), (None, "06:52:01")],
)
def test_a_local_time_says_its_offset_or_is_that_of_the_source(
    offset: str | None, at: str
) -> None:
    local = {
        "localDateTime": "2025-06-30 08:52:01",
        "timezoneOffset": offset,
        "status": 0,
    }
    one = signal("uptime_kuma", {**DOWN, "heartbeat": local}, PARIS)

    assert str(one.occurred_at)[11:19] == at


@pytest.mark.parametrize("status", [2, "pending", 3])
def test_pending_and_maintenance_tell_of_no_trouble(status: object) -> None:
    assert ignored("uptime_kuma", beat(status=status)).title == "Ticket shop"


def test_a_test_opens_nothing() -> None:
    said = {"heartbeat": None, "monitor": None, "msg": "Permanence Testing"}

    assert "test" in ignored("uptime_kuma", said).reason


def test_a_certificate_that_expires_is_one_trouble_day_after_day() -> None:
    def notice(days: int) -> dict[str, object]:
        said = f"[Ticket shop][https://shop.example] certificate expires in {days} days"
        return {"heartbeat": None, "monitor": None, "msg": said}

    one, other = signal("uptime_kuma", notice(14)), signal("uptime_kuma", notice(7))

    assert one.dedup_key == other.dedup_key
    assert (one.action, one.severity) == ("trigger", "warning")
    assert "14 days" in one.title


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (beat(status=9), ("heartbeat", "status")),
        (beat(status=None), ("heartbeat", "status")),
        ({"heartbeat": {"status": 0}}, ("monitor",)),
        ({}, ("heartbeat",)),
        ([], ()),
    ],
)
def test_what_cannot_be_told_names_the_field(
    document: object, loc: tuple[str, ...]
) -> None:
    assert rejected("uptime_kuma", document).loc == loc
