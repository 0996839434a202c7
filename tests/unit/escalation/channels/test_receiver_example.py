"""The code that the how-to gives receivers takes what is ours, and nothing else."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.escalation.notifications.channels.webhook import signature, signing_key
from tests.support.compose import ROOT

PAGE = ROOT / "docs" / "how-to" / "receive-webhooks.md"
AT = datetime(2025, 6, 30, 7, 52, tzinfo=UTC)
BODY = b'{"incident":"INC-000042"}'
SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "correct horse, battery"]
Verify = Callable[[str, Mapping[str, str], bytes, datetime], bool]


@pytest.fixture(scope="module")
def verify() -> Verify:
    code = re.search(r"```python\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert code
    names: dict[str, Verify] = {}
    exec(code[1], names)  # noqa: S102 # the page is ours
    return names["verify"]


def headers(secret: str) -> dict[str, str]:
    stamp = int(AT.timestamp())
    return {
        "webhook-id": "one",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature(signing_key(secret), "one", stamp, BODY),
    }


@pytest.mark.parametrize("secret", SECRETS)
def test_it_takes_what_we_sign(verify: Verify, secret: str) -> None:
    assert verify(secret, headers(secret), BODY, AT)
    assert verify(secret, headers(secret), BODY, AT + timedelta(seconds=300))


def test_it_takes_one_signature_of_several(verify: Verify) -> None:
    ours = headers(SECRETS[0])
    ours["webhook-signature"] = "v1,AAAA " + ours["webhook-signature"]

    assert verify(SECRETS[0], ours, BODY, AT)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "other"},
        {"webhook-timestamp": "1751269921"},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "é"},
    ],
)
def test_it_takes_nothing_that_was_changed(
    verify: Verify, changed: dict[str, str]
) -> None:
    assert not verify(SECRETS[0], headers(SECRETS[0]) | changed, BODY, AT)


def test_it_takes_no_other_body_secret_or_time(verify: Verify) -> None:
    ours = headers(SECRETS[0])

    assert not verify(SECRETS[0], ours, BODY + b" ", AT)
    assert not verify(SECRETS[1], ours, BODY, AT)
    assert not verify(SECRETS[0], ours, BODY, AT + timedelta(seconds=301))
    assert not verify(SECRETS[0], ours, BODY, AT - timedelta(seconds=301))
