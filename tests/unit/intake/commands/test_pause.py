"""Waiting for somebody, and going on."""

from shared.domain.commands.incident import Pause, Resume
from shared.domain.events.incident import (
    IncidentAcknowledged,
    IncidentPaused,
    IncidentResolved,
    IncidentResumed,
)
from shared.domain.incident import Status, replay
from tests.unit.intake.commands.scenario import event, given, opened, reported

acknowledged = event(IncidentAcknowledged)
ask = Pause(reason="user", question="Which ticket?")
paused = event(
    IncidentPaused, reason="user", question="Which ticket?", awaits_delivery=True
)


def test_the_user_is_asked_a_question() -> None:
    given(reported(), acknowledged).when(ask).then(paused)


def test_waiting_for_the_user_needs_a_question() -> None:
    given(reported(), acknowledged).when(Pause(reason="user")).then_refused(
        "say in `question`", "invalid"
    )


def test_waiting_for_a_vendor_needs_none() -> None:
    given(opened(), acknowledged).when(Pause(reason="vendor")).then(
        event(IncidentPaused, reason="vendor")
    )


def test_the_question_is_under_the_reporters_key() -> None:
    (asked,) = given(reported(), acknowledged).when(ask).events()

    assert asked.whose == "person:lefevre"


def test_who_pauses_what_nobody_had_takes_it_on() -> None:
    given(opened()).when(Pause(reason="vendor")).then_types(
        "acknowledged", "assigned", "paused"
    )


def test_asking_the_same_again_changes_nothing() -> None:
    given(reported(), acknowledged, paused).when(ask).then()


def test_waiting_for_another_needs_to_go_on_first() -> None:
    given(reported(), acknowledged, paused).when(Pause(reason="vendor")).then_refused(
        "waits already, for the user: resume it first"
    )


def test_another_question_needs_to_go_on_first() -> None:
    other = Pause(reason="user", question="Which day?")

    given(reported(), acknowledged, paused).when(other).then_refused("resume it first")


def test_a_resolved_incident_waits_for_nobody() -> None:
    resolved = event(IncidentResolved, cycle=1)

    given(reported(), resolved).when(ask).then_refused("reopen it first")


def test_going_on() -> None:
    given(reported(), acknowledged, paused).when(Resume()).then(
        event(IncidentResumed, cause="agent")
    )


def test_going_on_without_a_pause_changes_nothing() -> None:
    given(reported(), acknowledged).when(Resume()).then()


def test_after_the_pause_it_is_acknowledged_again() -> None:
    resumed = event(IncidentResumed, cause="agent")
    incident = replay([reported(), acknowledged, paused, resumed])

    assert incident is not None
    assert (incident.status, incident.pause) == (Status.ACKNOWLEDGED, None)


def test_what_nobody_had_taken_is_new_again_after_the_pause() -> None:
    resumed = event(IncidentResumed, cause="agent")
    incident = replay([opened(), paused, resumed])

    assert incident is not None
    assert incident.status is Status.NEW


def test_taking_it_on_does_not_end_the_pause() -> None:
    incident = replay([opened(), paused, acknowledged])

    assert incident is not None
    assert incident.status is Status.PAUSED
