"""A question stops clocks once somebody has received it, and not before."""

from typing import Any

import pytest

from services.projections.history.shares import waiting_since, waits
from services.projections.metrics.projection import step
from services.projections.metrics.state import IncidentState, Pause, State
from shared.domain import events
from shared.domain.sla import Wait
from tests.support.builders.promises import Watch, local

ASKED = {"reason": "user", "question": "Quel mois ?", "awaits_delivery": True}


def asked(mails: Any = "wait") -> Watch:
    """Return a P2 that was taken on, and whose user was asked at ten: TTR runs on."""
    watch = Watch(mails=mails)
    watch.opened("09:10")
    watch.happens("09:10", events.IncidentAcknowledged)
    assert watch.happens("10:00", events.IncidentPaused, **ASKED) == []
    return watch


def ttr(said: list[str]) -> list[str]:
    return [each for each in said if each.startswith("ttr")]


def test_it_stops_the_clock_from_the_instant_at_which_it_arrives() -> None:
    watch = asked()
    key = watch.requested("10:00", "question")

    assert watch.passes("10:29") == []
    assert waiting_since(watch.log) is None
    assert ttr(watch.delivered("10:30", key)) == ["ttr paused 10:30"]
    assert waiting_since(watch.log) == local("10:30")
    assert ttr(watch.happens("11:20", events.IncidentResumed, cause="reply")) == [
        "ttr resumed 11:20"
    ]
    assert waits(watch.log) == [Wait("user", local("10:30"), local("11:20"))]


def test_one_that_nobody_receives_stops_nothing() -> None:
    watch = asked("fail")

    assert ttr(watch.passes("16:00")) == ["ttr warned 75 % 13:40", "ttr breached 15:10"]
    assert watch.happens("16:10", events.IncidentResumed, cause="agent") == []
    assert waits(watch.log) == []


@pytest.mark.parametrize("person", ["roche", "vendor"])
def test_one_that_a_user_was_asked_by_telephone_instead_stops_it_from_then_on(
    person: str,
) -> None:
    watch = asked("fail")
    contact = {"person": person, "direction": "outbound", "channel": "phone"}

    said = watch.happens(
        "10:40", events.IncidentContacted, **contact, contacted_at=local("10:40")
    )
    is_user = person == "roche"
    assert ttr(said) == (["ttr paused 10:40"] if is_user else [])
    since = local("10:40") if is_user else None
    assert waiting_since(watch.log) == since
    assert [each.since for each in paused(watch)] == ([since] if since else [])


def paused(watch: Watch) -> tuple[Pause, ...]:
    """Return the pauses for metrics."""
    state: State | None = None
    for entry in watch.log:
        state = step(state, entry)
    assert isinstance(state, IncidentState)
    return state.pauses


def test_who_is_asked_about_what_nobody_reported_is_its_user() -> None:
    watch = Watch(mails="fail")
    watch.opened("09:10", reporter=None, origin="monitoring", by="source:zabbix")
    watch.happens("09:10", events.IncidentAcknowledged)
    watch.happens("10:00", events.IncidentPaused, **ASKED)
    contact = {"person": "costa", "direction": "outbound", "channel": "phone"}

    said = watch.happens(
        "10:40", events.IncidentContacted, **contact, contacted_at=local("10:40")
    )
    assert ttr(said) == ["ttr paused 10:40"]


def test_what_is_resolved_waits_for_no_answer_any_more() -> None:
    watch = asked()
    watch.delivered("10:30", watch.requested("10:00", "question"))

    said = watch.happens("11:00", events.IncidentResolved, cycle=1)
    assert "update resumed 11:00" in said
    said = watch.delivered("11:05", watch.requested("11:00", "resolved"))
    assert said == ["update met 11:05"]


def test_one_that_arrives_after_the_answer_stops_nothing() -> None:
    watch = asked()
    key = watch.requested("10:00", "question")
    watch.happens("10:10", events.IncidentResumed, cause="reply")

    assert ttr(watch.delivered("10:20", key)) == []


def test_of_two_questions_the_earlier_one_does_not_stop_it_for_the_other() -> None:
    watch = asked()
    watch.happens("10:10", events.IncidentResumed, cause="agent")
    watch.happens("10:20", events.IncidentPaused, **ASKED)
    earlier = watch.requested("10:21", "question", cause=3)
    later = watch.requested("10:21", "question", cause=5)

    assert ttr(watch.delivered("10:30", earlier)) == []
    assert ttr(watch.delivered("10:40", later)) == ["ttr paused 10:40"]


def test_a_pause_of_an_earlier_version_stops_it_at_once() -> None:
    watch = Watch(mails="fail")
    watch.opened("09:10")
    earlier = {name: ASKED[name] for name in ("reason", "question")}

    assert "ttr paused 09:20" in watch.happens(
        "09:20", events.IncidentPaused, **earlier
    )
