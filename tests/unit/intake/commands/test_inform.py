"""Telling the user how things stand."""

from datetime import timedelta

from shared.domain.commands.incident import Inform
from shared.domain.events.incident import IncidentCancelled, IncidentInformed
from shared.domain.events.incident_ties import IncidentMerged
from tests.unit.intake.commands.scenario import (
    LATER,
    OTHER,
    event,
    given,
    opened,
    reported,
)

inform = Inform(message="Still at it")
informed = event(IncidentInformed, message="Still at it")


def test_the_user_is_told() -> None:
    given(reported()).when(inform).then(informed)


def test_the_words_are_under_the_reporters_key() -> None:
    (told,) = given(reported()).when(inform).events()

    assert told.whose == "person:lefevre"


def test_without_a_reporter_they_are_the_writers() -> None:
    (told,) = given(opened()).when(inform).events()

    assert told.whose == "person:odette"


def test_the_same_message_is_not_sent_twice() -> None:
    given(reported(), informed).when(inform).then()


def test_the_same_words_two_hours_later_are_another_message() -> None:
    later = LATER + timedelta(hours=2)

    given(reported(), informed).when(inform, at=later).then_types("informed")


def test_the_user_of_a_cancelled_incident_can_be_told() -> None:
    cancelled = event(IncidentCancelled, reason="not_an_incident")

    given(reported(), cancelled).when(inform).then_types("informed")


def test_users_of_a_merged_incident_are_told_by_the_other() -> None:
    merged = event(IncidentMerged, into=OTHER)

    given(reported(), merged).when(inform).then_refused(f"do this on {OTHER}")
