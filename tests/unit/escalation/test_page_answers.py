"""The answers to a page by its link or by mail: take it, not me, page another."""

from collections.abc import Sequence

import pytest

from services.escalation.commands import decide_command
from shared.domain import events
from shared.domain.commands.escalation import (
    DeclinePage,
    EscalationCommand,
    PageAnother,
    TakePage,
)
from shared.domain.page_state import standing_of
from shared.domain.policy.document import Policy
from shared.domain.refusal import Refused
from shared.messaging.commands import CommandRequest
from tests.support.builders.escalation import Search, brief, without_steps
from tests.support.builders.promises import INCIDENT, VALMONT, local, valmont

FIRST, SECOND = f"{INCIDENT}.1.1.n2.0.1", f"{INCIDENT}.1.1.n2.1.1"


def at_n2(policy: Policy = VALMONT) -> Search:
    """Return a search in which Bruno was paged at 09:30."""
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:30")
    return search


def ask(
    search: Search, command: EscalationCommand, who: str, when: str
) -> Sequence[events.AnyEvent]:
    request = CommandRequest[EscalationCommand](
        incident=INCIDENT, actor=f"person:{who}", scopes=(), body=command
    )
    return decide_command(request, search.case, local(when), search.desk.known)


def answer(
    search: Search, command: EscalationCommand, who: str, when: str
) -> list[str]:
    """Let somebody answer; return the pages and the decisions that follow at once."""
    before = len(search.said)
    for event in ask(search, command, who, when):
        search.desk.record(event)
    search.desk.reach(local(when), local(when))
    return [brief(event) for event in search.said[before:]]


def refused(search: Search, command: EscalationCommand, who: str, when: str) -> Refused:
    with pytest.raises(Refused) as no:
        ask(search, command, who, when)
    return no.value


def take(page: str = FIRST) -> TakePage:
    return TakePage(page=page, via="link")


def test_whoever_was_paged_takes_it_once() -> None:
    search = at_n2()

    assert answer(search, take(), "bruno", "09:40") == ["accepted by bruno"]
    accepted = search.said[-1]
    assert isinstance(accepted, events.EscalationAccepted)
    assert (accepted.via, accepted.others_paged) == ("link", None)
    assert answer(search, take(), "bruno", "09:41") == []
    assert search.passes("18:00") == []


def test_everybody_else_who_was_paged_is_told_once_and_only_by_mail() -> None:
    search = Search(webhook=True)
    search.opened("09:10")
    search.passes("09:45")

    assert answer(search, take(SECOND), "chloe", "09:52") == [
        "accepted by chloe",
        "taken_by_colleague → bruno",
    ]
    told = search.said[-1]
    assert isinstance(told, events.NotificationRequested)
    assert (told.audience, told.channel) == ("staff", "mail")
    assert "a colleague" in refused(search, take(), "bruno", "09:53").reason
    assert search.passes("18:00") == []


def test_who_takes_it_at_the_desk_spares_the_others_as_well() -> None:
    search = at_n2()
    search.passes("09:45")

    said = search.happens("09:52", events.IncidentAcknowledged, by="person:chloe")

    assert "taken_by_colleague → bruno" in said


def test_not_me_pages_the_next_person_at_once_and_moves_the_later_steps() -> None:
    search = at_n2()

    assert answer(search, DeclinePage(page=FIRST), "bruno", "09:34") == [
        "escalation.declined",
        "09:34 page chloe",
        "page → chloe",
    ]
    assert answer(search, DeclinePage(page=FIRST), "bruno", "09:35") == []
    assert [line for line in search.passes("10:19") if "→ " not in line] == [
        "09:49 page sylvie",
        "10:04 page sylvie",
        "10:19 unanswered",
        "10:19 n2→n3 etudes unanswered",
        "10:19 page karim",
    ]


def test_who_declined_may_change_their_mind_until_somebody_has_it() -> None:
    search = at_n2()
    answer(search, DeclinePage(page=FIRST), "bruno", "09:34")

    assert "accepted by bruno" in answer(search, take(), "bruno", "09:36")


def test_if_everybody_declines_the_incident_escalates_at_once() -> None:
    search = at_n2()
    answer(search, DeclinePage(page=FIRST), "bruno", "09:34")
    answer(search, DeclinePage(page=SECOND), "chloe", "09:35")

    said = answer(search, DeclinePage(page=f"{INCIDENT}.1.1.n2.2.1"), "sylvie", "09:36")

    assert said[:3] == [
        "escalation.declined",
        "09:36 unanswered",
        "09:36 n2→n3 etudes unanswered",
    ]


def test_in_a_team_without_steps_one_who_declines_leaves_it_to_the_others() -> None:
    search = at_n2(without_steps(VALMONT))

    assert answer(search, DeclinePage(page=FIRST), "amina", "09:34") == [
        "escalation.declined"
    ]
    answer(search, DeclinePage(page=FIRST), "bruno", "09:35")
    said = answer(search, DeclinePage(page=FIRST), "chloe", "09:36")
    assert said[1:3] == ["09:36 unanswered", "09:36 n2→n3 etudes unanswered"]


def test_another_is_paged_once_and_the_first_may_still_take_it() -> None:
    search = at_n2()

    assert answer(search, PageAnother(page=FIRST), "bruno", "09:34") == [
        "escalation.another_requested",
        "09:34 page chloe",
        "page → chloe",
    ]
    assert answer(search, PageAnother(page=FIRST), "bruno", "09:35") == []
    assert answer(search, PageAnother(page=SECOND), "chloe", "09:36")[1:] == [
        "09:36 page sylvie",
        "page → sylvie",
    ]
    last = PageAnother(page=f"{INCIDENT}.1.1.n2.2.1")
    assert "everybody" in refused(search, last, "sylvie", "09:37").reason
    assert answer(search, take(), "bruno", "09:38")[1:] == [
        "taken_by_colleague → chloe",
        "taken_by_colleague → sylvie",
    ]


def test_time_in_which_the_service_was_back_moves_the_steps_after_an_answer() -> None:
    search = at_n2()
    answer(search, DeclinePage(page=FIRST), "bruno", "09:34")
    search.happens("09:40", events.IncidentRestored)
    search.happens("10:10", events.IncidentRelapsed)

    said = [line for line in search.passes("10:19") if " page " in line]

    assert said == ["10:19 page sylvie"]


@pytest.mark.parametrize("command", [take(), DeclinePage(page=FIRST)])
def test_a_page_cannot_be_answered_once_the_incident_has_left_its_level(
    command: EscalationCommand,
) -> None:
    search = at_n2()
    back = {"team": "desk", "reason": "Ours", "assignee": None}
    search.happens("09:33", events.IncidentAssigned, **back)
    assert "left the level" in refused(search, command, "bruno", "09:34").reason

    search.happens("09:36", events.IncidentAssigned, team="support", assignee=None)
    assert "left the level" in refused(search, command, "bruno", "09:37").reason


def test_only_people_who_were_paged_answer_and_not_after_the_end() -> None:
    search = at_n2()

    assert refused(search, take(), "karim", "09:34").code == "role"
    assert refused(search, take(SECOND), "bruno", "09:34").code == "state"
    search.happens("09:40", events.IncidentResolved, cycle=1)
    assert "reopen" in refused(search, take(), "bruno", "09:41").reason


def test_who_has_it_can_neither_decline_it_nor_have_others_paged() -> None:
    search = at_n2()
    answer(search, take(), "bruno", "09:40")

    for command in (DeclinePage(page=FIRST), PageAnother(page=FIRST)):
        assert "assign or return" in refused(search, command, "bruno", "09:41").reason


def test_an_acceptance_of_an_earlier_version_tells_nobody() -> None:
    search = at_n2()
    search.passes("09:45")
    accepted = events.EscalationAccepted(
        at=local("09:50"),
        by="system:escalation",
        incident=INCIDENT,
        policy=1,
        cycle=1,
        level="n2",
        person="chloe",
        how="accepted",
    )
    search.desk.record(accepted)

    assert search.passes("18:00") == []


def test_the_page_of_a_team_is_over_once_another_team_has_the_incident() -> None:
    search = at_n2()
    search.happens("09:33", events.IncidentAssigned, team="support")
    same, other = search.log[-1].event, {"team": "causes"}
    search.happens("09:34", events.IncidentAssigned, **other)

    assert standing_of([*search.said, same]).has(FIRST)
    assert not standing_of([*search.said, search.log[-1].event]).has(FIRST)


def test_an_acknowledgement_that_lapsed_leaves_the_link_of_the_first_page_valid() -> (
    None
):
    search = at_n2(valmont(("acknowledged_for: 4h ", "acknowledged_for: 40m ")))
    search.happens("09:40", events.IncidentAcknowledged, by="person:bruno")
    assert standing_of(search.said).accepted_by == "bruno"
    search.passes("10:19")
    search.desk.reach(local("10:20"), local("10:20"))

    standing = standing_of(search.said)
    assert (standing.has(FIRST), standing.accepted_by) == (True, None)
    assert "accepted by bruno" in answer(search, take(), "bruno", "10:21")
    assert search.passes("18:00") == []
