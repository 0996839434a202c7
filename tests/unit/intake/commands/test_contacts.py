"""A person and the desk are in touch about an incident that is there."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from shared.domain.commands.incident import Attach
from shared.domain.events.incident import IncidentPaused, IncidentResumed
from shared.domain.events.incident_ties import IncidentMerged
from shared.domain.incident import replay
from tests.unit.intake.commands.scenario import (
    LATER,
    NINE,
    OTHER,
    called,
    event,
    given,
    opened,
    reported,
)

attach = Attach(person="lefevre", channel="phone", words="C'est moi")
paused = event(IncidentPaused, reason="user", question="Which ticket?")


def test_a_call_is_recorded_with_its_words() -> None:
    given(opened()).when(attach).then(called(words="C'est moi"))


def test_the_words_are_under_the_callers_key() -> None:
    (contact,) = given(reported()).when(Attach(person="costa", channel="chat")).events()

    assert contact.whose == "person:costa"


def test_a_call_makes_it_reported_by_a_user() -> None:
    incident = replay([opened(), called(), called("costa")])

    assert incident is not None
    assert incident.reporters == {"lefevre", "costa"}
    assert incident.reporter == "lefevre"


def test_calling_out_makes_nobody_a_reporter() -> None:
    incident = replay([opened(), called(direction="outbound")])

    assert incident is not None
    assert incident.reporters == frozenset()


def test_the_same_contact_twice_is_recorded_once() -> None:
    given(opened(), called(words="C'est moi", whose="person:lefevre")).when(
        attach
    ).then()


def test_a_second_contact_is_recorded() -> None:
    given(opened(), called()).when(attach).then_types("contacted")


def test_the_users_reply_resumes_by_itself() -> None:
    given(reported(), paused).when(attach).then(
        called(words="C'est moi"), event(IncidentResumed, cause="reply")
    )


def test_somebody_elses_call_does_not_resume() -> None:
    other = Attach(person="costa", channel="phone")

    given(reported(), paused).when(other).then_types("contacted")


def test_calling_the_user_does_not_resume() -> None:
    out = Attach(person="lefevre", channel="phone", direction="outbound")

    given(reported(), paused).when(out).then_types("contacted")


def test_a_reply_does_not_end_a_wait_for_a_vendor() -> None:
    waiting = event(IncidentPaused, reason="vendor")

    given(reported(), waiting).when(attach).then_types("contacted")


def test_what_is_merged_hears_nothing() -> None:
    merged = event(IncidentMerged, into=OTHER)

    given(opened(), merged).when(attach).then_refused(f"do this on {OTHER}")


def test_how_long_they_waited_is_kept() -> None:
    waited = attach.model_copy(update={"waited_seconds": 18})

    given(opened()).when(waited).then(called(words="C'est moi", waited_seconds=18))


def test_a_call_nobody_answered_is_no_reply() -> None:
    gave_up = Attach(person="lefevre", channel="phone", abandoned=True)
    with_words = gave_up.model_copy(update={"words": "La 7, sur la boîte vocale"})

    given(reported(), paused).when(gave_up).then_types("contacted")
    given(reported(), paused).when(with_words).then_types("contacted", "resumed")


def test_an_earlier_contact_keeps_its_instant() -> None:
    earlier = attach.model_copy(update={"contacted_at": NINE})

    given(opened()).when(earlier).then(called(words="C'est moi", contacted_at=NINE))


def test_nobody_was_in_touch_tomorrow() -> None:
    ahead = attach.model_copy(update={"contacted_at": LATER + timedelta(days=1)})

    given(opened()).when(ahead).then_refused("lies ahead", "invalid")


def test_who_is_called_does_not_wait() -> None:
    with pytest.raises(ValidationError, match="only who calls"):
        Attach(person="costa", channel="phone", direction="outbound", waited_seconds=18)
