"""A policy that drops teams with open work, or schedules with somebody on call."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.domain import events
from shared.eventlog.log import EventLog
from tests.support import key_ring
from tests.support.command_line import Ran, permanence
from tests.support.policies import FULL_FILE, full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SIGNED = ("--reason", "a new desk", "--approved-by", "direction", "--by", "ghislaine")
_TEAM = "  causes: {members: [mieke]"
_SCHEDULE = "  garde: {timezone"
_DROPPED_TEAM = (
    "  reseau: {level: n2, members: [jos], manager: ghislaine, schedule: nuit}\n"
)
_DROPPED_SCHEDULE = (
    "  nuit: {timezone: Europe/Brussels, rotation: {type: weekly, shift_length: 1, "
    'start: "2025-01-06T08:00", participants: [jos]}}\n'
)
_SUPPORT = "medium, support: [accueil, exploitation]"
BEFORE = full_text(
    (_TEAM, _DROPPED_TEAM + _TEAM),
    (_SCHEDULE, _DROPPED_SCHEDULE + _SCHEDULE),
    ("  team: causes", "  team: reseau"),
    (_SUPPORT, _SUPPORT.replace("]", ", reseau]")),
)
_BY = "person:wim"
_AT = {
    "at": datetime(2025, 6, 30, 9, tzinfo=UTC),
    "by": _BY,
    "whose": _BY,
    "policy": 1,
}
_KEEP = """
INSERT INTO escalation.cases (incident, versions, state)
SELECT ref, '{}', jsonb_build_object(
    'stage', stage, 'service', 'horaires',
    'post', jsonb_build_object('team', team, 'level', 'n1'),
    'handover', jsonb_build_object('team', 'reseau', 'state', handover),
    'service_handover', jsonb_build_object('team', 'reseau', 'state', service))
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS held (ref, stage, team, handover, service)
"""
_LIMITED = """
INSERT INTO access.grants (grant_id, person, role, teams, given_by, given_at)
VALUES ('jos.1', 'jos', 'agent', '{reseau}', 'person:root', %s)
"""
_WAITS = "INSERT INTO escalation.waiting_handovers (incident) VALUES (%s)"


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


def has(
    desk: Database,
    ref: str,
    stage: str = "at_work",
    team: str = "reseau",
    handover: str | None = None,
    service: str | None = None,
) -> None:
    """Let an incident be with a team, as escalation keeps it."""
    with psycopg.connect(desk.owner_dsn) as connection:
        kept = (ref, stage, team, handover, service)
        connection.execute(_KEEP, [[each] for each in kept])
        if handover:
            connection.execute(_WAITS, [ref])


def happened(desk: Database, stream: str, *past: Any) -> None:
    log = EventLog.open(desk.owner_dsn, master=key_ring.MASTER, pool_size=1)
    with closing(log):
        log.record(stream, 0, past)


def problem(desk: Database, ref: str, team: str, *after: Any) -> None:
    known = {"title": "Old switch", "service": "horaires", "origin": "staff"}
    begun = events.ProblemIdentified(**_AT, problem=ref, team=team, **known)
    happened(desk, f"problem-{ref}", begun, *after)


def warned(ran: Ran) -> dict[str, list[str]]:
    """Return the sentences about each place."""
    found: dict[str, list[str]] = {}
    for each in ran.plain["warnings"]:
        found.setdefault(each["path"], []).append(each["sentence"])
    return found


def test_a_team_with_open_work_is_not_dropped_unless_that_is_meant(
    desk: Database,
) -> None:
    open_refs = [f"INC-{number:06d}" for number in range(1, 5)]
    for ref in open_refs:
        has(desk, ref)
    has(desk, "INC-000008", "closed")
    given = {**_AT, "team": "reseau"}
    to = events.ProblemAssigned(**given, problem="PRB-000001")
    over = events.ProblemResolved(**_AT, problem="PRB-000002")
    problem(desk, "PRB-000001", "causes", to)
    problem(desk, "PRB-000002", "reseau", over)
    change = events.ChangeRequested(
        **given, change="CHG-000001", title="New switch", service="horaires"
    )
    happened(desk, "change-CHG-000001", change)

    checked = run(desk, "check", FULL_FILE, "--json")
    refused = run(desk, "apply", FULL_FILE, *SIGNED)
    unchanged = run(desk, "diff", FULL_FILE).code

    (sentence,) = warned(checked)["teams.reseau"]
    assert (
        "it has 4 incidents (INC-000001, INC-000002, INC-000003, …), 1 problem "
        "(PRB-000001) and 1 change (CHG-000001): "
    ) in sentence
    assert "--hand-over reseau=TEAM" in sentence
    work = {each["kind"]: each["refs"] for each in checked.plain["work"]}
    assert work["incident"] == open_refs
    assert (refused.code, unchanged) == (2, 1)
    assert f"teams.reseau: {sentence}" in refused.err
    assert run(desk, "apply", FULL_FILE, *SIGNED, "--leave-work").code == 0
    assert run(desk, "diff", FULL_FILE).code == 0
    again = run(desk, "apply", FULL_FILE, *SIGNED, "--json")
    assert again.code == 0, "what was left once does not prevent the next policy"
    (sentence,) = warned(again)["teams.reseau"]
    assert "neither this policy nor the one in force has this team" in sentence


def test_what_its_people_are_to_answer_keeps_a_team(desk: Database) -> None:
    has(desk, "INC-000001", "resolved", "accueil", handover="requested")
    has(desk, "INC-000002", "resolved", "accueil", handover="declined")
    has(desk, "INC-000003", "closed", "accueil", service="unanswered")
    asked = events.ServiceHandoverRequested(
        **_AT | {"by": "system:escalation"},
        incident="INC-000003",
        service="horaires",
        team="reseau",
        cause="breaches",
        breaches=3,
        within_days=30,
        crossed_at=_AT["at"],
        counted=(),
    )
    happened(desk, "handover-INC-000003", asked)

    refused = run(desk, "apply", FULL_FILE, *SIGNED, "--json")

    (sentence,) = [each["sentence"] for each in refused.plain["mistakes"]]
    assert refused.code == 2
    assert "2 hand-overs (INC-000001, INC-000003) to Problem Management" in sentence


def test_what_will_come_to_it_and_what_it_did_is_named(desk: Database) -> None:
    has(desk, "INC-000001", team="accueil")
    with psycopg.connect(desk.owner_dsn) as connection:
        connection.execute(_LIMITED, [_AT["at"]])

    applied = run(desk, "apply", FULL_FILE, *SIGNED, "--json")

    found = warned(applied)
    assert applied.code == 0
    climbs, limited = found["teams.reseau"]
    assert limited.startswith("1 role (jos.1) of people limited to this team")
    assert "1 open incident (INC-000001) may still escalate to this team" in climbs
    (role,) = found["problems.team"]
    assert "opened from then on are handed over to `causes`" in role


def test_who_is_on_call_in_a_schedule_that_goes_is_named(
    desk: Database, tmp_path: Path
) -> None:
    has(desk, "INC-000008", "closed")
    kept = tmp_path / "kept.yaml"
    text = full_text((_SCHEDULE, _DROPPED_SCHEDULE + _SCHEDULE))
    kept.write_text(text, encoding="utf-8")

    for_nobody = warned(run(desk, "check", kept, "--json"))["schedules.nuit"]
    applied = run(desk, "apply", FULL_FILE, *SIGNED, "--json")

    found = warned(applied)
    assert (applied.code, applied.plain["applied"]) == (0, True)
    assert "drops the teams of this schedule" in for_nobody[0]
    assert "on call in it (jos)" in found["schedules.nuit"][0]
    assert "teams.reseau" not in found
    later = run(desk, "check", FULL_FILE, "--json")
    assert "schedules.nuit" not in warned(later)


@pytest.mark.parametrize("before", ["causes", "reseau=nowhere", "causes=exploitation"])
def test_a_hand_over_that_cannot_be_is_refused_before_anything_is_done(
    database: Database, before: str
) -> None:
    refused = run(database, "apply", FULL_FILE, *SIGNED, "--hand-over", before)

    assert refused.code == 2
    assert f"--hand-over {before}: " in refused.err
