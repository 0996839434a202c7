"""Signatures are those of the Standard Webhooks specification."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from services.escalation.notifications.channels.webhook import signature, signing_key


def test_it_is_the_signature_the_specification_gives_as_its_example() -> None:
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'

    assert signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(
    st.binary(min_size=1, max_size=80),
    st.from_regex(r"[!-~]{1,60}", fullmatch=True),
    st.integers(0, 4_000_000_000),
    st.text(),
)
def test_the_library_of_the_specification_signs_alike(
    key: bytes, message_id: str, timestamp: int, body: str
) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    at = datetime.fromtimestamp(timestamp, UTC)

    ours = signature(signing_key(secret), message_id, timestamp, body.encode())

    assert ours == Webhook(secret).sign(message_id, at, body)


def test_a_plain_secret_is_the_key_itself() -> None:
    assert signing_key("correct horse") == b"correct horse"


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_not base64!", "whsec_abc", "whsec_ab!cd"]
)
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="secret of the webhook") as refused:
        signing_key(secret)

    assert "base64!" not in str(refused.value)
