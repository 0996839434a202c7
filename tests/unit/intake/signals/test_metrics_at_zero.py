"""What alerts look at is there before it happens: from nothing is no increase."""

from typing import get_args

from prometheus_client import CollectorRegistry

from services.intake.signals.schemas import Status
from services.intake.telemetry import CommitObserver


def test_each_status_of_a_signal_is_counted_from_nought() -> None:
    registry = CollectorRegistry()
    CommitObserver(registry, lambda: None)

    counts = {
        status: registry.get_sample_value(
            "permanence_signals_total", {"status": status}
        )
        for status in get_args(Status)
    }
    assert counts == dict.fromkeys(get_args(Status), 0.0)
    assert "quarantined" in counts
