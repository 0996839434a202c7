"""A step may want several people, and goes on until they have accepted."""

from collections.abc import Sequence

import pytest

from services.escalation.commands import decide_command
from services.projections.history.paging import steps_about
from shared.domain import events
from shared.domain.commands.escalation import (
    DeclinePage,
    EscalationCommand,
    PageAnother,
    TakePage,
)
from shared.domain.page_state import standing_of
from shared.domain.refusal import Refused
from shared.messaging.commands import CommandRequest
from tests.support.builders.escalation import Search, brief
from tests.support.builders.promises import INCIDENT, local, valmont
from tests.support.policies import mistakes
from tests.unit.projections.on_call.test_page_reasons import past

FIRST = f"{INCIDENT}.1.1.n2.0.1"
TWO = valmont(
    (
        "    - {after: 0m,  page: {who: on_call}}\n",
        (
            "    - {after: 0m, acknowledgements: 2, repeat: 2, answer_within: 10m, "
            "page: {who: members}}\n"
        ),
    )
)


def at_n2() -> Search:
    """Return a search in which all of the team were paged at 09:30; two are wanted."""
    search = Search(TWO)
    search.opened("09:10")
    search.passes("09:30")
    return search


def answer(
    search: Search, command: EscalationCommand, who: str, when: str
) -> Sequence[str]:
    before = len(search.said)
    request = CommandRequest[EscalationCommand](
        incident=INCIDENT, actor=f"person:{who}", scopes=(), body=command
    )
    for event in decide_command(request, search.case, local(when), search.desk.known):
        search.desk.record(event)
    search.desk.reach(local(when), local(when))
    return [brief(event) for event in search.said[before:]]


def take(search: Search, who: str, when: str) -> Sequence[str]:
    return answer(search, TakePage(page=FIRST, via="link"), who, when)


def wanted(search: Search) -> int | None:
    return standing_of(search.said).wanted


def test_the_step_goes_on_for_the_others_until_as_many_as_are_wanted_accepted() -> None:
    search = at_n2()
    assert wanted(search) == 2

    assert take(search, "bruno", "09:35") == ["accepted by bruno"]
    assert (wanted(search), search.case.post.accepted_by) == (1, "bruno")
    pages = [line for line in search.passes("09:40") if "→" not in line]
    assert pages == ["09:40 page amina+chloe"]

    assert take(search, "chloe", "09:42") == [
        "accepted by chloe",
        "taken_by_colleague → amina",
    ]
    standing = standing_of(search.said)
    assert (standing.wanted, standing.accepted_by) == (None, "bruno")
    assert search.passes("18:00") == []


def test_further_steps_of_one_person_end_with_the_first_acceptance() -> None:
    search = at_n2()
    take(search, "bruno", "09:35")

    pages = [line for line in search.passes("18:00") if " page " in line]
    assert pages == ["09:40 page amina+chloe"]


def test_nobody_accepts_twice_and_nobody_beyond_those_who_are_wanted() -> None:
    search = at_n2()
    take(search, "bruno", "09:35")
    assert take(search, "bruno", "09:36") == []
    with pytest.raises(Refused, match="assign or return"):
        answer(search, PageAnother(page=FIRST), "bruno", "09:36")
    take(search, "chloe", "09:37")

    with pytest.raises(Refused, match="a colleague has"):
        take(search, "amina", "09:38")


def test_somebody_may_decline_although_another_has_accepted() -> None:
    search = at_n2()
    take(search, "bruno", "09:35")
    answer(search, DeclinePage(page=FIRST), "chloe", "09:36")

    pages = [line for line in search.passes("09:40") if " page " in line]
    assert pages == ["09:40 page amina"]


def test_an_attempt_that_only_finds_who_accepted_pages_nobody() -> None:
    policy = valmont(
        (
            "    - {after: 0m,  page: {who: on_call}}\n",
            (
                "    - {after: 0m, acknowledgements: 2, repeat: 2, "
                "page: {who: on_call}}\n"
            ),
        )
    )
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:30")
    take(search, "bruno", "09:35")
    search.passes("10:30")

    skipped = [e for e in search.said if isinstance(e, events.EscalationStepSkipped)]
    assert [(each.loop, each.cause) for each in skipped] == [(2, "accepted")]


def test_why_not_me_says_that_somebody_had_accepted_before() -> None:
    search = at_n2()
    take(search, "bruno", "09:35")
    search.passes("09:41")

    steps = steps_about(past(search), "bruno", lambda _: TWO)
    assert [each.reason for each in steps[:2]] == ["member", "had_accepted"]


def test_several_people_are_wanted_only_by_steps_that_count_acceptances() -> None:
    (found,) = mistakes(
        (
            "{after: 0m, page: {schedule: garde, who: on_call}}",
            (
                "{after: 0m, unless: acknowledged, acknowledgements: 2, "
                "page: {schedule: garde, who: on_call}}"
            ),
        )
    )

    assert "counts the people who accept" in found.sentence
