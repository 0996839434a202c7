"""How much a service that was down decides at once, and what of it is a bug."""

from dataclasses import replace

import pytest

from shared.domain.policy.document import Policy
from shared.process_manager import NeverEnding, progress
from tests.support.builders.escalation import Search
from tests.support.builders.promises import local, valmont

OFTEN = valmont(
    ("page: {who: manager}, repeat: 2}", "page: {who: manager}, repeat: 9}")
)


@pytest.fixture(autouse=True)
def few_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "DECISIONS_MAX", 4)


def at_n2(policy: Policy = OFTEN) -> Search:
    search = Search(policy)
    search.opened("09:10", service="vpn")
    return search


def pages(search: Search) -> int:
    return [each.type for each in search.said].count("escalation.paged")


def test_all_that_was_due_in_an_outage_is_decided_however_much_it_is() -> None:
    prompt, behind = at_n2(), at_n2()
    prompt.passes("13:00")

    assert behind.desk.reach(local("13:00"), local("13:00"))
    assert pages(behind) == pages(prompt) == 11


def test_it_can_be_decided_in_portions() -> None:
    behind = at_n2()
    portions = 1
    while not behind.desk.reach(local("13:00"), local("13:00"), most=3):
        portions += 1

    assert (pages(behind), portions > 5) == (11, True)


def test_a_decision_that_changes_nothing_is_not_repeated_for_ever() -> None:
    search = at_n2()
    search.desk.work = replace(search.desk.work, evolve=lambda case, _: case)

    with pytest.raises(NeverEnding):
        search.desk.reach(local("13:00"), local("13:00"))
