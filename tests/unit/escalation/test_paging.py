"""Whom to wake on entering a level, until somebody accepts the incident."""

from services.escalation.rules.page_targets import StepPlan
from services.escalation.rules.paging import answer_by
from shared.domain import events
from shared.domain.policy.document import Policy
from tests.support.builders.escalation import Search, brief, without_steps
from tests.support.builders.promises import VALMONT, local, valmont

ALWAYS_TELL_THE_MANAGER = valmont(
    ("{after: 30m, unless: accepted, page", "{after: 30m, page")
)


def pages(said: list[str]) -> list[str]:
    return [line for line in said if " page " in line]


def at_n2(policy: Policy = VALMONT) -> Search:
    search = Search(policy)
    search.opened("09:10")
    search.passes("09:30")
    return search


def test_the_one_on_call_is_paged_as_soon_as_n2_is_entered() -> None:
    search = Search()
    search.opened("09:10")

    assert search.passes("09:44") == [
        "09:30 n1→n2 support dwell",
        "escalated → roche",
        "09:30 page bruno",
        "page → bruno",
    ]


def test_before_the_hand_off_the_other_one_is_paged() -> None:
    search = Search()
    said = search.opened("07:52", priority="p1", service="portail", reporter=None)

    assert pages(said) == ["07:52 page amina"]


def test_unanswered_it_climbs_from_person_to_person_to_manager_to_n3() -> None:
    search = at_n2()

    assert [line for line in search.passes("11:00") if "→ " not in line] == [
        "09:45 page chloe",
        "10:00 page sylvie",
        "10:15 page sylvie",
        "10:30 unanswered",
        "10:30 n2→n3 etudes unanswered",
        "10:30 page karim",
    ]


def test_where_there_is_nowhere_to_climb_it_is_unanswered_once() -> None:
    search = Search()
    search.opened("09:10", service="vpn")
    said = search.passes("07-04 18:00")

    assert [line for line in said if "unanswered" in line] == ["10:30 unanswered"]
    assert len(pages(said)) == 4


def test_who_acknowledges_at_the_level_accepts_it_and_the_search_ends() -> None:
    search = at_n2()

    said = search.happens("09:52", events.IncidentAcknowledged, by="person:chloe")

    assert "accepted by chloe" in said
    assert pages(search.passes("13:00")) == []


def test_the_manager_of_the_team_may_accept_it_too() -> None:
    search = at_n2()
    search.happens("09:52", events.IncidentAcknowledged, by="person:sylvie")

    assert search.case.post.accepted_by == "sylvie"


def test_who_is_given_it_at_the_level_accepts_it() -> None:
    search = at_n2()
    search.happens("09:52", events.IncidentAssigned, team="support", assignee="bruno")

    assert search.case.post.accepted_by == "bruno"


def test_the_desk_taking_it_on_does_not_end_the_search() -> None:
    search = at_n2()
    search.happens("09:35", events.IncidentAcknowledged, by="person:nadia")

    assert search.case.post.accepted_by is None
    assert pages(search.passes("09:45")) == ["09:45 page chloe"]


def test_who_had_it_before_it_came_to_the_level_has_not_accepted_it_there() -> None:
    search = Search()
    search.opened("09:10")
    search.happens("09:12", events.IncidentAcknowledged, by="person:bruno")
    search.passes("09:30")

    assert search.case.post.accepted_by is None


def test_a_rung_without_unless_is_paged_all_the_same() -> None:
    search = at_n2(ALWAYS_TELL_THE_MANAGER)
    search.happens("09:52", events.IncidentAcknowledged, by="person:chloe")

    assert pages(search.passes("13:00")) == ["10:00 page sylvie", "10:15 page sylvie"]


def test_what_is_given_to_a_person_wakes_nobody() -> None:
    search = Search(ALWAYS_TELL_THE_MANAGER)
    search.opened("09:10")
    search.happens("09:15", events.IncidentAssigned, team="support", assignee="bruno")

    assert pages(search.passes("18:00")) == []


def test_once_service_is_back_nobody_is_woken() -> None:
    search = at_n2()
    search.happens("09:40", events.IncidentRestored)

    assert pages(search.passes("18:00")) == []


def test_when_it_is_down_again_the_search_goes_on_where_it_stopped() -> None:
    search = at_n2()
    search.happens("09:40", events.IncidentRestored)
    search.happens("11:40", events.IncidentRelapsed)

    assert pages(search.passes("12:00")) == ["11:45 page chloe", "12:00 page sylvie"]


def test_what_is_resolved_wakes_nobody() -> None:
    search = at_n2()
    search.happens("09:40", events.IncidentResolved, cycle=1)

    assert pages(search.passes("18:00")) == []


def test_without_steps_the_team_is_paged_once() -> None:
    search = Search(without_steps(VALMONT))
    search.opened("09:10")

    said = search.passes("12:00")
    assert pages(said) == ["09:30 page amina+bruno+chloe"]
    assert [line for line in said if line.startswith("page → ")] == [
        "page → amina",
        "page → bruno",
        "page → chloe",
    ]


def test_each_page_has_a_key_of_its_own() -> None:
    search = at_n2()
    search.passes("12:00")
    keys = [
        each.key for each in search.said if isinstance(each, events.EscalationPaged)
    ]

    assert keys == [
        "INC-000016.1.1.n2.0.1",
        "INC-000016.1.1.n2.1.1",
        "INC-000016.1.1.n2.2.1",
        "INC-000016.1.1.n2.2.2",
        "INC-000016.1.1.n3.0.1",
    ]


def test_late_pages_go_to_who_was_to_be_paged_then() -> None:
    search = Search()
    opened = (events.IncidentOpened, {"reported_at": local("09:10")})
    search.opened("09:10")
    desk = search.desk
    desk.reach(local("11:00"), local("11:00"))

    assert opened[0] is events.IncidentOpened
    assert [e.due_at for e in search.said if isinstance(e, events.EscalationPaged)] == [
        local("09:30"),
        local("09:45"),
        local("10:00"),
        local("10:15"),
        local("10:30"),
    ]


def test_a_page_is_to_be_answered_before_the_next_one_repeated_ones_included() -> None:
    twice = valmont(
        (
            "after: 15m, unless: accepted, page: {who",
            "after: 10m, unless: accepted, repeat: 2, page: {who",
        )
    )
    tries = [(0, 1), (1, 1), (1, 2), (2, 1), (2, 2)]
    due = [local(clock) for clock in ("09:30", "09:40", "09:50", "10:00", "10:20")]
    plan = StepPlan(twice.escalation.functional)

    answers = [
        answer_by(plan, "p2", *each, at) for each, at in zip(tries, due, strict=True)
    ]

    assert answers == [*due[1:], None]


Flagged = events.EscalationPaged | events.EscalationAccepted


def flags(search: Search) -> dict[str, tuple[str, ...] | None]:
    """Return whom pages and acceptances flag, by what they are."""
    said = (each for each in search.said if isinstance(each, Flagged))
    return {brief(each): each.unskilled for each in said}


def test_who_is_paged_or_accepts_without_the_skill_is_flagged() -> None:
    search = Search(without_steps(VALMONT))
    search.opened("09:10")
    search.passes("09:30")
    search.happens("09:40", events.IncidentAcknowledged, by="person:amina")

    assert flags(search) == {
        "09:30 page amina+bruno+chloe": ("amina",),
        "accepted by amina": ("amina",),
    }


def test_a_manager_needs_no_skill() -> None:
    search = at_n2()
    search.passes("10:00")
    search.happens("10:01", events.IncidentAcknowledged, by="person:sylvie")

    found = flags(search)
    assert found["10:00 page sylvie"] is None
    assert found["accepted by sylvie"] is None


def test_a_service_that_all_know_flags_nobody() -> None:
    search = Search(without_steps(VALMONT))
    search.opened("09:10", service="vpn")
    search.passes("09:30")
    search.happens("09:40", events.IncidentAssigned, team="support", assignee="amina")

    assert list(flags(search).values()) == [None, None]
