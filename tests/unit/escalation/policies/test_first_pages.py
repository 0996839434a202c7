"""Whom a policy pages first is what `config check` says of it."""

from datetime import timedelta

import pytest

from services.escalation.previews.first_pages import FirstPage, LookUp, first_pages
from services.escalation.rules.preview import preview
from shared.domain.commands.escalation_preview import PreviewEscalation
from shared.domain.on_call.schedule_changes import roster
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import Priority
from tests.support.builders.escalation import knowing
from tests.support.builders.promises import VALMONT, local, valmont

_NETWORK = (
    "  network: {level: n2, members: [karim, paul], manager: sylvie, "
    "schedule: comptoir, escalation: [{policy: own, services: [vpn]}]}\n"
)
SECOND_TEAM = ("  etudes:  {level: n3", f"{_NETWORK}  etudes:  {{level: n3")
NIGHT = "hours: {mon-sun: ['00:00-06:00']}"
STEPS = "  policies: {own: %s}\n  hierarchical:"


def two_ladders(own: str = "[{after: 5m, page: {who: members}}]") -> Policy:
    """Return the policy with a second team, which has `own` steps for the VPN."""
    policy = valmont(SECOND_TEAM, ("  hierarchical:", STEPS % own))
    services = dict(policy.services)
    vpn = services["vpn"]
    services["vpn"] = vpn.model_copy(update={"support": ("desk", "network")})
    return policy.model_copy(update={"services": services})


def found(policy: Policy, team: str, **zones: str) -> list[FirstPage]:
    as_written = LookUp(lambda of, name, _: roster(of.schedules[name]), zones.get)
    pages = first_pages(policy, local("09:10"), as_written)
    return [page for page in pages if page.team == team]


def test_each_team_is_named_with_whom_its_own_steps_page() -> None:
    policy = two_ladders()

    (support,), (network,) = found(policy, "support"), found(policy, "network")
    assert (support.people, support.after) == (("bruno",), timedelta())
    assert (network.services, network.people) == (("vpn",), ("karim", "paul"))
    assert (network.after, network.escalation) == (timedelta(minutes=5), "own")
    assert network.priorities == ("p1", "p2", "p3", "p4")


@pytest.mark.parametrize(
    ("own", "people"),
    [
        ("[{after: 0m, page: {who: manager}}]", ("sylvie",)),
        (
            "[{after: 0m, page: [{who: on_call}, {person: helene}]}]",
            ("amina", "helene"),
        ),
        ("[{after: 0m, page: {channel: webhook}}]", ()),
        ("[{after: 0m, priorities: [p2], page: {who: members}}]", ()),
        (f"[{{after: 0m, {NIGHT}, page: {{who: members}}}}]", ()),
    ],
)
def test_nobody_is_named_who_is_not_paged(own: str, people: tuple[str, ...]) -> None:
    assert found(two_ladders(own), "network")[0].people == people


@pytest.mark.parametrize(
    "first",
    ["page: {channel: webhook}", f"{NIGHT}, page: {{person: helene}}"],
)
def test_the_first_step_that_pages_people_is_named(first: str) -> None:
    own = f"[{{after: 0m, {first}}}, {{after: 9m, page: {{who: members}}}}]"
    (page,) = found(two_ladders(own), "network")

    assert (page.people, page.after) == (("karim", "paul"), timedelta(minutes=9))


def test_hours_are_those_of_each_person() -> None:
    own = f"[{{after: 0m, {NIGHT}, page: {{who: members}}}}]"
    (page,) = found(two_ladders(own), "network", karim="America/New_York")

    assert page.people == ("karim",)


def test_priorities_with_other_steps_are_apart_and_say_what_is_particular() -> None:
    own = (
        "[{after: 0m, priorities: [p1], page: {who: members, round_robin: true}}, "
        "{after: 1h, priorities: [p2, p3], quiet: true, page: {who: members}}]"
    )
    urgent, quiet, nothing = found(two_ladders(own), "network")

    assert (urgent.priorities, urgent.by_turns, urgent.quiet) == (("p1",), True, False)
    assert (quiet.priorities, quiet.by_turns, quiet.quiet) == (
        ("p2", "p3"),
        False,
        True,
    )
    assert (nothing.priorities, nothing.people) == (("p4",), ())


@pytest.mark.parametrize("priority", ["p1", "p2", "p3", "p4"])
@pytest.mark.parametrize("policy", [VALMONT, two_ladders()])
def test_it_is_what_an_escalation_would_do(policy: Policy, priority: Priority) -> None:
    for team, service in (("support", "paie"), ("network", "vpn")):
        if team not in policy.teams:
            continue
        asked = PreviewEscalation(service=service, priority=priority, team=team)
        done = preview(asked, local("09:10"), 1, policy, knowing(policy))
        paged = next(each for each in done.items if each.kind == "paged")
        (first,) = found(policy, team)
        assert (first.people, local("09:10") + first.after) == (paged.people, paged.at)
