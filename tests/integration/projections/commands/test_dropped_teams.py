"""The work of a team that a policy drops goes to its successor before it applies."""

from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.command_line import Ran, permanence
from tests.support.compose import ROOT
from tests.support.desks.running import Desk
from tests.support.patience import awaited

pytestmark = pytest.mark.servers

STARTER = ROOT / "deploy" / "permanence.yaml"
_TEAMS = "\nteams:\n"
_DROPPED = (
    "  reseau: {level: n2, members: [expert], manager: manager, takes: [change]}\n"
)
_KEEP = """
INSERT INTO escalation.cases (incident, versions, state)
VALUES (%s, '{}', '{"stage": "at_work", "assignee": "expert",
                    "post": {"team": "reseau", "level": "n2"}}')
"""
_READ = """
UPDATE escalation.cases SET state = jsonb_set(state, '{post,team}', '"support"')
"""


def applied(desk: Desk, file: Path, *words: str) -> Ran:
    env = {
        "DATABASE_URL": desk.database.dsn("desk_admin"),
        "PERMANENCE_API_URL": desk.api_url,
        "PERMANENCE_TOKEN": desk.tokens["agent"],
        "PERMANENCE_HOME": "/nowhere",
    }
    given = ("--reason", "one team now", "--json", *words)
    return permanence("config", "apply", file, *given, env=env)


def did(desk: Desk, path: str, **body: object) -> dict[str, Any]:
    answer = desk.post(path, body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_policy_applies_once_other_teams_have_the_work(
    desk: Desk, tmp_path: Path
) -> None:
    before = tmp_path / "before.yaml"
    text = STARTER.read_text(encoding="utf-8")
    before.write_text(text.replace(_TEAMS, _TEAMS + _DROPPED), encoding="utf-8")
    assert applied(desk, before, "--by", "root").code == 0
    incident = did(desk, "/v1/incidents", title="No line", service="mail")["incident"]
    did(desk, f"/v1/incidents/{incident}/assign", team="reseau", assignee="expert")
    known = {"title": "New switch", "service": "mail", "team": "reseau"}
    change = did(desk, "/v1/changes", **known)["record"]
    with psycopg.connect(desk.database.owner_dsn) as escalation:
        escalation.execute(_KEEP, [incident])

    renamed = tmp_path / "renamed.yaml"
    renamed.write_text(
        text.replace(_TEAMS, _TEAMS + _DROPPED.replace("reseau", "netz")),
        encoding="utf-8",
    )
    too_early = awaited(
        partial(applied, desk, renamed, "--hand-over", "reseau=netz"),
        lambda ran: "the policy in force has no team `netz`" in ran.err,
        "it is said that nothing can be given to a team that no policy has",
    )
    refused = awaited(
        partial(applied, desk, STARTER, "--hand-over", "reseau=support"),
        lambda ran: (
            f"other teams have 1 incident ({incident})" in ran.err
            and "takes no changes" in ran.err
        ),
        "the incident is moved, and the change refused",
    )
    given = desk.get(f"/v1/incidents/{incident}").json()
    with psycopg.connect(desk.database.owner_dsn) as escalation:
        escalation.execute(_READ)
    done = awaited(
        partial(applied, desk, STARTER, "--hand-over", "reseau=desk"),
        lambda ran: ran.code == 0,
        "the rest is moved, and the policy applies",
    ).plain

    assert (too_early.code, refused.code) == (2, 2)
    (stays, held) = refused.plain["mistakes"]
    assert f"it has 1 change ({change})" in held["sentence"]
    assert stays["sentence"].startswith(f"{change} stays there: the team `support`")
    assert (given["team"], given["assignee"]) == ("support", "expert")
    assert done["applied"]
    assert desk.get(f"/v1/changes/{change}").json()["team"] == "desk"
    (newest, *_) = desk.get("/v1/policies", "admin").json()["items"]
    assert (newest["version"], newest["applied_by"]) == (
        done["version"],
        "person:nadia",
    )
