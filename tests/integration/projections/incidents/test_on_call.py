"""Who is on duty, over HTTP: now and later, under the policy in force then."""

from typing import Any

import pytest

from tests.support.builders.june_log import June, june
from tests.support.desks.api import Api, problem
from tests.support.policies import full_text

pytestmark = pytest.mark.servers

# Turns of two weeks from Monday 2025-01-06 at 08:00 in Brussels: tariq, ines, jos.
_AT = "2025-06-17T12:00:00Z"


def test_all_schedules_say_who_is_on_call_and_who_comes_next(
    shared_api: Api, shared_month: June
) -> None:
    found = shared_api.get("/v1/oncall", "manager", at=_AT)

    assert shared_api.get("/v1/oncall", "agent", at=_AT)["items"] == []
    assert found["items"] == [
        {
            "schedule": "garde",
            "timezone": "Europe/Brussels",
            "on_call": "jos",
            "people": ["jos"],
            "from": "2025-06-09T06:00:00Z",
            "to": "2025-06-23T06:00:00Z",
            "next": "tariq",
            "next_people": ["tariq"],
            "unverified": ["jos", "tariq"],
            "roles": {"primary": ["jos"]},
            "by_role": [
                {
                    "role": "primary",
                    "people": ["jos"],
                    "to": "2025-06-23T06:00:00Z",
                    "next_people": ["tariq"],
                    "next_from": None,
                    "required": True,
                }
            ],
            "shifts": None,
            "gaps": None,
        }
    ]
    assert (found["at"], found["policy"]) == (_AT, 1)
    assert found["as_of"]["position"] == shared_month.position
    assert found["teams"][0] == {
        "team": "accueil",
        "level": "n1",
        "members": ["odette", "wim"],
        "manager": "ghislaine",
        "schedule": None,
    }
    assert [team["team"] for team in found["teams"]] == [
        "accueil",
        "causes",
        "editeur",
        "exploitation",
    ]


def test_the_policy_in_force_then_says_who_it_was(api: Api, month: June) -> None:
    month.now = june(20)
    month.applied(
        full_text(("participants: [tariq, ines, jos]", "participants: [ines]"))
    )

    asked = {"schedule": "garde"}
    before, after = (
        api.get("/v1/oncall", "manager", at=f"2025-06-{day}T12:00:00Z", **asked)
        for day in (19, 20)
    )
    now = api.get("/v1/oncall", schedule="garde")

    assert (before["policy"], before["items"][0]["on_call"]) == (1, "jos")
    assert (after["policy"], after["items"][0]["on_call"]) == (2, "ines")
    assert (now["policy"], now["items"][0]["next"]) == (2, "ines")
    assert before["teams"] == []
    early = api.call("GET", "/v1/oncall", params={"at": "2025-05-01T00:00:00Z"})
    assert "config apply" in str(problem(early, 404)["detail"])


def test_shifts_are_those_that_touch_a_period(
    shared_api: Api, shared_month: June
) -> None:
    asked = {"at": _AT, "since": "2025-06-22"}
    found = shared_api.get("/v1/oncall", "manager", until="2025-06-24", **asked)
    once = shared_api.get(
        "/v1/oncall", "manager", until="2025-06-23T06:00:00Z", **asked
    )

    assert shared_month.position == found["as_of"]["position"]
    assert found["items"][0]["shifts"] == [
        {
            "person": "jos",
            "people": ["jos"],
            "from": "2025-06-09T06:00:00Z",
            "to": "2025-06-23T06:00:00Z",
        },
        {
            "person": "tariq",
            "people": ["tariq"],
            "from": "2025-06-23T06:00:00Z",
            "to": "2025-07-07T06:00:00Z",
        },
    ]
    assert [shift["person"] for shift in once["items"][0]["shifts"]] == ["jos"]


NIGHTS = (
    (
        "rotation: {type: weekly, shift_length: 2, "
        'start: "2025-01-06T08:00", participants: [tariq, ines, jos]}'
    ),
    (
        "layers: [{rotation: {type: daily, "
        'start: "2025-01-06T08:00", participants: [[tariq, ines], jos]}, '
        'hours: {mon-fri: ["20:00-08:00"]}}], coverage: {mon-fri: ["18:00-22:00"]}'
    ),
)


def test_a_gap_has_nobody_on_call_and_says_who_is_next(api: Api, month: June) -> None:
    month.now = june(16)
    month.applied(full_text(NIGHTS))

    (gap,) = api.get("/v1/oncall", "manager", schedule="garde", at=_AT)["items"]
    period = {"since": "2025-06-18", "until": "2025-06-19"}
    (night,) = api.get("/v1/oncall", "manager", at="2025-06-17T20:00:00Z", **period)[
        "items"
    ]

    assert [gap[key] for key in ("on_call", "from", "to")] == [None] * 3
    assert (gap["people"], gap["next_people"]) == ([], ["tariq", "ines"])
    (primary,) = gap["by_role"]
    assert (primary["next_from"], primary["required"]) == (
        "2025-06-17T18:00:00Z",
        False,
    )
    assert (night["on_call"], night["people"]) == ("tariq", ["tariq", "ines"])
    assert (night["next"], night["to"]) == ("jos", "2025-06-18T06:00:00Z")
    assert night["gaps"] == [
        {"from": "2025-06-18T06:00:00Z", "to": "2025-06-18T18:00:00Z"}
    ]
    assert [shift["people"] for shift in night["shifts"]] == [
        gap["next_people"],
        ["jos"],
    ]


def test_a_gap_says_whether_it_is_within_the_hours_of_coverage(
    api: Api, month: June
) -> None:
    month.now = june(16)
    month.applied(full_text(NIGHTS))
    days = {"from": "2199-06-12T08:00:00Z", "to": "2199-06-12T20:00:00Z"}

    found = api.get("/v1/oncall/garde/shifts", min_position=month.position, **days)

    assert [tuple(gap.values()) for gap in found["gaps"]] == [
        ("2199-06-12T08:00:00Z", "2199-06-12T16:00:00Z", False),
        ("2199-06-12T16:00:00Z", "2199-06-12T18:00:00Z", True),
    ]


@pytest.mark.parametrize(
    ("given", "status", "sentence"),
    [
        ({"schedule": "nuit"}, 404, "there are garde"),
        ({"since": "2025-06-01"}, 422, "give both or neither"),
        ({"since": "2025-06-02", "until": "2025-06-02"}, 422, "later than `since`"),
        ({"since": "2025-06-02", "until": "2199-06-02"}, 422, "more than 500 shifts"),
        ({"at": "9999-12-31T23:59:59Z"}, 422, "at: choose a year from 2000 to 2199"),
        ({"at": "today"}, 422, "at"),
    ],
)
def test_a_duty_that_cannot_be_told_is_refused_with_a_reason(
    shared_api: Api,
    shared_month: June,
    given: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    assert shared_month.position
    answer = shared_api.call("GET", "/v1/oncall", params=given)

    assert sentence in str(problem(answer, status)["detail"])


def changed(month: June, day: int, change: str, /, **given: Any) -> None:
    """Record a change of the schedule, or of the absences of ines, by intake."""
    about = {"person": "ines"} if "absence" in change else {"schedule": "garde"}
    month.changes(june(day), f"on_call.{change}", by="person:tariq", **about, **given)


def test_changes_count_from_when_they_were_made(api: Api, month: June) -> None:
    far = {"start": "2199-06-12T00:00:00Z", "end": "2199-06-13T00:00:00Z"}
    days: dict[str, Any] = {"from": "2199-06-12", "to": "2199-06-13"}
    (turn,) = api.get("/v1/oncall/garde/shifts", **days)["shifts"]
    takes_over = {"kind": "replace", "add": "paul", "remove": turn["people"][0]}
    period = {"start": june(17), "end": june(18)}
    changed(month, 12, "override_added", override="garde.1", **takes_over, **period)
    changed(month, 12, "override_added", override="garde.2", **takes_over, **far)

    asked = {"schedule": "garde", "at": "2025-06-11T12:00:00Z"}
    then = api.get("/v1/oncall", "manager", **asked)
    found = api.get("/v1/oncall/garde/shifts", min_position=month.position, **days)

    assert then["items"][0]["to"] == "2025-06-23T06:00:00Z"
    changes = [(each["people"], each["changes"]) for each in found["shifts"]]
    assert (["paul"], ["garde.2"]) in changes
    assert (found["gaps"], found["role"]) == ([], "primary")


def test_the_changes_of_a_schedule_are_listed_newest_first(
    api: Api, month: June
) -> None:
    far = {"start": "2199-01-01T00:00:00Z", "end": "2199-01-02T00:00:00Z"}
    changed(
        month, 12, "swap_requested", swap="garde.1", person="jos", other="ines", **far
    )
    changed(
        month, 13, "override_added", override="garde.2", kind="add", add="ines", **far
    )
    changed(month, 14, "override_withdrawn", override="garde.2")
    changed(month, 15, "absence_added", absence="ines.1", **far)

    def listed(who: str, **query: Any) -> list[tuple[str, str]]:
        given = {"min_position": month.position, **query}
        items = api.get("/v1/oncall/garde/changes", who, **given)["items"]
        return [(each["id"], each["state"]) for each in items]

    swap, override = ("garde.1", "requested"), ("garde.2", "withdrawn")
    assert listed("agent") == [swap]
    assert listed("agent", past=True) == [override, swap]
    assert listed("manager") == [("ines.1", "planned"), swap]
    own = api.get("/v1/people/ines/absences", "manager")["items"]
    assert [(each["person"], each["kind"]) for each in own] == [("ines", "absence")]
    answer = api.call("GET", "/v1/people/ines/absences", "agent")
    assert "people see their own absences" in str(problem(answer, 403)["detail"])


@pytest.mark.parametrize(
    ("path", "given", "status", "sentence"),
    [
        ("nuit/shifts", {"from": "2025-06-01", "to": "2025-06-02"}, 404, "are garde"),
        ("nuit/changes", {}, 404, "there are garde"),
        ("garde/shifts", {"from": "2025-06-01"}, 422, "to"),
        ("garde/shifts", {"from": "2025-06-01", "to": "2027-06-01"}, 422, "400 days"),
        ("garde/shifts", {"from": "2025-06-02", "to": "2025-06-01"}, 422, "later"),
    ],
)
def test_shifts_that_cannot_be_told_are_refused_with_a_reason(
    shared_api: Api,
    shared_month: June,
    path: str,
    given: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    assert shared_month.position
    answer = shared_api.call("GET", f"/v1/oncall/{path}", params=given)

    assert sentence in str(problem(answer, status)["detail"])
