"""A page fits into one SMS, and into two if it has a link."""

import pytest

from services.escalation.notifications.channels.gsm import (
    SMS_MAX,
    WITH_LINK_MAX,
    gsm_text,
    places,
)

LINK = "https://desk.example/take/" + "x" * 60


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("P1 : on a besoin de vous : Paie", "P1 : on a besoin de vous : Paie"),
        ("l’incident « Paie » à régler", 'l\'incident "Paie" à régler'),
        ("forêt, naïf, garçon, Œuvre", "foret, naif, garcon, OEuvre"),
        ("disk 90 % → 95 % 🔥", "disk 90 % ? 95 % ?"),
        ("[a|b] 5€", "[a|b] 5€"),
    ],
)
def test_it_is_spelled_in_the_alphabet_of_gsm(written: str, sent: str) -> None:
    assert gsm_text(written) == sent


@pytest.mark.parametrize("line", ["x" * 500, "[" * 300, "é" * 200, "€]" * 100])
def test_it_is_cut_to_one_message(line: str) -> None:
    text = gsm_text(line)

    assert SMS_MAX - 2 <= places(text) <= SMS_MAX
    assert text.endswith("...")


def test_a_link_stays_whole() -> None:
    short = gsm_text("INC-000042 P1: you are needed", LINK)
    long = gsm_text("x" * 500, LINK)

    assert short == f"INC-000042 P1: you are needed {LINK}"
    assert places(short) <= SMS_MAX
    assert long.endswith(LINK)
    assert places(long) <= WITH_LINK_MAX
