"""Which replies to a page take the incident: a plain "yes", and nothing else."""

import pytest

from services.intake.inbound_mail.page_reply import is_yes
from services.intake.inbound_mail.placement import fresh_part


@pytest.mark.parametrize(
    "words",
    [
        "Oui",
        "yes.",
        "OK !",
        "\n\n  Je   prends  \n-- \nChloé Martin",
        "I take it\n\nLe lun. 30 juin 2025 à 09:45, Desk a écrit :\n> Incident …",
        "I’ll take it",
    ],
)
def test_a_plain_yes_takes_it(words: str) -> None:
    assert is_yes(fresh_part(words))


@pytest.mark.parametrize(
    "words",
    [
        "",
        "> oui",
        "On Mon, 30 Jun 2025, Desk wrote:\n> yes",
        "Oui, mais pas avant midi",
        "No",
        "Yes?",
        "Who has it?\nok",
        "okapi",
    ],
)
def test_anything_else_is_a_mail_like_others(words: str) -> None:
    assert not is_yes(fresh_part(words))
