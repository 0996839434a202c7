"""A value that cannot reach anybody is refused when a contact method is added."""

from typing import get_args

import pytest
from pydantic import ValidationError

from services.intake.contact_methods.rules import normalized
from shared.domain.commands.contact_method import (
    SUBSCRIPTION_MAX,
    VALUE_MAX,
    AddContactMethod,
)
from shared.domain.events.contact_method import ContactKind
from shared.domain.refusal import Refused
from shared.i18n.details import detail_text
from tests.support.builders.on_call.subscriptions import subscription

GOOD: dict[ContactKind, str] = {
    "mail": "nadia@example.org",
    "sms": "+33 6 12.34 56 78",
    "voice": "+33612345678",
    "ntfy": "nadia-Qx7",
    "matrix": "!abc:example.org",
    "slack": "U0123ABCD",
    "mattermost": "@Nadia.b",
    "apprise": "gotify://push.example/token",
    "web_push": subscription("https://push.example/abc"),
}


def test_a_value_of_each_kind_is_taken() -> None:
    assert set(GOOD) == set(get_args(ContactKind))
    for kind, value in GOOD.items():
        assert normalized(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((kind, "two words") for kind in GOOD),
        ("mail", "nadia"),
        ("sms", "0612345678"),
        ("voice", "+33"),
        ("ntfy", "a/b"),
        ("matrix", "#room:example.org"),
        ("slack", "@nadia"),
        ("mattermost", "nadia@example.org"),
        ("apprise", "gotify"),
        ("web_push", "{}"),
        ("web_push", "[" * 500),
        ("web_push", subscription("http://push.example/abc")),
        ("web_push", subscription("https://a..b/abc")),
        ("web_push", subscription("https://push.example/abc", point="B")),
        ("web_push", subscription("https://push.example/abc", secret="é" * 22)),
    ],
)
def test_another_value_is_refused_in_words_that_the_screen_has_in_french(
    kind: ContactKind, value: str
) -> None:
    with pytest.raises(Refused) as refusal:
        normalized(kind, value)

    assert refusal.value.code == "invalid"
    assert "`value`" in str(refusal.value)
    assert detail_text("fr", str(refusal.value))


@pytest.mark.parametrize(
    ("kind", "most"), [("apprise", VALUE_MAX), ("web_push", SUBSCRIPTION_MAX)]
)
def test_only_the_subscription_of_a_browser_may_be_longer_than_other_values(
    kind: ContactKind, most: int
) -> None:
    add = {"person": "nadia", "kind": kind}

    assert AddContactMethod(**add, value="x" * most)
    with pytest.raises(ValidationError, match=f"at most {most} characters") as no:
        AddContactMethod(**add, value="x" * (most + 1))
    assert [each["loc"] for each in no.value.errors()] == [("value",)]
