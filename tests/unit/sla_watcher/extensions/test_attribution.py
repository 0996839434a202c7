"""Whose a breach is: a manager's word, with what shows it; the breach stays."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain import events
from shared.domain.commands.sla import AttributeBreach
from shared.domain.refusal import Refused
from tests.support.builders.promises import Watch, local


def broken(*, waited: bool = False) -> Watch:
    """Return a P2 of Roche's whose TTR was broken at 15:10, or an hour later."""
    watch = Watch()
    watch.opened("09:10")
    watch.happens("09:10", events.IncidentAcknowledged)
    if waited:
        watch.happens(
            "10:00", events.IncidentPaused, reason="user", question="Quel mois ?"
        )
        watch.happens("11:00", events.IncidentResumed, cause="reply")
    watch.passes("16:30")
    return watch


def says(watch: Watch, when: str = "16:50", **words: Any) -> list[str]:
    wish = AttributeBreach(**words)
    return watch.asks(when, wish, "sylvie", scopes=("agent", "manager"))


def refusal(watch: Watch, when: str = "16:50", **words: Any) -> Refused:
    with pytest.raises(Refused) as no:
        says(watch, when, **words)
    return no.value


def test_it_is_ours_or_a_vendors_without_more() -> None:
    for party in ("provider", "vendor"):
        watch = broken()
        assert says(watch, party=party) == ["ttr breach_attributed 16:50"]
        clock = watch.clock("ttr")
        assert clock.attributed is not None
        assert (clock.attributed.party, clock.attributed.by) == (party, "person:sylvie")
        assert clock.state == "breached"


def test_it_is_the_users_where_the_clock_stood_for_them() -> None:
    assert says(broken(waited=True), party="user", who="roche")


def test_or_with_a_written_reason() -> None:
    watch = broken()

    no = refusal(watch, party="user")
    assert (no.code, "never stood for the user" in no.reason) == ("invalid", True)
    says(watch, party="user", who="roche", reason="Deux rendez-vous annulés.")
    event = watch.said[-1]
    assert isinstance(event, events.SlaBreachAttributed)
    assert (event.reason, event.whose) == ("Deux rendez-vous annulés.", "person:sylvie")


def test_it_takes_a_manager() -> None:
    with pytest.raises(Refused) as no:
        broken().asks("16:50", AttributeBreach(party="provider"), "paul")

    assert no.value.code == "role"


def test_it_takes_a_breach() -> None:
    watch = Watch()
    watch.opened("09:10")

    no = refusal(watch, "10:00", party="provider")
    assert (no.code, "was not broken" in no.reason) == ("state", True)
    unpromised = Watch()
    unpromised.opened("09:10", service="unknown")
    assert refusal(unpromised, party="provider").code == "unknown_promise"


def test_the_last_word_counts_and_the_same_again_is_none() -> None:
    watch = broken()
    says(watch, party="provider")

    assert says(watch, party="provider") == []
    assert says(watch, party="vendor", who="imprimeur") == [
        "ttr breach_attributed 16:50"
    ]
    clock = watch.clock("ttr")
    assert clock.attributed is not None
    assert (clock.attributed.party, clock.attributed.who) == ("vendor", "imprimeur")


def test_of_several_rounds_the_last_broken_one_is_meant_or_the_one_named() -> None:
    watch = Watch()
    watch.opened("09:10")
    watch.happens("09:14", events.IncidentAcknowledged)
    watch.passes("16:29")
    contact = {
        "person": "roche",
        "direction": "outbound",
        "channel": "phone",
        "contacted_at": local("16:30"),
    }
    watch.happens("16:30", events.IncidentContacted, **contact)

    says(watch, target="update", party="provider")

    assert watch.clock("update", round_=2).attributed is not None
    assert refusal(watch, target="update", round=3, party="provider").code == "state"


def test_there_are_only_three_parties_and_not_endless_evidence() -> None:
    with pytest.raises(ValidationError):
        AttributeBreach(party="nobody")
    with pytest.raises(ValidationError):
        AttributeBreach(party="user", evidence=tuple(range(1, 30)))
