"""Who was on call, over HTTP: as it was recorded, to those who may know."""

from datetime import datetime
from typing import Any

import pytest

from shared.domain.events.on_call_history import (
    OnCallExplained,
    OnCallHandedOver,
    OnCallInterventionDeclared,
)
from shared.domain.identifiers import (
    explanations_stream,
    interventions_stream,
    on_call_history_stream,
)
from tests.support.builders.june_log import June, june
from tests.support.command_line import permanence
from tests.support.desks.api import Api, problem
from tests.support.policies import full_text

pytestmark = pytest.mark.servers

TURNS = "participants: [tariq, ines, jos]"
SPOKEN = "  languages: [fr, nl]"


def hands_over(
    month: June, at: datetime, outgoing: list[str], incoming: list[str]
) -> None:
    event = OnCallHandedOver(
        at=at,
        by="system:escalation",
        schedule="garde",
        role="primary",
        at_instant=at,
        outgoing=tuple(outgoing),
        incoming=tuple(incoming),
        policy=1,
    )
    month._record(at, on_call_history_stream("garde"), event)


def works(month: June, person: str, start: datetime, end: datetime) -> None:
    stream = interventions_stream(person)
    number = month.log.head_version(stream) + 1
    event = OnCallInterventionDeclared(
        at=end,
        by=f"person:{person}",
        person=person,
        intervention=f"{person}.{number}",
        start=start,
        end=end,
        incident="INC-000042",
    )
    month._record(end, stream, event)


@pytest.fixture
def nights(month: June) -> June:
    """Give a history that the test goes on with."""
    return with_history(month)


@pytest.fixture(scope="module")
def shared_nights(shared_month: June) -> June:
    """Give a history to which tests add nothing that another test reads."""
    return with_history(shared_month)


def with_history(month: June) -> June:
    """Record: paul until the 9th, then tariq and nadia, a gap from the 20th."""
    hands_over(month, june(2, 8), [], ["paul"])
    works(month, "paul", june(3, 1), june(3, 3))
    works(month, "paul", june(3, 9), june(3, 10))
    hands_over(month, june(9, 6), ["paul"], ["tariq", "nadia"])
    hands_over(month, june(20), ["tariq", "nadia"], [])
    return month


def history(api: Api, who: str, **query: Any) -> list[list[Any]]:
    found = api.get("/v1/oncall/garde/history", who, **query)
    return [[each["from"], each["to"], each["people"]] for each in found["items"]]


def test_a_period_shows_every_hand_over_that_touches_it(
    shared_api: Api, shared_nights: June
) -> None:
    for who in ("manager", "auditor", "admin"):
        query = {"from": "2025-06-05", "to": "2025-06-25"}
        assert history(
            shared_api, who, min_position=shared_nights.position, **query
        ) == [
            ["2025-06-02T08:00:00Z", "2025-06-09T06:00:00Z", ["paul"]],
            ["2025-06-09T06:00:00Z", "2025-06-20T00:00:00Z", ["tariq", "nadia"]],
            ["2025-06-20T00:00:00Z", None, []],
        ]


def test_an_agent_sees_only_their_own_periods(
    shared_api: Api, shared_nights: June
) -> None:
    query = {"from": "2025-06-05", "to": "2025-06-25"}

    assert shared_nights.position
    assert history(shared_api, "other_agent", **query) == [
        ["2025-06-09T06:00:00Z", "2025-06-20T00:00:00Z", ["nadia"]]
    ]
    at = shared_api.get("/v1/oncall/garde/at", at="2025-06-10T12:00:00Z")
    assert (at["roles"], at["everybody"]) == ({}, False)


def test_shifts_that_are_over_are_those_that_were_recorded(
    api: Api, nights: June
) -> None:
    hands_over(nights, june(21), [], ["tariq"])
    shifts: dict[str, Any] = {"from": "2025-06-05", "to": "2025-06-22"}
    period: dict[str, Any] = {"since": "2025-06-05", "until": "2025-06-22"}
    paul = ["2025-06-02T08:00:00Z", "2025-06-09T06:00:00Z", ["paul"]]
    both = ["2025-06-09T06:00:00Z", "2025-06-20T00:00:00Z", ["tariq", "nadia"]]
    gap = {"from": "2025-06-20T00:00:00Z", "to": "2025-06-21T00:00:00Z"}

    for who, seen, gaps in (
        ("manager", [paul, both], [gap]),
        ("agent", [paul], []),
        ("other_agent", [[*both[:2], ["nadia"]]], []),
    ):
        found = api.get("/v1/oncall/garde/shifts", who, **shifts)
        (duty,) = api.get("/v1/oncall", who, **period)["items"]
        for each in (found, duty):
            spans = [[s["from"], s["to"], s["people"]] for s in each["shifts"]]
            empty = [{end: gap[end] for end in ("from", "to")} for gap in each["gaps"]]
            assert (spans, empty) == (seen, gaps), who


def test_the_manager_of_the_team_sees_the_history_without_a_role(
    api: Api, nights: June
) -> None:
    nights.now = june(26)
    members = "exploitation: {level: n2, members: [tariq, ines, jos], manager: "
    nights.applied(
        full_text((f"{members}ghislaine", f"{members}paul, schedule: garde"))
    )
    at = api.get(
        "/v1/oncall/garde/at",
        "agent",
        at="2025-06-10T12:00:00Z",
        min_position=nights.position,
    )

    assert (at["everybody"], at["roles"]) == (True, {"primary": ["tariq", "nadia"]})


def test_the_past_is_history_and_the_future_is_computed(api: Api, nights: June) -> None:
    month = nights
    month.applied(
        full_text(("participants: [tariq, ines, jos]", "participants: [jos]"))
    )

    past = api.get("/v1/oncall/garde/at", "manager", at="2025-06-10T12:00:00Z")
    future = api.get("/v1/oncall/garde/at", at="2099-06-10T12:00:00Z")

    assert (past["basis"], past["roles"]) == (
        "history",
        {"primary": ["tariq", "nadia"]},
    )
    assert (future["basis"], future["roles"]) == ("computed", {"primary": ["jos"]})
    early = api.call("GET", "/v1/oncall/garde/at", params={"at": "2025-06-01"})
    assert problem(early, 404)["code"] == "no_history"
    unknown = api.call("GET", "/v1/oncall/nuit/at")
    assert problem(unknown, 404)["code"] == "unknown_schedule"


def test_a_statement_keeps_standby_and_work_apart(
    shared_api: Api, shared_nights: June
) -> None:
    assert shared_nights.position
    found = shared_api.get("/v1/people/paul/on-call-statement", month="2025-06")

    assert (found["standby_hours"], found["intervention_hours"]) == (163.0, 3.0)
    assert [each["intervention"] for each in found["interventions"]] == [
        "paul.1",
        "paul.2",
    ]
    assert [each["after"] for each in found["short_rests"]] == ["paul.1"]
    other = shared_api.call(
        "GET", "/v1/people/tariq/on-call-statement", params={"month": "2025-06"}
    )
    assert problem(other, 403)["code"] == "role"


def test_payroll_reads_everybody_and_nobody_else_does(api: Api, nights: June) -> None:
    query = {"month": "2025-06"}
    by_admin = api.call("GET", "/v1/oncall/statement.csv", "admin", params=query)
    assert by_admin.status_code == 200
    lines = by_admin.text.splitlines()
    assert lines[0].startswith("person,kind,from,to,hours,schedule")
    assert any(line.startswith("paul,total,") for line in lines)
    assert any("tariq,standby,2025-06-09T06:00:00Z" in line for line in lines)

    nights.applied(
        full_text(
            ("  languages: [fr, nl]", "  languages: [fr, nl]\n  payroll: [ghislaine]")
        )
    )
    for who in ("admin", "manager", "auditor", "agent"):
        refused = api.call("GET", "/v1/oncall/statement.csv", who, params=query)
        assert problem(refused, 403)["code"] == "role"


def test_the_command_line_prints_both_as_tables(
    shared_api: Api, shared_nights: June
) -> None:
    assert shared_nights.position
    desk = ("--api", shared_api.url, "--token", shared_api.tokens["admin"])
    period = ("--from", "2025-06-05", "--to", "2025-06-25")
    history = permanence("oncall", "history", "garde", *period, "--csv", *desk, env={})
    statement = permanence("oncall", "statement", "--month", "2025-06", *desk, env={})
    wrong = permanence("oncall", "statement", "--month", "June", *desk, env={})

    assert history.code == statement.code == 0
    assert "primary,tariq nadia,2025-06-09T06:00:00Z" in history.out
    assert "paul,standby,2025-06-02T08:00:00Z" in statement.out
    assert wrong.code == 2


PAGED = {
    "cycle": 1,
    "level": "n2",
    "step": 0,
    "loop": 1,
    "schedule": "garde",
    "who": "on_call",
}


@pytest.fixture
def paged(nights: June) -> June:
    """Give an incident of the 22nd for which tariq and nadia, on call, were paged."""
    hands_over(nights, june(21, 6), [], ["tariq", "nadia"])
    at, ref = june(22, 2), "INC-000042"
    nights.opens(at, ref)
    level = {"from_level": "n1", "to_level": "n2", "team": "support", "cycle": 1}
    by = {"by": "system:escalation", "whose": None}
    more = {"cause": "desk_closed", "escalated_at": at}
    nights.says(at, "escalation.escalated", ref, **level, **by, **more)
    people = {"key": "k", "people": ["tariq", "nadia"], "due_at": at}
    nights.says(at, "escalation.paged", ref, **PAGED, **by, **people)
    return nights


def test_people_read_why_they_were_paged_and_of_others_only_their_duty(
    api: Api, paged: June
) -> None:
    assert paged.position
    path = "/v1/incidents/INC-000042/pages/why"
    at = {"at": "2025-06-22T03:00:00Z"}

    own = api.get(path, "other_agent", person="nadia", **at)
    other = api.get(path, "other_agent", person="ines", **at)
    before = api.get(path, "manager", person="tariq", at="2025-06-22T02:00:00Z")
    none = api.call("GET", path, params={"person": "ines", "at": "2025-06-09"})
    unknown = api.call("GET", path, "manager", params={"person": "nobody", **at})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_person")
    assert "names no nobody" in unknown.json()["detail"]
    step = own["steps"][0]
    assert (step["paged"], step["reason"], step["others"]) == (True, "on_call", None)
    assert step["on_call"] == {
        "schedule": "garde",
        "role": "primary",
        "since": "2025-06-21T06:00:00Z",
        "change": None,
    }
    assert (other["everything"], other["on_call"], other["steps"]) == (False, [], [])
    assert [each["schedule"] for each in before["on_call"]] == ["garde"]
    assert problem(none, 404)["code"] == "unknown_incident"


def test_the_command_line_explains_in_sentences(api: Api, paged: June) -> None:
    assert paged.position
    desk = ("--api", api.url, "--token", api.tokens["other_agent"])

    told = permanence("oncall", "why", "INC-000042", "--person", "nadia", *desk, env={})

    assert told.code == 0
    assert "nadia was paged on" in told.out


def test_people_see_who_asked_about_them_and_nobody_else_does(
    shared_api: Api, shared_nights: June
) -> None:
    shared_nights._record(
        june(21),
        explanations_stream("nadia"),
        OnCallExplained(
            at=june(21),
            by="person:sylvie",
            whose="person:sylvie",
            person="nadia",
            incident="INC-000042",
            reason="the customer asks",
        ),
    )
    path = "/v1/people/nadia/page-questions"

    (own,) = shared_api.get(path, "other_agent")["items"]

    assert (own["by"], own["reason"]) == ("sylvie", "the customer asks")
    assert shared_api.get(path, "auditor")["items"] == [own]
    for who in ("agent", "manager"):
        assert problem(shared_api.call("GET", path, who), 403)["code"] == "role"
