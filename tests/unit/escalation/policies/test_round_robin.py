"""A target may page its people by turns: each escalation pages the next one."""

import pytest

from services.escalation.round_robin.rules import Turn
from services.escalation.rules.preview import preview
from services.projections.history.paging import steps_about
from shared.domain import events
from shared.domain.commands.escalation_preview import PreviewEscalation
from shared.domain.policy.document import Policy
from tests.support.builders.escalation import Search, knowing
from tests.support.builders.promises import INCIDENT, local, valmont
from tests.support.policies import mistakes
from tests.unit.projections.on_call.test_page_reasons import past

KEY = "team/support/members"


def policy_with(step: str) -> Policy:
    return valmont(
        ("    - {after: 0m,  page: {who: on_call}}\n", f"    - {step}\n"),
        ("    - {after: 15m, unless: accepted, page: {who: next}}\n", ""),
    )


BY_TURNS = policy_with(
    "{after: 0m, repeat: 4, answer_within: 5m, unless: accepted, "
    "page: {who: members, round_robin: true}}"
)


def at_n2(policy: Policy = BY_TURNS, last: Turn | None = None) -> Search:
    search = Search(policy, turns={KEY: last} if last else {})
    search.opened("09:10")
    search.passes("09:30")
    return search


def turns(search: Search) -> list[tuple[int | None, tuple[str, ...]]]:
    pages = (e for e in search.said if isinstance(e, events.EscalationPaged))
    return [(e.turn, e.people) for e in pages if e.who == "members"]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, (1, ("amina",))),
        (Turn(1, "amina"), (2, ("bruno",))),
        (Turn(8, "chloe"), (9, ("amina",))),
        (Turn(8, "somebody who left"), (9, ("amina",))),
    ],
)
def test_a_new_escalation_pages_the_one_after_the_last_turn(
    last: Turn | None, expected: tuple[int, tuple[str, ...]]
) -> None:
    assert turns(at_n2(last=last)) == [expected]


def test_without_an_answer_the_next_attempt_passes_to_the_next_person() -> None:
    search = at_n2(last=Turn(4, "amina"))
    search.passes("09:45")

    assert turns(search) == [
        (5, ("bruno",)),
        (6, ("chloe",)),
        (7, ("amina",)),
        (8, ("bruno",)),
    ]


def test_somebody_who_declined_has_no_turn_at_the_level() -> None:
    search = at_n2()
    search.desk.record(
        events.EscalationDeclined(
            at=local("09:31"),
            by="person:bruno",
            incident=INCIDENT,
            policy=1,
            cycle=1,
            level="n2",
            page="k",
            person="bruno",
        )
    )
    search.passes("09:35")

    assert turns(search) == [(1, ("amina",)), (2, ("chloe",))]


def test_two_targets_of_one_step_page_two_people() -> None:
    page = "{who: members, round_robin: true}"
    search = at_n2(policy_with(f"{{after: 0m, page: [{page}, {page}]}}"))

    assert turns(search) == [(1, ("amina",)), (2, ("bruno",))]


def test_a_substitute_in_a_gap_is_nobodys_turn() -> None:
    search = at_n2(
        policy_with(
            "{after: 0m, page: {who: on_call, role: shadow, round_robin: true}}"
        )
    )
    (page,) = (
        e for e in search.said if isinstance(e, events.EscalationPaged) and e.step == 0
    )

    assert (page.nobody_on_call, page.turn) == (True, None)


def test_why_not_me_says_that_it_was_the_turn_of_another() -> None:
    search = at_n2()
    reasons = [
        steps_about(past(search), person, lambda _: BY_TURNS)[0].reason
        for person in ("amina", "bruno", "nadia")
    ]

    assert reasons == ["member", "not_their_turn", "not_member"]


def test_the_preview_pages_whose_turn_it_is() -> None:
    last = {KEY: Turn(4, "amina")}
    known = knowing(BY_TURNS, last_turn=last.get)
    question = PreviewEscalation(service="vpn", priority="p2", team="support")
    found = preview(question, local("09:10"), 1, BY_TURNS, known)
    people = [each.people for each in found.items if each.who == "members"]

    assert people == [("bruno",), ("chloe",), ("amina",), ("bruno",)]


def test_only_steps_page_by_turns() -> None:
    (found,) = mistakes(
        (
            "nobody_on_call: {page: {team: exploitation, who: manager}}",
            (
                "nobody_on_call: {page: {team: exploitation, who: members, "
                "round_robin: true}}"
            ),
        )
    )

    assert "only the steps of a policy page by turns" in found.sentence
