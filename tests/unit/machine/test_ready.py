"""What a service says about itself, in words for the doctor and for a failed start."""

import json

import pytest

from shared.machine.ready import _told


def test_two_parts_of_one_name_are_told_apart() -> None:
    checks = [
        {"kind": "reader", "name": "escalation", "ready": True, "lag_events": 0},
        {"kind": "timers", "name": "escalation", "ready": True},
        {"kind": "outbox", "name": "outbox", "ready": True},
    ]

    assert _told(json.dumps({"status": "ready", "checks": checks}).encode()) == (
        "reader escalation ready, 0 events behind; timers escalation ready; "
        "outbox ready"
    )


def test_a_reader_tells_how_far_behind_it_is_and_what_it_set_aside() -> None:
    checks = [
        {"name": "queue", "ready": True, "lag_events": 0, "parked_streams": 0.0},
        {"name": "timeline", "ready": False, "lag_events": 70, "parked_streams": 2.0},
        {"name": "events", "ready": True, "leads": 1.0},
    ]

    assert _told(json.dumps({"status": "not ready", "checks": checks}).encode()) == (
        "queue ready, 0 events behind; "
        "timeline not ready, 70 events behind, 2 streams parked; "
        "events ready"
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"checks": [1]}', b""])
def test_anything_else_is_shown_as_it_is(body: bytes) -> None:
    assert _told(body) == body.decode()


def test_what_is_shown_has_a_limit() -> None:
    assert len(_told(b"x" * 10_000)) == 500
