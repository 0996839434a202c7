"""What somebody tells the form is a letter like any other."""

import pytest
from pydantic import ValidationError

from services.intake.inbound_mail.placement import title_of
from services.intake.inbound_mail.subscriber import letter_of
from shared.domain.commands.contact import Report

GIVEN = {"email": "Zoe@V.example", "words": "It is slow\r\nsince 9", "key": "k" * 16}


def report(**given: str) -> Report:
    return Report.model_validate({**GIVEN, **given})


def test_its_first_line_is_the_title_and_its_words_are_kept() -> None:
    letter = letter_of(report(service="mail", language="fr"))

    assert (letter.sender, letter.words) == ("zoe@v.example", "It is slow\nsince 9")
    assert title_of(letter) == "It is slow"
    assert (letter.service, letter.language) == ("mail", "fr")


def test_a_key_is_its_senders_own() -> None:
    assert letter_of(report()).key == letter_of(report()).key
    assert letter_of(report()).key != letter_of(report(email="m@v.example")).key
    assert letter_of(report()).key != letter_of(report(key="l" * 16)).key


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "zoe"},
        {"email": "zoe@here"},
        {"email": "a b@c.example"},
        {"words": ""},
        {"words": " \n\u200b\t "},
        {"words": "x" * 10_001},
        {"key": "short"},
        {"language": "français"},
        {"anything": "else"},
    ],
)
def test_what_is_no_report_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        report(**wrong)
