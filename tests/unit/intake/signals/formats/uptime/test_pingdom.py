"""Pingdom's webhooks, of today and of BeepManager. The bodies are our own."""

from typing import Any

import orjson
import pytest

from tests.unit.intake.signals.formats.elements.adapter_result import (
    ignored,
    rejected,
    signal,
    without,
)

DOWN: dict[str, Any] = {
    "version": 1,
    "check_id": 4410,
    "check_name": "Ticket shop",
    "check_type": "HTTP",
    "check_params": {"hostname": "shop.example", "full_url": "https://shop.example/"},
    "previous_state": "UP",
    "current_state": "DOWN",
    "importance_level": "HIGH",
    "state_changed_timestamp": 1751266321,
    "state_changed_utc_time": "2025-06-30T06:52:01",
    "description": "HTTP Error 503",
    "tags": [],
}


def test_a_check_goes_down_and_comes_up() -> None:
    up = {**DOWN, "current_state": "UP", "previous_state": "DOWN", "description": "OK"}
    fires, recovers = signal("pingdom", DOWN), signal("pingdom", up)

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "4410"
    assert (fires.title, recovers.title) == (
        "Ticket shop: HTTP Error 503",
        "Ticket shop",
    )
    assert fires.severity == recovers.severity == "critical"
    assert str(fires.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert fires.labels == {
        "check": "Ticket shop",
        "severity": "HIGH",
        "type": "HTTP",
        "host": "shop.example",
        "url": "https://shop.example/",
    }


def test_a_transaction_fails_and_succeeds() -> None:
    failing = {**DOWN, "check_type": "TRANSACTION", "current_state": "FAILING"}

    assert signal("pingdom", failing).action == "trigger"
    assert (
        signal("pingdom", {**failing, "current_state": "SUCCESS"}).action == "resolve"
    )


def test_its_utc_time_is_utc_without_saying_so() -> None:
    one = signal("pingdom", without(DOWN, "state_changed_timestamp"))

    assert str(one.occurred_at) == "2025-06-30 06:52:01+00:00"


@pytest.mark.parametrize(
    ("level", "severity"), [("LOW", "warning"), (None, None), ("", None)]
)
def test_the_importance_is_the_severity(
    level: str | None, severity: str | None
) -> None:
    assert signal("pingdom", {**DOWN, "importance_level": level}).severity == severity


OLD = {
    "check": "4410",
    "checkname": "Ticket shop",
    "host": "shop.example",
    "action": "assign",
    "incidentid": 17,
    "description": "down",
}


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ({}, "trigger"),
        ({"description": "up", "action": "notify_close"}, "resolve"),
        ({"description": "up", "action": "assign"}, "resolve"),
        ({"description": "HTTP 503"}, "trigger"),
    ],
)
def test_the_older_form_says_up_or_down(said: dict[str, object], action: str) -> None:
    one = signal("pingdom", {**OLD, **said})

    assert (one.action, one.dedup_key, one.severity) == (action, "4410", None)


def test_the_older_form_may_be_a_text_in_a_form() -> None:
    assert signal("pingdom", {"message": orjson.dumps(OLD).decode()}) == signal(
        "pingdom", OLD
    )


@pytest.mark.parametrize("state", ["UNKNOWN", "PAUSED", "UNCONFIRMED_DOWN"])
def test_what_is_not_sure_tells_of_no_trouble(state: str) -> None:
    assert ignored("pingdom", {**DOWN, "current_state": state}).title == "Ticket shop"


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (without(DOWN, "check_id"), ("check_id",)),
        ({**DOWN, "current_state": "ODD"}, ("current_state",)),
        ({"message": "no JSON"}, ()),
        ({"message": "[]"}, ()),
        ([], ()),
    ],
)
def test_what_cannot_be_told_names_the_field(
    document: object, loc: tuple[str, ...]
) -> None:
    assert rejected("pingdom", document).loc == loc
