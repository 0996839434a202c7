"""`permanence heartbeat list`: how what has to report stands."""

import json
from datetime import UTC, datetime

import pytest

from services.intake.heartbeats.rules import HeartbeatTerms, beaten, known
from services.intake.heartbeats.store import keep
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.eventlog.log import EventLog
from tests.support.command_line import permanence
from tests.support.policies import full, full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOW = datetime(2025, 6, 30, 2, tzinfo=UTC)
NAME = "backup-nightly"


def run(database: Database, *words: str) -> str:
    env = {"DATABASE_URL": database.dsn("desk_admin"), "COLUMNS": "120"}
    ran = permanence("heartbeat", "list", *words, env=env)
    assert ran.code == 0, ran.err
    return ran.out


def ruled(database: Database) -> None:
    log = EventLog.open(database.owner_dsn)
    signature = Signature(by="root", reason="a test")
    applied = policy_store.apply(log, full_text(), signature, NOW, "test")
    assert isinstance(applied, Applied), applied
    log.close()


def beaten_once(database: Database) -> None:
    log, terms = EventLog.open(database.dsn("desk_intake")), HeartbeatTerms(1, full())
    with log.transaction() as cursor:
        keep(cursor, [beaten(known(NAME, terms, NOW), terms, NOW, "quais")])
    log.close()


def test_a_desk_without_heartbeats_says_so(database: Database) -> None:
    assert run(database) == "The policy has no heartbeats.\n"


def test_each_heartbeat_of_the_policy_is_listed_with_when_it_is_expected(
    database: Database,
) -> None:
    ruled(database)
    before = json.loads(run(database, "--json"))
    beaten_once(database)
    after = json.loads(run(database, "--json"))

    assert (before["state"], before["expected_by"]) == ("waiting", None)
    assert (after["name"], after["state"]) == (NAME, "beating")
    assert after["expected_by"] == "2025-07-01T02:30:00Z"
    assert "2025-06-30T02:00:00Z" in run(database)
