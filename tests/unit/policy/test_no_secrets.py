"""No secret, address or number enters a policy, and none is repeated when refused."""

import pytest

from shared.domain.policy.teams import contact_detail_in
from tests.support.policies import mistakes

SECRET = "hunter2-Xk9!"


@pytest.mark.parametrize("key", ['"env:PROM_KEY"', '"file:/run/secrets/quais"'])
@pytest.mark.parametrize(
    "literal", [SECRET, "env:not a name", "env:9lives", f"ENV:{SECRET}"]
)
def test_a_literal_secret_is_refused_and_not_repeated(key: str, literal: str) -> None:
    (found,) = mistakes((f"key: {key}", f'key: "{literal}"'))
    assert found.path.endswith(".key")
    assert "env:NAME" in found.sentence
    assert literal not in str(found)


def test_a_secret_under_a_field_there_is_not_is_not_repeated_either() -> None:
    (found,) = mistakes(("type: imap,", f'type: imap, password: "{SECRET}",'))
    assert found.path == "sources.guichet.password"
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "words",
    [
        "Appelez odette@transport.example",
        "Tel +32 2 555 12 12",
        "0032 (2) 555.12.12",
        "01 23 45 67 89",
        "0123456789",
        "(514) 555-0123",
        "514-555-0123",
        "tel:+3225551212",
        "Tel.0123456789",
    ],
)
def test_an_address_or_number_is_refused_wherever_it_stands(words: str) -> None:
    (found,) = mistakes(("fr: Horaires en direct", f'fr: "{words}"'))
    assert found.path == "services.horaires.name.fr"
    assert "people import" in found.sentence
    assert words not in found.sentence


def test_an_address_is_refused_as_a_key_too() -> None:
    found = mistakes(("  garde: {", '  "garde@transport.example": {'))
    assert any("e-mail" in each.sentence for each in found)


@pytest.mark.parametrize(
    "harmless",
    [
        "2025-06-02T09:00",
        "12-24 12:00-24:00",
        "2025-06-30",
        "FREQ=WEEKLY;COUNT=10",
        "08:00-18:00",
        "version 10.11.12.13",
        "INC-000042",
        "10 000 000 trains",
        "@desk",
        "INC-0123456789",
        "sha 9f0123456789",
        "2025-01-05T02:00:00",
        "5-7 days",
        "P1 < 15 min",
    ],
)
def test_dates_times_and_counts_are_no_contact_details(harmless: str) -> None:
    assert contact_detail_in(harmless) is None
