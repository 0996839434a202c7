"""A contact becomes the opening of an incident, or is attached to one."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.bounded_text import TITLE_MAX
from shared.domain.commands.contact import Contact, command_of
from shared.domain.commands.incident import Attach, Open

INC = "INC-000042"


def contact(**said: Any) -> Contact:
    return Contact.model_validate({"person": "lefevre", "channel": "phone", **said})


def test_what_belongs_to_no_incident_opens_one() -> None:
    command = command_of(
        contact(words="Rien ne va !", service="vpn", waited_seconds=18)
    )

    assert command == Open(
        title="Rien ne va !",
        description="Rien ne va !",
        service="vpn",
        reporter="lefevre",
        channel="phone",
        waited_seconds=18,
    )


def test_what_belongs_to_an_incident_is_attached_to_it() -> None:
    command = command_of(contact(words="C'est revenu", incident=INC, waited_seconds=4))

    assert command == Attach(
        person="lefevre", channel="phone", words="C'est revenu", waited_seconds=4
    )


def test_the_title_is_the_first_line_that_says_something() -> None:
    command = command_of(contact(words="\n\t \n  My \t printer  burns\nHelp!"))

    assert isinstance(command, Open)
    assert command.title == "My printer burns"
    assert command.description == "\n\t \n  My \t printer  burns\nHelp!"


def test_a_long_first_line_is_cut_to_a_title() -> None:
    command = command_of(contact(words="long " * 1_000))

    assert isinstance(command, Open)
    assert len(command.title) <= TITLE_MAX


def test_a_title_that_is_given_stands() -> None:
    command = command_of(contact(words="Bonjour,\nplus de courriel", title="No mail"))

    assert isinstance(command, Open)
    assert command.title == "No mail"


def test_an_unanswered_call_without_a_word_says_what_it_is_about() -> None:
    with pytest.raises(ValidationError, match="such as `Call back`"):
        contact(abandoned=True)


@pytest.mark.parametrize("words", [" ", "\n\n", "\t"])
def test_blank_words_say_nothing(words: str) -> None:
    with pytest.raises(ValidationError, match="nothing to read"):
        contact(words=words)


def test_an_unanswered_call_may_open_an_incident_to_call_back() -> None:
    command = command_of(contact(abandoned=True, title="Call back", waited_seconds=90))

    assert isinstance(command, Open)
    assert command.abandoned


def test_an_unanswered_call_about_an_incident_is_attached_to_it() -> None:
    command = command_of(contact(abandoned=True, incident=INC, waited_seconds=90))

    assert isinstance(command, Attach)
    assert command.abandoned


def test_when_it_was_goes_along_to_either() -> None:
    when = "2025-06-30T06:00:00Z"

    assert command_of(contact(incident=INC, reported_at=when)) == Attach.model_validate(
        {"person": "lefevre", "channel": "phone", "contacted_at": when}
    )
    opening = command_of(contact(title="x", reported_at=when, backdated_because="busy"))
    assert isinstance(opening, Open)
    assert (opening.reported_at is not None, opening.backdated_because) == (
        True,
        "busy",
    )


def test_what_is_for_a_new_incident_is_not_dropped_silently() -> None:
    with pytest.raises(ValidationError, match="`service` is for a new incident"):
        contact(incident=INC, service="vpn")
