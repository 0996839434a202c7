"""Who writes is answered by the automatic receipt; how long that took is measured."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.projections.metrics.contacts import after_receipt, with_first_word
from services.projections.metrics.state import Dims, Fact, IncidentState, changed
from shared.domain.events.incident import IncidentContacted
from shared.domain.events.notification import NotificationRequested, NotificationSent

NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)
HEAD: dict[str, Any] = {"incident": "INC-000001", "at": NINE, "by": "system:x"}
ASKED = NotificationRequested(
    **HEAD,
    policy=1,
    key="k",
    kind="receipt",
    audience="user",
    channel="mail",
    person="costa",
    cause_stream="incident-INC-000001",
    cause_version=2,
)
SENT = NotificationSent(**{**HEAD, "at": NINE + timedelta(seconds=42)}, key="k")


def life(**said: Any) -> tuple[IncidentState, IncidentContacted]:
    """Return an incident with a contact of Costa, and that contact."""
    usual = {"person": "costa", "direction": "inbound", "channel": "email"}
    contact = IncidentContacted(
        **HEAD, policy=1, **{**usual, "contacted_at": NINE, **said}
    )
    fact = Fact("contact", 1, NINE, contact.channel, waited=contact.waited_seconds)
    lived = IncidentState("INC-000001", Dims(), "user", NINE, facts=(fact,))
    return lived, contact


def waited(lived: IncidentState) -> int | None:
    return lived.facts[0].waited


@pytest.mark.parametrize("channel", ["email", "web"])
def test_the_receipt_answers_who_wrote(channel: str) -> None:
    before, contact = life(channel=channel)
    heard = with_first_word(before, contact, before.facts[0])

    assert waited(after_receipt(after_receipt(heard, ASKED), SENT)) == 42


def test_it_does_not_matter_which_is_heard_first() -> None:
    before, contact = life()
    sent_first = after_receipt(after_receipt(before, ASKED), SENT)

    assert waited(with_first_word(sent_first, contact, before.facts[0])) == 42


@pytest.mark.parametrize("said", [{"channel": "phone"}, {"unconfirmed": True}])
def test_a_receipt_answers_no_call_and_no_stranger(said: dict[str, object]) -> None:
    before, contact = life(**said)
    heard = with_first_word(before, contact, before.facts[0])

    assert waited(after_receipt(after_receipt(heard, ASKED), SENT)) is None


def test_what_an_agent_says_of_the_wait_stays() -> None:
    before, contact = life(waited_seconds=5)
    heard = with_first_word(before, contact, before.facts[0])

    assert waited(after_receipt(after_receipt(heard, ASKED), SENT)) == 5


def test_a_second_letter_is_not_answered_by_the_first_receipt() -> None:
    before, contact = life()
    heard = after_receipt(
        after_receipt(with_first_word(before, contact, before.facts[0]), ASKED), SENT
    )
    second = Fact("contact", 2, NINE, "email")
    grown = changed(heard, facts=(*heard.facts, second))

    assert with_first_word(grown, contact, second).facts[1].waited is None
