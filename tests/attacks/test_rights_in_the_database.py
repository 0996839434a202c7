"""Somebody who can write to the database gives themselves a right, or takes one away.

The audit names it, and the command writes the tables again from the log.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from cli.app import command_line
from shared.domain.limits import Limits
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import PendingEvent
from shared.security.rights import grants_of, is_removed
from tests.support.builders.people_log import (
    MORNING,
    given,
    record,
    removed,
    withdrawn,
)
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

MAIL = Limits(services=frozenset(["mail"]))
ADDED = """
INSERT INTO access.grants (grant_id, person, role, given_by, given_at)
VALUES ('paul.9', 'paul', 'admin', 'person:root', '2026-03-02')
"""


@pytest.fixture(scope="module")
def staffed(shared_database: Database) -> Database:
    """Give a database whose people have rights, had some, were removed, returned."""
    with closing(EventLog.open(shared_database.owner_dsn, master=MASTER)) as log:
        nadia = [given("nadia", 1, "agent", MAIL), given("nadia", 2, "manager")]
        record(log, "nadia", *nadia, withdrawn("nadia", 2))
        record(log, "amina", given("amina", 1, "agent"), removed("amina"))
        record(log, "luc", given("luc", 1, "admin"), removed("luc"))
        record(log, "luc", given("luc", 3, "auditor"))
    return shared_database


def permanence(database: Database, role: str, *words: str) -> tuple[int, Any]:
    """Run a command as a role; return its exit code and what it answers."""
    given = [*words, "--json", "--database", database.dsn(role)]
    done = CliRunner().invoke(command_line(), given)
    assert done.stdout, done.output
    return done.exit_code, json.loads(done.stdout)


def audited(database: Database) -> tuple[int, list[Mapping[str, Any]]]:
    code, said = permanence(database, "desk_auditor", "audit", "rights")
    return code, said["differences"]


def test_tables_that_follow_from_the_log_agree_with_it(staffed: Database) -> None:
    code, said = permanence(staffed, "desk_auditor", "audit", "rights")

    assert (code, said["ok"]) == (0, True)
    assert said["people"] >= 3


@pytest.mark.parametrize(
    ("statement", "kind", "named"),
    [
        pytest.param(ADDED, "added", ["paul", "admin", "root"], id="added"),
        pytest.param(
            "DELETE FROM access.grants WHERE grant_id = 'nadia.1'",
            "missing",
            ["nadia.1", "services mail"],
            id="taken away",
        ),
        pytest.param(
            "UPDATE access.grants SET role = 'admin' WHERE grant_id = 'nadia.1'",
            "changed",
            ["nadia.1", "role is admin instead of agent"],
            id="another role",
        ),
        pytest.param(
            "UPDATE access.grants SET services = NULL WHERE grant_id = 'nadia.1'",
            "changed",
            ["services is none instead of mail"],
            id="without its limit",
        ),
        pytest.param(
            "UPDATE access.grants SET withdrawn_at = NULL WHERE grant_id = 'nadia.2'",
            "changed",
            ["nadia.2", "withdrawn_at is none"],
            id="in force again",
        ),
        pytest.param(
            "UPDATE access.grants SET given_by = 'person:x' WHERE grant_id = 'nadia.1'",
            "changed",
            ["given_by is person:x instead of person:root"],
            id="another giver",
        ),
        pytest.param(
            "UPDATE access.grants SET person = 'zoe' WHERE grant_id = 'nadia.1'",
            "missing",
            ["nadia.1"],
            id="of another person",
        ),
        pytest.param(
            "DELETE FROM access.removed_people WHERE person = 'amina'",
            "missing",
            ["amina", "removed at", "never removed by the table"],
            id="never removed",
        ),
        pytest.param(
            "UPDATE access.removed_people SET returned_at = now() "
            "WHERE person = 'amina'",
            "changed",
            ["amina", "back since"],
            id="back again",
        ),
        pytest.param(
            "INSERT INTO access.removed_people VALUES ('nadia', now(), 'person:x')",
            "added",
            ["nadia: never removed by the log"],
            id="put out by hand",
        ),
    ],
)
def test_a_right_that_was_changed_by_hand_is_named_and_mended(
    staffed: Database, statement: str, kind: str, named: list[str]
) -> None:
    with psycopg.connect(staffed.owner_dsn, autocommit=True) as connection:
        connection.execute(statement)

    code, found = audited(staffed)
    mended, said = permanence(staffed, "desk_admin", "restored", "--rights")

    assert code == 1
    assert found[0]["kind"] == kind
    assert [word for word in named if word not in found[0]["sentence"]] == []
    assert (mended, said["differences"]) == (0, found)
    assert audited(staffed) == (0, [])


def test_what_a_removal_does_not_know_of_ends_with_it(staffed: Database) -> None:
    with closing(EventLog.open(staffed.owner_dsn, master=MASTER)) as log:
        with log.transaction() as cursor:
            cursor.execute(ADDED)
        record(log, "paul", given("paul", 1, "agent"), removed("paul"))
        with log.transaction() as cursor:
            assert grants_of(cursor, "paul", MORNING) == ()
    permanence(staffed, "desk_admin", "restored", "--rights")

    assert audited(staffed) == (0, [])


def test_rights_that_cannot_be_read_are_named_and_left(database: Database) -> None:
    later = PendingEvent("person-mia", 2, "person.promoted", b'{"v":1}')
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        record(log, "mia", given("mia", 1, "agent"))
        with log.transaction() as cursor:
            log.append(cursor, [AppendUnit((later,))])
        code, found = audited(database)
        mended, said = permanence(database, "desk_admin", "restored", "--rights")
        record(log, "mia", removed("mia"))
        with log.transaction() as cursor:
            assert is_removed(cursor, "mia")

    assert (code, mended) == (1, 1)
    assert found == said["differences"]
    assert [each["kind"] for each in found] == ["unreadable"]
    assert "mia" in found[0]["sentence"]
    assert "upgrade" in found[0]["sentence"]
