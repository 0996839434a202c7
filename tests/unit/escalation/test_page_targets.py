"""Each team pages its own people: two teams at one level share no schedule."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.escalation.rules.page_targets import plan_of, target_of
from shared.domain import events
from shared.domain.on_call import Roster
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import PageSchedule, PageTeam
from tests.support.builders.escalation import Search
from tests.support.builders.on_call.changes import Changes
from tests.support.builders.promises import VALMONT, local, valmont

APPS = (
    "  etudes:  {level: n3",
    (
        "  apps: {level: n2, members: [karim, nadia], manager: karim, schedule: apps}\n"
        "  etudes:  {level: n3"
    ),
)
APPS_SCHEDULE = (
    "  comptoir:  {timezone",
    (
        "  apps: {timezone: Europe/Paris, rotation: {type: weekly, "
        'start: "2025-06-02T09:00", participants: [karim, nadia]}}\n'
        "  comptoir:  {timezone"
    ),
)
OF_APPS = (
    "criticality: medium, support: [desk, support]}\n  vpn:",
    "criticality: medium, support: [desk, apps]}\n  vpn:",
)
TWO_TEAMS = valmont(APPS, APPS_SCHEDULE, OF_APPS)
NOON = datetime(2025, 6, 30, 10, tzinfo=UTC)


def by_policy(policy: Policy, schedule: str, _at: datetime) -> Roster:
    return Roster.of(policy.schedules[schedule])


def pages(policy: Policy, service: str) -> list[str]:
    search = Search(policy)
    search.opened("09:10", service=service)
    search.passes("10:30")
    paged = [each for each in search.said if isinstance(each, events.EscalationPaged)]
    return [f"{each.schedule or each.team}: {'+'.join(each.people)}" for each in paged]


def with_team(policy: Policy, name: str, **changed: object) -> Policy:
    team = policy.teams[name].model_copy(update=changed)
    return policy.model_copy(update={"teams": {**policy.teams, name: team}})


def given(search: Search, when: str, **to: object) -> list[str]:
    search.happens(when, events.IncidentAssigned, **to)
    search.passes(when)
    paged = [each for each in search.said if isinstance(each, events.EscalationPaged)]
    return ["+".join(each.people) for each in paged if each.due_at >= local(when)]


@pytest.mark.parametrize("accepted", [False, True])
def test_given_to_another_team_of_the_level_an_incident_pages_that_team_each_time(
    accepted: bool,
) -> None:
    search = Search(TWO_TEAMS)
    search.opened("09:10", service="vpn")
    search.passes("09:45")
    if accepted:
        search.happens("09:46", events.IncidentAcknowledged, by="person:chloe")

    assert given(search, "09:50", team="apps") == ["karim"]
    assert given(search, "09:55", team="support") == ["bruno"]
    assert given(search, "10:00", team="support") == []
    assert given(search, "10:05", team="apps", assignee="nadia") == []
    assert search.case.post.accepted_by == "nadia"


def test_the_time_that_a_team_worked_at_a_level_does_not_count_for_the_next() -> None:
    search = Search(TWO_TEAMS)
    search.opened("09:10")
    search.passes("09:30")
    search.happens("09:31", events.IncidentAcknowledged, by="person:bruno")
    given(search, "16:00", team="apps")

    assert search.case.post.counts_from == local("16:00")


def test_an_incident_of_one_team_pages_nobody_on_call_for_the_other() -> None:
    of_apps = pages(TWO_TEAMS, "messagerie")
    of_support = pages(TWO_TEAMS, "vpn")

    assert of_apps == ["apps: karim", "apps: nadia", "apps: karim", "apps: karim"]
    assert of_support == [
        "astreinte: bruno",
        "astreinte: chloe",
        "support: sylvie",
        "support: sylvie",
    ]


def test_a_step_that_names_a_schedule_pages_it_for_every_team() -> None:
    named = valmont(
        APPS,
        APPS_SCHEDULE,
        OF_APPS,
        ("{after: 0m,  page: {who", "{after: 0m,  page: {schedule: astreinte, who"),
    )

    assert pages(named, "messagerie")[0] == "astreinte: bruno"


def test_without_a_schedule_of_its_own_all_members_of_a_team_are_paged() -> None:
    alone = with_team(TWO_TEAMS, "apps", schedule=None)

    assert pages(alone, "messagerie")[:2] == ["apps: karim+nadia"] * 2


def test_a_team_with_an_escalation_policy_has_its_own_steps() -> None:
    own = valmont(
        (APPS[0], APPS[1].replace("schedule: apps}", "schedule: apps, escalation: x}")),
        APPS_SCHEDULE,
        OF_APPS,
        (
            "  hierarchical:",
            "  policies:\n    x: [{after: 5m, page: {who: next}}]\n  hierarchical:",
        ),
    )
    search = Search(own)
    search.opened("09:10", service="messagerie")
    search.passes("09:45")
    (page,) = [each for each in search.said if isinstance(each, events.EscalationPaged)]

    assert (page.escalation_policy, page.people) == ("x", ("nadia",))
    plan = plan_of(own, page.escalation_policy, "n2")
    assert plan.steps == own.escalation.policies["x"]
    assert pages(own, "vpn")[0] == "astreinte: bruno"


HOURS = (
    (
        "comptoir:  {timezone: Europe/Paris, rotation: {type: weekly, shift_length: 1, "
        'start: "2025-06-02T08:00", participants: [chloe, amina, bruno]}}'
    ),
    (
        "comptoir:  {timezone: Europe/Paris, layers: [{rotation: {type: weekly, "
        'start: "2025-06-02T08:00", participants: [[chloe, amina], bruno]}, '
        'hours: {mon-fri: ["08:00-18:00"]}}, {rotation: {type: daily, '
        'start: "2025-06-02T08:00", participants: [amina]}, role: secondary}]}'
    ),
)
COUNTER = PageSchedule(schedule="comptoir", who="on_call")
EVENING = datetime(2025, 6, 30, 18, tzinfo=UTC)


def test_several_people_on_call_are_paged_together() -> None:
    found = target_of(valmont(HOURS), COUNTER, "support", NOON, by_policy)

    assert (found.people, found.nobody_on_call) == (("chloe", "amina"), False)


def test_a_page_may_ask_for_those_who_are_on_call_as_something_else() -> None:
    page = PageSchedule(schedule="comptoir", who="on_call", role="secondary")

    assert target_of(valmont(HOURS), page, "support", EVENING, by_policy).people == (
        "amina",
    )


@pytest.mark.parametrize(
    ("instead", "people"),
    [
        ("{page: {team: etudes, who: members}}", ("karim",)),
        ("{page: {schedule: comptoir, who: on_call}}", ("sylvie",)),
        ("{page: {who: on_call}}", ("bruno",)),
        (None, ("sylvie",)),
    ],
)
def test_in_a_gap_somebody_else_is_paged_and_the_event_says_so(
    instead: str | None, people: tuple[str, ...]
) -> None:
    written = "nobody_on_call: {page: {team: support, who: manager}}"
    policy = valmont(
        HOURS,
        (f"  {written}\n", f"  nobody_on_call: {instead}\n" if instead else ""),
    )

    found = target_of(policy, COUNTER, "support", EVENING, by_policy)

    assert (found.page, found.people, found.nobody_on_call) == (COUNTER, people, True)


def test_a_page_of_a_team_means_the_team_that_has_the_incident() -> None:
    manager = PageTeam(who="manager")

    assert target_of(VALMONT, manager, "etudes", NOON, by_policy).people == ("karim",)
    assert target_of(VALMONT, manager, "support", NOON, by_policy).people == ("sylvie",)
    assert target_of(VALMONT, manager, "dissolved", NOON, by_policy).people == (
        "sylvie",
    )


def test_an_override_that_comes_between_two_pages_counts_for_the_next() -> None:
    changes = Changes(TWO_TEAMS)
    search = Search(TWO_TEAMS)
    search.opened("09:10", service="vpn")
    search.passes("09:30")

    changes.now = local("09:40")
    takes_over: dict[str, Any] = {
        "kind": "replace",
        "add": "amina",
        "remove": "chloe",
        "end": 9,
    }
    changes.says("amina", "add_override", **takes_over)
    search.changes = changes.held
    search.passes("09:45")

    paged = [each for each in search.said if isinstance(each, events.EscalationPaged)]
    assert [each.people for each in paged] == [("bruno",), ("amina",)]
