"""`permanence audit verify`: whoever rewrites the log is found out, and where."""

import json
from contextlib import closing
from typing import Any

import psycopg
import pytest
from typer.testing import Result

from shared.event_log import EventLog
from tests.integration.projections.conftest import Run
from tests.support.busy_log import busy_log
from tests.support.june import June
from tests.support.servers import Database
from tests.support.written import QUEUE, followed, write

pytestmark = pytest.mark.servers


def _json(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _tampered(database: Database, *statements: str) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


def test_a_whole_log_is_verified(log: EventLog, database: Database, run: Run) -> None:
    write(log, list(busy_log(300)))
    followed(database, QUEUE, log)

    done = run("audit", "verify")

    assert done.exit_code == 0, done.stderr
    assert "300 events, each as it was recorded, and as the read models" in done.stdout
    assert log.head().chain.hex() in done.stdout


def test_an_empty_log_is_whole(run: Run) -> None:
    assert _json(run("audit", "verify", "--json"))["ok"] is True


_EDITED = """
UPDATE log.events
SET state = convert_to(replace(convert_from(state, 'UTF8'), 'paul', 'anne'), 'UTF8')
WHERE notification_id = 7
"""
_REDATED = """
UPDATE log.events SET recorded_at = recorded_at + interval '1 s'
WHERE notification_id = 7
"""
_DATED_BACK = """
UPDATE log.events SET recorded_at = recorded_at - interval '1 day'
WHERE notification_id = 7
"""
_ANOTHER_COMMAND = """
UPDATE log.events SET command_id = gen_random_uuid() WHERE notification_id = 7
"""
_EXCHANGED = """
UPDATE log.events SET notification_id = CASE notification_id
    WHEN 7 THEN 1000007 ELSE 1000008 END WHERE notification_id IN (7, 8);
UPDATE log.events SET notification_id = CASE notification_id
    WHEN 1000007 THEN 8 ELSE 7 END WHERE notification_id > 1000000
"""
_PUT_IN = """
UPDATE log.events SET notification_id = notification_id + 1000000
WHERE notification_id > 7;
UPDATE log.events SET notification_id = notification_id - 999999
WHERE notification_id > 7;
INSERT INTO log.events SELECT 8, 'incident-INC-000777', 1, topic, state, recorded_at,
    command_id, chain FROM log.events WHERE notification_id = 7
"""
_DELETED = "DELETE FROM log.events WHERE notification_id {}"


@pytest.mark.parametrize(
    ("statement", "kind", "position"),
    [
        pytest.param(_EDITED, "changed", 7, id="edited"),
        pytest.param(_REDATED, "changed", 7, id="redated"),
        pytest.param(_DATED_BACK, "earlier", 7, id="dated back"),
        pytest.param(_ANOTHER_COMMAND, "changed", 7, id="another command"),
        pytest.param(_EXCHANGED, "changed", 7, id="two exchanged"),
        pytest.param(_PUT_IN, "changed", 8, id="one put in"),
        pytest.param(_DELETED.format("= 7"), "gap", 7, id="deleted"),
        pytest.param(_DELETED.format("= 1"), "gap", 1, id="the first deleted"),
        pytest.param(_DELETED.format("IN (3, 4, 5)"), "gap", 3, id="some deleted"),
        pytest.param(_DELETED.format("> 35"), "tail", 36, id="the end cut off"),
    ],
)
def test_whoever_rewrites_the_log_is_found_out_and_where(
    log: EventLog,
    database: Database,
    run: Run,
    statement: str,
    kind: str,
    position: int,
) -> None:
    write(log, list(busy_log(40)))
    followed(database, QUEUE, log)
    _tampered(database, *statement.split(";"))

    done = run("audit", "verify", "--json")

    assert done.exit_code == 1, done.stderr
    found = _json(done)
    assert found["ok"] is False
    assert (found["finding"]["kind"], found["finding"]["position"]) == (kind, position)


def test_a_chain_computed_anew_is_found_out_by_what_a_read_model_remembers(
    log: EventLog, database: Database, run: Run
) -> None:
    write(log, list(busy_log(40)))
    live = followed(database, QUEUE, log)
    _tampered(
        database,
        f"UPDATE {live}.tracking SET chain = decode(repeat('ab', 32), 'hex')",
    )

    found = _json(run("audit", "verify", "--json"))["finding"]

    assert (found["kind"], found["position"]) == ("anchor", 40)
    assert "read model queue" in found["sentence"]


def test_an_auditor_verifies_with_an_auditors_rights(
    log: EventLog, database: Database, run: Run
) -> None:
    write(log, list(busy_log(40)))
    followed(database, QUEUE, log)

    done = run("audit", "verify", DATABASE_URL=database.dsn("desk_auditor"))

    assert done.exit_code == 0, done.stderr


def _forged(database: Database, statement: str) -> None:
    """Change documents as only the database's owner can."""
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE log.documents DISABLE TRIGGER ALL")
        connection.execute(
            "ALTER TABLE log.documents DROP CONSTRAINT hash_is_of_the_body,"
            " DROP CONSTRAINT size_is_of_the_body"
        )
        connection.execute(statement)


def test_the_documents_of_policies_are_verified(database: Database, run: Run) -> None:
    month = June(database)
    with closing(month.log):
        month.applied()
    found = _json(run("audit", "verify", "--json"))

    assert (found["ok"], found["documents"]) == (True, 1)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM log.documents", "is missing from log.documents"),
        ("UPDATE log.documents SET body = body || ' '", "was changed"),
    ],
)
def test_a_document_that_is_not_as_named_is_found(
    database: Database, run: Run, statement: str, words: str
) -> None:
    month = June(database)
    with closing(month.log):
        month.applied()
    _forged(database, statement)
    done = run("audit", "verify", "--json")
    finding = _json(done)["finding"]

    assert done.exit_code == 1
    assert (finding["kind"], finding["position"]) == ("document", 1)
    assert words in finding["sentence"]
