"""The work is done."""

import pytest
from pydantic import ValidationError

from shared.domain import events
from shared.domain.commands.incident import Resolve
from tests.unit.intake.commands.scenario import KEY, event, given, opened, reported

acknowledged = event(events.IncidentAcknowledged)
restored = event(events.IncidentRestored, workaround=True)
resolved = event(events.IncidentResolved, cycle=1, note="new disk")
resolve = Resolve(note="new disk")
over = event(events.IncidentRecovered, source="prom", signal_key=KEY)
calm = (opened(), over)


def test_what_is_resolved_is_restored_at_the_latest_then() -> None:
    given(*calm, acknowledged).when(resolve).then(
        event(events.IncidentRestored), resolved
    )


def test_service_is_restored_once() -> None:
    by_workaround = resolved.model_copy(update={"root_cause_open": True})
    given(*calm, acknowledged, restored).when(resolve).then(by_workaround)


def test_who_resolves_what_nobody_had_takes_it_on() -> None:
    given(*calm).when(resolve).then_types(
        "acknowledged", "assigned", "restored", "resolved"
    )


def test_resolving_ends_the_pause() -> None:
    paused = event(events.IncidentPaused, reason="vendor")

    given(*calm, acknowledged, paused).when(resolve).then(
        event(events.IncidentResumed, cause="resolved"),
        event(events.IncidentRestored),
        resolved,
    )


def test_resolving_twice_changes_nothing() -> None:
    given(opened(), acknowledged, restored, resolved).when(resolve).then()


def test_each_cycle_is_resolved_by_its_number() -> None:
    reopened = event(
        events.IncidentReopened, cycle=2, cause="agent", after_closure=False
    )
    past = (*calm, acknowledged, restored, resolved, reopened, acknowledged)

    given(*past).when(Resolve()).then(
        event(events.IncidentRestored), event(events.IncidentResolved, cycle=2)
    )


def test_the_note_is_under_the_reporters_key() -> None:
    *_, done = given(reported(), acknowledged).when(resolve).events()

    assert done.whose == "person:lefevre"


def test_a_cancelled_incident_is_not_resolved() -> None:
    cancelled = event(events.IncidentCancelled, reason="test")

    given(opened(), cancelled).when(resolve).then_refused("open a new incident")


def test_what_still_fires_is_not_resolved_unnoticed() -> None:
    given(opened(), acknowledged).when(resolve).then_refused("still fires", "firing")


def test_unless_somebody_says_why() -> None:
    forced = Resolve(force=True, reason="the probe is unplugged")

    *_, done = given(opened(), acknowledged).when(forced).events()
    assert isinstance(done, events.IncidentResolved)
    assert done.forced_because == "the probe is unplugged"


def test_what_does_not_fire_needs_no_force() -> None:
    forced = Resolve(force=True, reason="to be sure")

    *_, done = given(*calm, acknowledged).when(forced).events()
    assert isinstance(done, events.IncidentResolved)
    assert done.forced_because is None


@pytest.mark.parametrize("said", [{"force": True}, {"reason": "because"}])
def test_force_and_reason_go_together(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="together"):
        Resolve.model_validate(said)
