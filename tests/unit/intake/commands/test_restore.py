"""Service is back, perhaps by a workaround; and down again."""

from shared.domain.commands.incident import Relapse, Restore
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentRelapsed,
    IncidentResolved,
    IncidentRestored,
)
from shared.domain.incident import Status, replay
from tests.unit.intake.commands.scenario import LATER, event, given, opened

acknowledged = event(IncidentAcknowledged)
restored = event(IncidentRestored, workaround=True, note="second line")
relapsed = event(IncidentRelapsed, reason="it fell over")
resolved = event(IncidentResolved, cycle=1)
restore = Restore(workaround=True, note="second line")


def test_a_workaround_restores() -> None:
    given(opened(), acknowledged).when(restore).then(restored)


def test_restoring_twice_changes_nothing() -> None:
    given(opened(), acknowledged, restored).when(restore).then()


def test_restored_is_not_resolved() -> None:
    incident = replay([opened(), acknowledged, restored])

    assert incident is not None
    assert incident.status is Status.ACKNOWLEDGED
    assert (incident.restored_at, incident.resolved_at) == (LATER, None)


def test_who_restores_what_nobody_had_takes_it_on() -> None:
    given(opened()).when(restore).then_types("acknowledged", "assigned", "restored")


def test_what_is_restored_may_relapse() -> None:
    given(opened(), acknowledged, restored).when(Relapse(reason="it fell over")).then(
        relapsed
    )


def test_what_was_never_restored_does_not_relapse() -> None:
    given(opened(), acknowledged).when(Relapse()).then()


def test_relapsing_twice_changes_nothing() -> None:
    given(opened(), restored, relapsed).when(Relapse(reason="it fell over")).then()


def test_what_is_resolved_is_reopened_instead() -> None:
    given(opened(), restored, resolved).when(Relapse()).then_refused("reopen it first")


def test_what_is_resolved_is_restored_already() -> None:
    given(opened(), restored, resolved).when(restore).then()
