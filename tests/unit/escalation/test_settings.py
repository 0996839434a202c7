"""What is set wrongly is said in a sentence, before anything starts."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.settings import EscalationSettings

MAIL = {"smtp_url": "smtp://u:p@mail.example:587", "mail_from": "desk@example.org"}
HOOK = {"webhook_url": "https://pages.example", "webhook_secret": "whsec_c2VjcmV0"}


def settings(**given: Any) -> EscalationSettings:
    servers = {"database_url": "postgresql://x", "nats_url": "nats://x"}
    return EscalationSettings.model_validate(servers | given)


def test_without_any_of_them_it_starts() -> None:
    empty = dict.fromkeys([*MAIL, *HOOK, "public_url"], "")
    for given in ({}, empty):
        read = settings(**given)

        assert (read.smtp_url, read.mail_from, read.webhook_url) == (None,) * 3


def test_with_all_of_them_it_starts() -> None:
    assert settings(**MAIL, **HOOK).mail_from == "desk@example.org"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (MAIL | {"smtp_url": "mail.example"}, "smtp://name:password@host:port"),
        (MAIL | {"smtp_url": "smtp://mail.example:port"}, "smtp://"),
        (MAIL | {"smtp_url": "smtp://mail.example/x"}, "smtp://"),
        (MAIL | {"mail_from": ""}, "PERMANENCE_MAIL_FROM"),
        (MAIL | {"mail_from": "Desk <desk@example.org>"}, "an address alone"),
        (HOOK | {"webhook_url": "pages.example"}, "https://"),
        (HOOK | {"webhook_secret": ""}, "PERMANENCE_WEBHOOK_SECRET"),
        (HOOK | {"webhook_secret": "whsec_?"}, "not base64"),
        ({"mattermost_url": "https://chat.example"}, "PERMANENCE_MATTERMOST_TOKEN"),
        ({"matrix_url": "https://matrix.example"}, "PERMANENCE_MATRIX_TOKEN"),
        ({"matrix_url": "matrix.example"}, "https://"),
        ({"twilio_account": "AC1", "twilio_token": "t"}, "PERMANENCE_TWILIO_FROM"),
        ({"web_push_vapid": "short"}, "32 random bytes"),
        ({"web_push_vapid": "A" * 43}, "PERMANENCE_WEB_PUSH_CONTACT"),
        ({"outbound_networks": "10.0.0.0/99"}, "10.1.0.0/16"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as wrong:
        settings(**given)
    assert "p@mail" not in str(wrong.value)
