"""Escalating by hand, accepting, declining a hand-over: what is done, what refused."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from services.escalation.commands import decide_command
from services.escalation.rules.acceptances import people_of
from shared.domain import events
from shared.domain.commands.escalation import (
    Accept,
    Decline,
    Escalate,
    EscalationCommand,
)
from shared.domain.incident import replay
from shared.domain.incident.possible import Situation, possible, why_refused
from shared.domain.incident.relations import may_say, otherwise
from shared.domain.refusal import Refused
from shared.messaging.commands import CommandRequest
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, local
from tests.support.strategies.histories import opened


def ask(
    search: Search,
    wish: EscalationCommand,
    who: str = "person:nadia",
    when: str = "09:20",
) -> Sequence[events.AnyEvent]:
    request = CommandRequest[EscalationCommand](
        incident=INCIDENT, actor=who, scopes=("agent",), body=wish
    )
    return decide_command(request, search.case, local(when), search.desk.known)


def refusal(
    search: Search, wish: EscalationCommand, who: str = "person:nadia"
) -> Refused:
    with pytest.raises(Refused) as no:
        ask(search, wish, who)
    return no.value


def at_n2() -> Search:
    search = Search()
    search.opened("09:10")
    search.passes("09:30")
    return search


def reported() -> Search:
    search = Search()
    search.opened("09:10")
    return search


def taken() -> Search:
    search = at_n2()
    for event in ask(search, Accept(), "person:amina"):
        search.desk.record(event)
    return search


def handed_over() -> Search:
    search = Search()
    search.opened("09:10", reporter=None)
    search.breached("16:10")
    return search


def moved(search: Search, **words: Any) -> events.Escalated:
    (event,) = ask(search, Escalate(reason="x", **words))
    assert isinstance(event, events.Escalated)
    return event


def test_by_hand_it_goes_to_the_next_team_of_its_service() -> None:
    search = Search()
    search.opened("09:10")
    event = moved(search)

    assert (event.from_level, event.to_level, event.team) == ("n1", "n2", "support")
    assert (event.by, event.whose, event.reason) == ("person:nadia", event.by, "x")
    assert (event.cause, event.escalated_at) == ("by_hand", local("09:20"))


def test_it_may_skip_a_level_or_go_to_a_team_by_name() -> None:
    search = Search()
    search.opened("09:10", service="vpn")

    assert moved(search, team="etudes").to_level == "n3"
    search = Search()
    search.opened("09:10")
    assert moved(search, level="n3").team == "etudes"


def test_where_it_is_already_nothing_happens() -> None:
    assert ask(at_n2(), Escalate(reason="x", level="n2")) == []
    assert ask(at_n2(), Escalate(reason="x", team="support")) == []


def test_it_goes_neither_down_nor_where_nobody_is() -> None:
    vpn = Search()
    vpn.opened("09:10", service="vpn")
    vpn.passes("09:30")

    assert refusal(at_n2(), Escalate(reason="x", team="desk")).code == "state"
    assert refusal(at_n2(), Escalate(reason="x", team="problem")).code == "state"
    assert refusal(at_n2(), Escalate(reason="x", team="nobody")).code == "invalid"
    assert "no team" in refusal(vpn, Escalate(reason="x")).reason
    assert "at n3" in refusal(vpn, Escalate(reason="x", level="n3")).reason


def test_a_team_and_a_level_are_not_both_named() -> None:
    with pytest.raises(ValidationError, match="not both"):
        Escalate(reason="x", team="support", level="n2")


def test_what_is_over_is_neither_escalated_nor_accepted() -> None:
    search = at_n2()
    search.happens("09:40", events.IncidentResolved, cycle=1)

    for wish in (Escalate(reason="x"), Accept()):
        assert "reopen" in refusal(search, wish).reason


@pytest.mark.parametrize("person", ["amina", "karim", "nadia", "sylvie"])
@pytest.mark.parametrize(
    ("search", "accepted_by"), [(reported(), None), (at_n2(), None), (taken(), "amina")]
)
def test_accepting_is_offered_where_it_is_not_refused(
    search: Search, accepted_by: str | None, person: str
) -> None:
    post = search.case.post
    incident = replay([opened(INCIDENT)])
    assert incident is not None
    assert post.accepted_by == accepted_by
    people = people_of(search.case, search.desk.known)
    theirs = partial(may_say, person=person, people=people)
    instead = partial(otherwise, people=people)
    now = Situation(incident, post.level, accepted_by, (), theirs, instead)
    offered, refused = possible(now, person), why_refused(now, person)

    if "accept" in offered:
        assert len(ask(search, Accept(), f"person:{person}")) == 1
    elif person == accepted_by:
        assert ask(search, Accept(), f"person:{person}") == []
        assert "accept" not in refused
    else:
        why = refusal(search, Accept(), f"person:{person}")
        assert why.code in {"state", "role"}
        assert refused["accept"] == why.reason
    assert "escalate" in offered


def test_who_accepts_it_ends_the_search() -> None:
    search = at_n2()
    (event,) = ask(search, Accept(), "person:chloe", "09:52")
    search.desk.record(event)

    assert isinstance(event, events.EscalationAccepted)
    assert (event.person, event.how) == ("chloe", "accepted")
    assert ask(search, Accept(), "person:chloe") == []
    assert "chloe" in refusal(search, Accept(), "person:bruno").reason
    assert search.passes("18:00") == ["taken_by_colleague → bruno"]


def test_at_the_desk_there_is_nothing_to_accept() -> None:
    search = Search()
    search.opened("09:10")

    assert "acknowledge" in refusal(search, Accept()).reason


def test_a_handover_is_declined_once_with_its_reason() -> None:
    search = handed_over()
    (event,) = ask(search, Decline(reason="Ours"), "person:helene")
    search.desk.record(event)

    assert isinstance(event, events.HandoverDeclined)
    assert (event.reason, event.by) == ("Ours", "person:helene")
    assert ask(search, Decline(reason="Ours")) == []
    assert "handover.unanswered" not in search.passes("18:00")


def test_what_was_not_handed_over_or_is_answered_is_not_declined() -> None:
    fresh, joined = Search(), handed_over()
    fresh.opened("09:10")
    joined.happens(
        "16:20", events.ProblemIncidentLinked, problem="PRB-000002", incident=INCIDENT
    )

    assert refusal(fresh, Decline(reason="x")).code == "unknown_handover"
    assert "joined" in refusal(joined, Decline(reason="x")).reason
