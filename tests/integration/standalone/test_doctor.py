"""The doctor looks at the policy in force: for open doors, and for what it forgot."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.eventlog.log import EventLog
from shared.security.access import create
from standalone.credentials import ADMIN, FIRST_LABEL
from standalone.doctor import SHOWN_MAX, Finding, examine_policy
from tests.support.desks.mail import AUTHSERV_ID, apply_mailbox
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

_STRAY = """
INSERT INTO escalation.cases (incident, versions, state) VALUES
('INC-000001', '{}', '{"stage": "at_work", "post": {"team": "reseau"}}'),
('INC-000002', '{}', '{"stage": "at_work", "post": {"team": "desk"}}')
"""


def examined(database: Database) -> dict[str, Finding]:
    found = examine_policy(database.dsn("desk_admin"))
    return {finding.name.partition(" ")[0]: finding for finding in found}


def test_what_leaves_a_door_open_is_found(database: Database) -> None:
    assert examined(database) == {}
    with closing(EventLog.open(database.owner_dsn)) as log:
        apply_mailbox(log)
        sound = examined(database)
        apply_mailbox(
            log,
            (f", authserv_id: {AUTHSERV_ID}", ""),
            ("nats_monitor: refused", "nats_monitor: accepted"),
        )
        unsound = examined(database)

    assert all(finding.ok for finding in sound.values())
    assert not unsound["mailbox"].ok
    assert "authserv_id" in unsound["mailbox"].advice
    assert not unsound["nats"].ok
    assert "nats_monitor: refused" in unsound["nats"].advice
    assert all(finding.only_warns for finding in unsound.values())


def test_what_belongs_to_no_team_of_the_policy_is_found(database: Database) -> None:
    now = datetime.now(UTC)
    with closing(EventLog.open(database.owner_dsn)) as log:
        apply_mailbox(log)
        with log.transaction() as cursor:
            gone = create(cursor, now, "person:gone", ["agent"], label="her laptop")
            left_out = [
                create(cursor, now, ADMIN, ["admin"], label=FIRST_LABEL),
                create(cursor, now, "person:user", ["client"]),
                create(cursor, now, "source:gone", ["source"]),
                create(
                    cursor,
                    now - timedelta(days=2),
                    "person:late",
                    ["agent"],
                    expires_at=now - timedelta(days=1),
                ),
            ]
            for number in range(1, SHOWN_MAX + 1):
                later = now + timedelta(seconds=number)
                create(cursor, later, f"person:gone-{number}", ["agent"])
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(_STRAY)

    found = examined(database)

    tokens, work = found["tokens"], found["work"]
    assert f"person:gone {gone.token_id} her laptop, person:gone-1" in tokens.sentence
    assert tokens.sentence.endswith(" and 1 more")
    assert not [each for each in left_out if each.token_id in tokens.sentence]
    assert gone.token not in tokens.sentence
    assert "permanence token revoke" in tokens.advice
    assert work.sentence == "reseau has 1 incident (INC-000001)"
    assert [(each.ok, each.only_warns) for each in (tokens, work)] == [
        (False, True)
    ] * 2
