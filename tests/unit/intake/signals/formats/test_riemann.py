"""Riemann events. The bodies are our own."""

from typing import Any

import pytest

from services.intake.records.signal import Signal
from services.intake.signals.schemas import Rejected
from tests.unit.intake.signals.formats.elements.adapter_result import (
    heard,
    rejected,
    signal,
    without,
)

EVENT: dict[str, Any] = {
    "host": "gate-2",
    "service": "latency p99",
    "state": "critical",
    "description": "answers take 4 s",
    "metric": 4.1,
    "time": 1751266321,
    "tags": ["gates"],
    "ttl": 60,
    "team": "quais",
}


def test_an_event_fires_and_recovers() -> None:
    fires, recovers = (
        signal("riemann", EVENT),
        signal("riemann", {**EVENT, "state": "ok"}),
    )

    assert (fires.action, recovers.action) == ("trigger", "resolve")
    assert fires.dedup_key == recovers.dedup_key == "gate-2/latency p99"
    assert (fires.severity, recovers.severity) == ("critical", None)
    assert fires.title == "answers take 4 s"
    assert str(fires.occurred_at) == "2025-06-30 06:52:01+00:00"
    assert fires.labels == {
        "host": "gate-2",
        "check": "latency p99",
        "severity": "critical",
        "team": "quais",
    }


def test_an_expired_event_tells_of_silence() -> None:
    silent = signal(
        "riemann", {"host": "gate-2", "service": "latency p99", "state": "expired"}
    )

    assert (silent.action, silent.severity) == ("trigger", None)
    assert silent.title == "gate-2 latency p99 is expired"
    assert silent.dedup_key == signal("riemann", EVENT).dedup_key


def test_an_array_is_taken_event_by_event() -> None:
    one, two, three = heard("riemann", [EVENT, {"host": "x"}, EVENT])

    assert isinstance(one, Signal)
    assert isinstance(two, Rejected)
    assert (two.index, two.loc) == (1, ("state",))
    assert isinstance(three, Signal)


def test_a_field_may_have_any_name() -> None:
    odd = {"fields": "a", "self": "b", "host": "gate-2", "service": "s", "state": "odd"}

    assert signal("riemann", odd).labels["fields"] == "a"


def test_host_or_service_may_be_missing_not_both() -> None:
    assert signal("riemann", without(EVENT, "host")).dedup_key == "/latency p99"
    assert rejected("riemann", without(EVENT, "host", "service")).loc == ("service",)


@pytest.mark.parametrize("document", [None, 7, "text"])
def test_what_is_no_object_is_no_event(document: object) -> None:
    assert "JSON object" in rejected("riemann", document).reason
