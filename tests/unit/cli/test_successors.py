"""The work of a dropped team is assigned record by record, as a person would."""

from collections.abc import Mapping
from typing import cast

import pytest
from typer import Exit

from cli.policy.successors import WorkMove, mover
from cli.shell.api_client import Api
from services.intake.policy.team_work import Work
from tests.support.policies import full

FIRST, SECOND = "INC-000001", "INC-000002"
PROBLEM, CHANGE = "PRB-000001", "CHG-000001"


class Desk:
    """Takes commands, and refuses some."""

    def __init__(self, refused: Mapping[str, str] | None = None) -> None:
        self.refused = refused or {}
        self.taken: dict[str, Mapping[str, object]] = {}
        self.me = {"actor": "person:wim", "may_command": True}

    def refusal_of(self, path: str, body: Mapping[str, object]) -> str | None:
        self.taken[path] = body
        return self.refused.get(path)

    def get(self, _path: str) -> Mapping[str, object]:
        return self.me


def move(desk: Desk) -> WorkMove:
    to = {"reseau": "exploitation"}
    return WorkMove(cast("Api", desk), to, full(), "one team now")


def test_each_record_is_assigned_and_who_is_in_both_teams_keeps_theirs() -> None:
    desk, told = Desk(), list[tuple[int, int]]()
    work = [
        Work("reseau", "incident", FIRST, "ines"),
        Work("reseau", "incident", SECOND, "gone"),
        Work("reseau", "problem", PROBLEM),
        Work("reseau", "change", CHANGE),
        Work("ancien", "incident", "INC-000009"),
    ]

    done = move(desk).run(work, lambda *steps: told.append(steps))

    incident = {"team": "exploitation", "reason": "one team now"}
    assert desk.taken == {
        f"/v1/incidents/{FIRST}/assign": incident | {"assignee": "ines"},
        f"/v1/incidents/{SECOND}/assign": incident,
        f"/v1/problems/{PROBLEM}/assign": {"team": "exploitation"},
        f"/v1/changes/{CHANGE}/assign": {"team": "exploitation"},
    }
    assert (list(done.moved), done.stayed) == (work[:4], [])
    assert told[-1] == (4, 4)
    (sentence,) = done.sentences({"reseau": "exploitation"})
    assert sentence == (
        "exploitation has from reseau: 2 incidents (INC-000001, INC-000002), 1 problem "
        "(PRB-000001) and 1 change (CHG-000001)."
    )


def test_what_is_refused_stays_with_the_reason_and_the_others_go() -> None:
    desk = Desk({f"/v1/problems/{PROBLEM}/assign": "it takes no problems"})
    work = [Work("reseau", "problem", PROBLEM), Work("reseau", "incident", FIRST)]

    done = move(desk).run(work, lambda *_: None)

    stayed = f"{PROBLEM} stays there: it takes no problems"
    assert done.stayed == [(("teams", "reseau"), stayed)]
    assert done.moved == work[1:]
    assert "the policy was not applied; other teams have 1 incident" in done.done


def test_who_applies_the_policy_is_whose_token_moves_the_work() -> None:
    desk = Desk()

    assert mover(cast("Api", desk), None) == mover(cast("Api", desk), "wim") == "wim"
    with pytest.raises(Exit):
        mover(cast("Api", desk), "odette")


@pytest.mark.parametrize(
    "me",
    [
        {"actor": "person:wim", "may_command": False},
        {"actor": "source:prom", "may_command": True},
    ],
)
def test_who_may_not_assign_moves_nothing(me: dict[str, object]) -> None:
    desk = Desk()
    desk.me = me

    with pytest.raises(Exit):
        mover(cast("Api", desk), None)
