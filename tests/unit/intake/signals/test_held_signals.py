"""Who asks for what was held is told its outcome since."""

from datetime import timedelta

from services.intake.records.signal import Signal
from services.intake.signals.schemas import Result
from tests.unit.intake.commands.scenario import NINE
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    A_SECOND,
    FIRST,
    Trouble,
    at_desk,
)

HOLD = ", hold_down: 10m"
LATER = ", open_after: 2m"
THREE = ", correlate: {by: [service], within: 5m, threshold: 3}"
TEN = timedelta(minutes=10)


def became(trouble: Trouble, event_id: str) -> Result:
    return trouble.desk.known["prom", event_id]


def test_what_was_held_and_opens_is_found_with_its_incident() -> None:
    trouble = at_desk(LATER)
    trouble.hears("trigger", event_id="e-1")
    trouble.later(A_MINUTE).hears("trigger", event_id="e-2")
    assert became(trouble, "e-1").status == became(trouble, "e-2").status == "held"

    trouble.waits(A_MINUTE)

    for event_id in ("e-1", "e-2"):
        found = became(trouble, event_id)
        assert (found.status, found.incident) == ("opened", FIRST)
        assert (found.rule, found.error) == ("open_after", None)


def test_what_was_held_and_ends_is_found_suppressed_and_why() -> None:
    trouble = at_desk(LATER)
    trouble.hears("trigger", event_id="e-1")
    trouble.later(A_MINUTE).hears("resolve", event_id="e-2")

    found = became(trouble, "e-1")
    assert (found.status, found.rule) == ("suppressed", "transient")
    assert found.incident is None
    assert found.error == "it fired for less than 2m"


def test_what_was_held_twice_in_one_batch_ends_once() -> None:
    trouble = at_desk(LATER)
    said = {"source": "prom", "dedup_key": "k1", "title": "T"}
    signals = [
        Signal.model_validate({**said, "action": action, "event_id": f"e-{n}"})
        for n, action in enumerate(("trigger", "resolve", "trigger"))
    ]

    heard = trouble.desk.hear_all(signals, NINE)

    assert [each.outcome for each in heard] == ["held", "suppressed", "held"]
    assert became(trouble, "e-0").status == "suppressed"
    assert became(trouble, "e-2").status == "held"


def test_a_recovery_that_has_held_is_found_recovered() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve", event_id="e-1")

    trouble.waits(TEN)

    found = became(trouble, "e-1")
    assert (found.status, found.incident, found.rule) == (
        "recovered",
        FIRST,
        "hold_down",
    )


def test_a_recovery_that_did_not_hold_is_found_suppressed() -> None:
    trouble = at_desk(HOLD)
    trouble.hears("trigger")
    trouble.hears("resolve", event_id="e-1")
    trouble.later(TEN - A_SECOND).hears("trigger")

    found = became(trouble, "e-1")
    assert (found.status, found.rule) == ("suppressed", "hold_down")
    assert found.error == "it fired again before it had held for 10m"


def test_what_waited_for_others_is_found_in_their_incident() -> None:
    trouble = at_desk(THREE)
    for n in range(3):
        trouble.hears("trigger", dedup_key=f"k{n}", event_id=f"e-{n}", service="mail")

    assert [became(trouble, f"e-{n}").status for n in range(3)] == [
        "signalled",
        "signalled",
        "opened",
    ]
    assert {became(trouble, f"e-{n}").incident for n in range(3)} == {FIRST}
