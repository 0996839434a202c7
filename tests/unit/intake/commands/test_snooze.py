"""No news of repeats for a while; what gets worse wakes it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.intake.signals.rules.correlation import SUMMARY_EVERY
from shared.domain.commands.incident import Snooze, Wake
from shared.domain.events.incident_signals import IncidentSnoozed, IncidentWoken
from tests.unit.intake.commands.scenario import LATER, event, given, opened
from tests.unit.intake.signals.alert_desk import A_SECOND, Trouble, firing, types

HOUR = timedelta(hours=1)
SNOOZE = Snooze.model_validate({"for": "1h", "reason": "the vendor is on it"})
snoozed = event(IncidentSnoozed, until=LATER + HOUR, reason="the vendor is on it")


def quiet() -> Trouble:
    trouble = firing()
    trouble.wishes(SNOOZE)
    return trouble


def test_repeats_are_counted_and_told_when_it_is_over() -> None:
    trouble = quiet()
    for _ in range(3):
        heard = trouble.later(SUMMARY_EVERY).hears("trigger")
        assert (heard.outcome, heard.events) == ("duplicate", ())
    assert types(trouble.later(HOUR).hears("trigger")) == ["signalled"]
    assert trouble.desk.log[-1].repeats == 4  # type: ignore[union-attr] # it is signalled


def test_what_gets_worse_wakes_it_what_gets_better_does_not() -> None:
    trouble = quiet()
    assert trouble.hears("trigger", severity="info").events == ()

    heard = trouble.hears("trigger", severity="critical")
    assert types(heard) == ["signalled", "classified", "woken"]
    assert types(trouble.later(SUMMARY_EVERY).hears("trigger", severity="critical"))


def test_recoveries_are_taken_and_end_it() -> None:
    trouble = quiet()

    assert types(trouble.hears("resolve"))[-1] == "resolved"
    assert trouble.incident.snoozed_until is None


def test_somebody_wakes_it() -> None:
    trouble = quiet()
    trouble.wishes(Wake())

    assert types(trouble.later(SUMMARY_EVERY).hears("trigger")) == ["signalled"]


def test_it_says_until_when_and_why() -> None:
    given(opened()).when(SNOOZE).then(snoozed)
    given(opened(), snoozed).when(SNOOZE).then()
    given(opened(), snoozed).when(Wake()).then(event(IncidentWoken, cause="agent"))
    given(opened()).when(Wake()).then()


@pytest.mark.parametrize("until", [LATER, LATER + timedelta(days=31) + A_SECOND])
def test_neither_in_the_past_nor_for_ever(until: object) -> None:
    wish = Snooze.model_validate({"until": until, "reason": "x"})

    given(opened()).when(wish).then_refused("past|at most", "invalid")


@pytest.mark.parametrize("said", [{}, {"for": "1h", "until": LATER}])
def test_it_has_one_end(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either `until` or `for`"):
        Snooze.model_validate({**said, "reason": "x"})
