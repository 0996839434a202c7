"""Who is on duty, over HTTP: now and later, under the policy in force then."""

from typing import Any

import pytest

from tests.support.api import Api, problem
from tests.support.june import June, june
from tests.support.policies import full_text

pytestmark = pytest.mark.servers

# Turns of two weeks from Monday 2025-01-06 at 08:00 in Brussels: tariq, ines, jos.
_AT = "2025-06-17T12:00:00Z"


def test_all_schedules_say_who_is_on_call_and_who_comes_next(
    api: Api, month: June
) -> None:
    found = api.get("/v1/oncall", at=_AT)

    assert found["items"] == [
        {
            "schedule": "garde",
            "timezone": "Europe/Brussels",
            "on_call": "jos",
            "from": "2025-06-09T06:00:00Z",
            "to": "2025-06-23T06:00:00Z",
            "next": "tariq",
            "shifts": None,
        }
    ]
    assert (found["at"], found["policy"]) == (_AT, 1)
    assert found["as_of"]["position"] == month.position
    assert found["teams"][0] == {
        "team": "accueil",
        "level": "n1",
        "members": ["odette", "wim"],
        "manager": "ghislaine",
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

    before = api.get("/v1/oncall", schedule="garde", at="2025-06-19T12:00:00Z")
    after = api.get("/v1/oncall", schedule="garde", at="2025-06-20T12:00:00Z")
    now = api.get("/v1/oncall", schedule="garde")

    assert (before["policy"], before["items"][0]["on_call"]) == (1, "jos")
    assert (after["policy"], after["items"][0]["on_call"]) == (2, "ines")
    assert (now["policy"], now["items"][0]["next"]) == (2, "ines")
    assert before["teams"] == []
    early = api.call("GET", "/v1/oncall", params={"at": "2025-05-01T00:00:00Z"})
    assert "config apply" in str(problem(early, 404)["detail"])


def test_shifts_are_those_that_touch_a_period(api: Api, month: June) -> None:
    found = api.get("/v1/oncall", at=_AT, since="2025-06-22", until="2025-06-24")
    once = api.get("/v1/oncall", since="2025-06-22", until="2025-06-23T06:00:00Z")

    assert month.position == found["as_of"]["position"]
    assert found["items"][0]["shifts"] == [
        {
            "person": "jos",
            "from": "2025-06-09T06:00:00Z",
            "to": "2025-06-23T06:00:00Z",
        },
        {
            "person": "tariq",
            "from": "2025-06-23T06:00:00Z",
            "to": "2025-07-07T06:00:00Z",
        },
    ]
    assert [shift["person"] for shift in once["items"][0]["shifts"]] == ["jos"]


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
    api: Api, month: June, given: dict[str, Any], status: int, sentence: str
) -> None:
    assert month.position
    answer = api.call("GET", "/v1/oncall", params=given)

    assert sentence in str(problem(answer, status)["detail"])
