"""A policy that drops a team with open work, or a schedule with somebody on call."""

from pathlib import Path

import psycopg
import pytest

from tests.support.command_line import Ran, permanence
from tests.support.policies import FULL_FILE, full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SIGNED = ("--reason", "a new desk", "--approved-by", "direction", "--by", "ghislaine")
_TEAM = "  causes: {members: [mieke]"
_SCHEDULE = "  garde: {timezone"
_DROPPED_TEAM = "  reseau: {level: n2, members: [jos], manager: ghislaine}\n"
_DROPPED_SCHEDULE = (
    "  nuit: {timezone: Europe/Brussels, rotation: {type: weekly, shift_length: 1, "
    'start: "2025-01-06T08:00", participants: [jos]}}\n'
)
BEFORE = full_text(
    (_TEAM, _DROPPED_TEAM + _TEAM), (_SCHEDULE, _DROPPED_SCHEDULE + _SCHEDULE)
)
_KEEP = """
INSERT INTO escalation.cases (incident, versions, state)
SELECT ref, '{}', jsonb_build_object('stage', stage,
                                     'post', jsonb_build_object('team', team))
FROM unnest(%s::text[], %s::text[], %s::text[]) AS held (ref, stage, team)
"""


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Database:
    """Give a desk in force of which the full policy drops a team and a schedule."""
    file = tmp_path / "before.yaml"
    file.write_text(BEFORE, encoding="utf-8")
    assert run(database, "apply", file, *SIGNED).code == 0
    return database


def run(desk: Database, *words: object) -> Ran:
    settings = {"DATABASE_URL": desk.dsn("desk_admin"), "PERMANENCE_HOME": "/nowhere"}
    return permanence("config", *words, env=settings)


def has(desk: Database, *held: tuple[str, str, str]) -> None:
    """Let incidents be with teams: reference, stage, team."""
    with psycopg.connect(desk.owner_dsn) as connection:
        connection.execute(_KEEP, [list(column) for column in zip(*held, strict=True)])


def test_a_team_with_incidents_is_not_dropped_unless_that_is_meant(
    desk: Database,
) -> None:
    open_refs = [f"INC-{number:06d}" for number in range(1, 5)]
    has(desk, *((ref, "at_work", "reseau") for ref in open_refs))
    has(desk, ("INC-000008", "closed", "reseau"), ("INC-000009", "at_work", "accueil"))

    checked = run(desk, "check", FULL_FILE, "--json").plain["warnings"]
    refused = run(desk, "apply", FULL_FILE, *SIGNED)
    unchanged = run(desk, "diff", FULL_FILE).code

    found = {each["path"]: each["sentence"] for each in checked}
    counted = "(4: INC-000001, INC-000002, INC-000003, …)"
    assert counted in found["teams.reseau"]
    assert (refused.code, unchanged) == (2, 1)
    assert f"teams.reseau: {found['teams.reseau']}" in refused.err
    assert run(desk, "apply", FULL_FILE, *SIGNED, "--leave-work").code == 0
    assert run(desk, "diff", FULL_FILE).code == 0


def test_who_is_on_call_in_a_schedule_that_goes_is_named(desk: Database) -> None:
    has(desk, ("INC-000008", "closed", "reseau"))

    applied = run(desk, "apply", FULL_FILE, *SIGNED, "--json")

    found = {each["path"]: each["sentence"] for each in applied.plain["warnings"]}
    assert (applied.code, applied.plain["applied"]) == (0, True)
    assert "on call in it (jos)" in found["schedules.nuit"]
    assert "teams.reseau" not in found
    later = run(desk, "check", FULL_FILE, "--json").plain["warnings"]
    assert "schedules.nuit" not in {each["path"] for each in later}
