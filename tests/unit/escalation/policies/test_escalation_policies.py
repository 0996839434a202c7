"""What an escalation policy of a team may say, beyond who is paged after how long."""

import pytest

from shared.domain import events
from shared.domain.policy.document import Policy
from tests.support.builders.escalation import Search
from tests.support.builders.promises import INCIDENT, local, valmont
from tests.support.policies import mistakes

STEPS = (
    "{after: 0m,  page: {who: on_call}}",
    "{after: 15m, unless: accepted, page: {who: next}}",
    "{after: 30m, unless: accepted, page: {who: manager}, repeat: 2}",
)
WHO = "page: {who: next}"
HOURS = "hours: {mon-fri: ['08:00-18:00']}"
IN_MONTREAL = {"chloe": "America/Toronto"}


def with_steps(*steps: str) -> Policy:
    """Return the policy of Valmont with other shared steps."""
    old = "\n".join(f"    - {step}" for step in STEPS)
    return valmont((old, "\n".join(f"    - {step}" for step in steps)))


def with_policies(written: str, chosen: str = "own", *more: tuple[str, str]) -> Policy:
    """Return it with escalation policies, of which the team support has `chosen`."""
    return valmont(
        ("schedule: astreinte}", f"schedule: astreinte, escalation: {chosen}}}"),
        ("  hierarchical:", f"  policies: {written}\n  hierarchical:"),
        *more,
    )


def at_n2(policy: Policy, priority: str = "p2", *, webhook: bool = False) -> Search:
    search = Search(policy, webhook=webhook)
    search.opened("09:10", priority=priority, service="vpn")
    search.happens("09:30", events.IncidentAssigned, team="support")
    return search


def becomes_p1(search: Search, when: str) -> None:
    scale = {"impact": "high", "urgency": "high", "priority": "p1"}
    search.happens(when, events.IncidentClassified, service="vpn", **scale)


def paged(search: Search, until: str) -> list[str]:
    search.passes(until)
    return [shown(each) for each in search.said if each.type == "escalation.paged"]


def shown(page: events.AnyEvent) -> str:
    assert isinstance(page, events.EscalationPaged)
    minutes = int((page.due_at - local("09:30")).total_seconds()) // 60
    return f"{minutes}: {'+'.join(page.people) or page.channel}"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("{who: previous}", ["0: amina"]),
        ("{person: helene}", ["0: helene"]),
        ("[{who: on_call}, {person: helene}]", ["0: bruno", "0: helene"]),
        ("[{who: on_call}, {who: members}]", ["0: bruno", "0: amina+chloe"]),
        ("[{person: bruno}, {who: on_call}]", ["0: bruno"]),
        ("[{who: on_call}, {channel: webhook}]", ["0: bruno", "0: webhook"]),
    ],
)
def test_a_step_pages_each_of_its_targets_and_nobody_twice(
    page: str, expected: list[str]
) -> None:
    search = at_n2(with_steps(f"{{after: 0m, page: {page}}}"), webhook=True)

    assert paged(search, "09:40") == expected


def test_a_page_of_a_channel_goes_to_that_channel_only() -> None:
    policy = with_steps("{after: 0m, page: {channel: webhook}}")
    without = at_n2(policy)
    search = at_n2(policy, webhook=True)
    search.passes("09:40")
    requested = [
        (each.channel, each.person)
        for each in search.said
        if isinstance(each, events.NotificationRequested) and each.kind == "page"
    ]

    assert requested == [("webhook", None)]
    assert paged(without, "09:40") == []


def test_a_quiet_step_sends_a_mail_and_calls_nobody() -> None:
    policy = with_steps("{after: 0m, quiet: true, page: {who: on_call}}")
    search = at_n2(policy, webhook=True)
    search.passes("09:40")
    requested = [
        (each.channel, each.person)
        for each in search.said
        if isinstance(each, events.NotificationRequested) and each.kind == "page"
    ]

    assert requested == [("mail", "bruno")]


BY_PRIORITY = with_steps(
    "{after: 0m, priorities: [p1, p2], page: {who: on_call}}",
    "{after: 0m, priorities: [p3], quiet: true, page: {who: members}}",
    "{after: 20m, priorities: [p1, p2], unless: accepted, page: {who: manager}}",
)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        ("p2", ["0: bruno", "20: sylvie"]),
        ("p3", ["0: amina+bruno+chloe"]),
        ("p4", []),
    ],
)
def test_a_step_may_be_for_some_priorities(priority: str, expected: list[str]) -> None:
    assert paged(at_n2(BY_PRIORITY, priority), "12:00") == expected


def test_if_the_priority_is_raised_the_time_of_its_steps_counts_from_then() -> None:
    search = at_n2(BY_PRIORITY, "p3")
    search.passes("10:30")
    becomes_p1(search, "10:30")

    assert paged(search, "11:30") == [
        "0: amina+bruno+chloe",
        "60: bruno",
        "80: sylvie",
    ]


def answers(search: Search, when: str, **answer: object) -> None:
    """Let bruno answer his page: he cannot take it."""
    search.desk.record(
        events.EscalationDeclined(
            at=local(when),
            by="person:bruno",
            incident=INCIDENT,
            policy=1,
            cycle=1,
            level="n2",
            page="k",
            person="bruno",
            **answer,
        )
    )
    search.desk.reach(local(when), local(when))


def test_a_refusal_moves_no_step_whose_time_begins_with_a_priority_raised_later() -> (
    None
):
    policy = with_steps(
        "{after: 0m, priorities: [p3], page: {who: on_call}}",
        "{after: 5m, priorities: [p1], page: {who: on_call}}",
        "{after: 10m, priorities: [p1], page: {who: manager}}",
        "{after: 20m, page: {who: next}}",
    )
    search = at_n2(policy, "p3")
    answers(search, "09:31", next_step=3, next_loop=1)
    becomes_p1(search, "09:40")

    assert paged(search, "10:30") == ["0: bruno", "1: chloe", "20: sylvie"]
    skipped = [e for e in search.said if isinstance(e, events.EscalationStepSkipped)]
    assert [(e.step, e.cause) for e in skipped] == [(1, "declined")]


def test_a_refusal_counts_for_the_policy_whose_page_was_refused() -> None:
    two = (
        "{soft: [{after: 0m, page: {who: on_call}}, {after: 20m, page: {who: next}}], "
        "day: [{after: 10m, page: {who: next}}, {after: 20m, page: {who: manager}}]}"
    )
    policy = with_policies(two, "[{policy: day, priorities: [p1]}, {policy: soft}]")
    search = at_n2(policy, "p3")
    answers(search, "09:31", next_step=1, next_loop=1, escalation_policy="soft")
    becomes_p1(search, "09:40")

    assert paged(search, "10:30") == [
        "0: bruno",
        "1: chloe",
        "20: chloe",
        "30: sylvie",
    ]


def test_a_refusal_after_the_priority_left_no_step_ends_the_level() -> None:
    search = at_n2(BY_PRIORITY, "p2")
    scale = {"impact": "low", "urgency": "low", "priority": "p4"}
    search.happens("09:35", events.IncidentClassified, service="vpn", **scale)
    answers(search, "09:36")

    unanswered = [e for e in search.said if isinstance(e, events.EscalationUnanswered)]
    assert [each.unanswered_at for each in unanswered] == [local("09:36")]


@pytest.mark.parametrize(
    ("unless", "expected"),
    [("acknowledged", ["0: bruno"]), ("resolved", ["0: bruno", "15: chloe"])],
)
def test_a_step_may_stop_as_soon_as_anybody_acknowledged_it(
    unless: str, expected: list[str]
) -> None:
    policy = with_steps(
        STEPS[0], f"{{after: 15m, unless: {unless}, page: {{who: next}}}}"
    )
    search = at_n2(policy)
    search.happens("09:35", events.IncidentAcknowledged, by="person:nadia")

    assert paged(search, "09:50") == expected


@pytest.mark.parametrize(
    ("zones", "people", "left_out"),
    [
        ({}, ("amina", "bruno", "chloe"), None),
        (IN_MONTREAL, ("amina", "bruno"), "chloe"),
    ],
)
def test_hours_are_those_of_each_person_where_they_are(
    zones: dict[str, str], people: tuple[str, ...], left_out: str | None
) -> None:
    step = f"{{after: 0m, {HOURS}, page: {{who: members}}}}"
    search = Search(with_steps(step), zones=zones)
    search.opened("09:10")
    search.happens("09:30", events.IncidentAssigned, team="support")
    page = next(e for e in search.said if isinstance(e, events.EscalationPaged))

    assert page.people == people
    assert page.out_of_hours == ((left_out,) if left_out else None)


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (f"{HOURS}, page: {{person: chloe}}", "out_of_hours"),
        ("page: {channel: webhook}", "no_receiver"),
    ],
)
def test_a_step_that_pages_nobody_is_recorded_with_its_cause(
    page: str, cause: str
) -> None:
    search = Search(with_steps(f"{{after: 0m, {page}}}", STEPS[1]), zones=IN_MONTREAL)
    search.opened("09:10", service="vpn")
    search.happens("09:30", events.IncidentAssigned, team="support")

    assert paged(search, "10:30") == ["15: chloe"]
    skipped = [e for e in search.said if isinstance(e, events.EscalationStepSkipped)]
    assert [(e.step, e.cause, e.due_at) for e in skipped] == [
        (0, cause, local("09:30"))
    ]


def test_hours_are_looked_at_when_a_step_is_due_and_not_before() -> None:
    step = f"{{after: 10m, {HOURS}, page: {{person: chloe}}}}"
    zones = dict(IN_MONTREAL)
    search = Search(with_steps(step), zones=zones)
    search.opened("09:10", service="vpn")
    search.happens("09:30", events.IncidentAssigned, team="support")
    zones.clear()

    assert paged(search, "10:30") == ["10: chloe"]


def test_all_steps_are_repeated_after_the_last_one_had_its_time() -> None:
    policy = with_policies(
        "{own: {repeat: 2, steps: [{after: 0m, page: {who: on_call}}, "
        "{after: 10m, answer_within: 5m, page: {who: next}}]}}"
    )
    search = at_n2(policy)

    assert paged(search, "12:00") == ["0: bruno", "10: chloe", "15: bruno", "25: chloe"]
    assert [e.loop for e in search.said if isinstance(e, events.EscalationPaged)] == [
        *(1, 1, 2, 2)
    ]


WEEKENDS = (
    (
        "rotation: {type: weekly, shift_length: 1, "
        'start: "2025-06-02T09:00", participants: [amina, bruno, chloe]}}'
    ),
    (
        "layers: [{hours: {mon-fri: ['10:00-18:00']}, rotation: {type: weekly, "
        'start: "2025-06-02T09:00", participants: [amina, bruno, chloe]}}]}'
    ),
)


@pytest.mark.parametrize(
    ("when_nobody", "expected"),
    [
        ("hold", ["30: bruno", "40: sylvie"]),
        ("{page: {person: helene}}", ["0: helene", "10: sylvie"]),
        (None, ["0: sylvie", "10: sylvie"]),
    ],
)
def test_in_a_gap_a_policy_waits_or_pages_somebody_else(
    when_nobody: str | None, expected: list[str]
) -> None:
    instead = f"when_nobody: {when_nobody}, " if when_nobody else ""
    steps = "[{after: 0m, page: {who: on_call}}, {after: 10m, page: {who: manager}}]"
    policy = with_policies(f"{{own: {{{instead}steps: {steps}}}}}", "own", WEEKENDS)
    search = at_n2(policy)
    found = paged(search, "12:00")
    (first, *_) = [e for e in search.said if isinstance(e, events.EscalationPaged)]

    assert found == expected
    assert first.held_since == (local("09:30") if when_nobody == "hold" else None)


TWO = (
    "{day: [{after: 0m, page: {who: on_call}}], "
    "soft: [{after: 5m, page: {who: manager}}]}"
)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("[{policy: day, priorities: [p2]}, {policy: soft}]", ["0: bruno"]),
        ("[{policy: day, services: [paie]}, {policy: soft}]", ["5: sylvie"]),
        ("[{policy: day, services: [paie]}]", ["0: bruno", "15: chloe"]),
    ],
)
def test_the_first_policy_of_a_team_that_matches_the_incident_applies(
    chosen: str, expected: list[str]
) -> None:
    assert paged(at_n2(with_policies(TWO, chosen)), "09:50") == expected


def test_another_policy_after_a_change_of_priority_begins_with_its_first_step() -> None:
    policy = with_policies(TWO, "[{policy: day, priorities: [p1]}, {policy: soft}]")
    search = at_n2(policy)
    search.passes("09:40")
    becomes_p1(search, "09:40")

    assert paged(search, "09:50") == ["5: sylvie", "10: bruno"]
    keys = [e.key for e in search.said if isinstance(e, events.EscalationPaged)]
    assert keys == ["INC-000016.1.1.n2.0.1.by-soft", "INC-000016.1.1.n2.0.1.by-day"]


def test_steps_that_a_raised_priority_adds_are_gone_through_to_their_end() -> None:
    search = at_n2(BY_PRIORITY, "p3")
    search.passes("10:30")
    becomes_p1(search, "10:30")
    search.passes("12:00")
    ends = [
        each.unanswered_at
        for each in search.said
        if isinstance(each, events.EscalationUnanswered)
    ]

    assert ends == [local("09:45"), local("11:10")]


def written(steps: str, chosen: str = "own") -> tuple[tuple[str, str], ...]:
    """Return the changes that give the first team of the full policy these steps."""
    team = f"night: {{members: [zoe], manager: zoe, escalation: {chosen}}}"
    return (
        ("  ping_pong: 3", f"  policies: {{own: {steps}}}\n  ping_pong: 3"),
        ("teams:\n", f"teams:\n  {team}\n"),
    )


@pytest.mark.parametrize(
    ("steps", "path", "words"),
    [
        ("[{after: 0m, page: {person: nobody}}]", "own[0].page.person", "in no team"),
        (
            "[{after: 0m, page: [{team: nowhere, who: manager}]}]",
            "own[0].page[0].team",
            "is not under `teams`",
        ),
        (
            "{steps: [{after: 0m, page: {schedule: never, who: on_call}}]}",
            "own.steps[0].page.schedule",
            "is not under `schedules`",
        ),
        ("{steps: [], repeat: 2}", "own.steps", "at least 1"),
        (
            (
                "{repeat: 10, steps: [{after: 0m, repeat: 10, page: {who: next}}, "
                "{after: 5m, page: {who: next}}]}"
            ),
            "own",
            "110 pages in all",
        ),
        (
            f"[{', '.join(f'{{after: {n}m, repeat: 10, {WHO}}}' for n in range(11))}]",
            "own",
            "110 pages in all",
        ),
        (
            (
                "[{after: 0m, priorities: [p1], page: {who: next}}, "
                "{after: 0m, page: {who: next}}]"
            ),
            "own",
            "by rising `after`",
        ),
        (
            "[{after: 0m, page: {channel: smoke}}]",
            "own[0].page.channel",
            "`smoke` is not under `teams.*.channels`",
        ),
        (
            "[{after: 0m, page: [{who: on_call}, {channel: webhok}]}]",
            "own[0].page[1].channel",
            "did you mean `webhook`?",
        ),
    ],
)
def test_a_mistake_in_a_step_is_told_by_its_path(
    steps: str, path: str, words: str
) -> None:
    (found,) = mistakes(*written(steps))

    assert found.path == f"escalation.policies.{path}"
    assert words in found.sentence


@pytest.mark.parametrize(
    ("chosen", "path"),
    [
        ("[{policy: other}]", "policy"),
        ("[{policy: own, services: [nothing]}]", "services[0]"),
    ],
)
def test_a_team_chooses_among_the_policies_and_services_that_exist(
    chosen: str, path: str
) -> None:
    (found,) = mistakes(*written("[{after: 0m, page: {who: next}}]", chosen))

    assert found.path == f"teams.night.escalation[0].{path}"
