"""The desk words an incident again; what was said before stays as it was."""

from shared.domain.commands.incident import Edit
from shared.domain.events.incident import (
    IncidentClosed,
    IncidentEdited,
    IncidentResolved,
)
from shared.domain.incident import replay
from tests.unit.intake.commands.scenario import called, event, given, opened, reported


def test_a_title_is_said_anew_and_the_words_of_the_reporter_stay() -> None:
    edited = event(IncidentEdited, title="Said better")
    said = called(words="C'est moi")
    given(reported(), said).when(Edit(title="Said better")).then(edited)

    incident = replay([reported(), said, edited])
    assert incident is not None
    assert incident.title == "Said better"
    assert incident.last_contact is not None
    assert incident.last_contact.words == "C'est moi"


def test_a_description_is_said_anew_alone() -> None:
    incident = replay([opened(), event(IncidentEdited, description="All of it")])

    assert incident is not None
    assert (incident.title, incident.description) == (opened().title, "All of it")


def test_what_it_says_already_is_no_edit() -> None:
    given(reported()).when(Edit(title=reported().title)).then()


def test_an_edit_says_something() -> None:
    given(reported()).when(Edit()).then_refused(
        "`title`, `description` or both", "invalid"
    )


def test_what_is_closed_is_not_worded_anew() -> None:
    resolved, closed = event(IncidentResolved, cycle=1), event(IncidentClosed)

    given(reported(), resolved, closed).when(Edit(title="x")).then_refused("reopen it")
