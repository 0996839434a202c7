"""`permanence audit verify`: whoever rewrites the log is found out, and where."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import Result

from shared.eventlog.log import EventLog
from tests.integration.projections.conftest import Run
from tests.support.builders.busy_log import busy_log
from tests.support.builders.june_log import June
from tests.support.builders.written_histories import QUEUE, followed, rebuilt, write
from tests.support.servers.servers import Database

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
    assert "300 events, each as it was recorded, and as the readers" in done.stdout
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


def test_every_reader_is_an_anchor(log: EventLog, database: Database, run: Run) -> None:
    """Those that decide, and generations that are no longer live."""
    write(log, list(busy_log(40)))
    old = followed(database, QUEUE, log)
    rebuilt(database, QUEUE)
    row = log.rows_since(19, 1)[0]
    with psycopg.connect(database.owner_dsn) as connection:
        for schema, reader in (("sla", "sla_watcher"), ("escalation", "escalation")):
            connection.execute(
                f"INSERT INTO {schema}.tracking VALUES (%s, %s, %s, %s)",
                (reader, row.position, row.chain, row.recorded_at),
            )

    whole = _json(run("audit", "verify", "--json"))
    assert (whole["ok"], whole["anchors"]) == (True, 4)

    for schema, whose in (
        ("sla", "the reader sla_watcher"),
        ("escalation", "the reader escalation"),
        (old, f"the read model queue ({old})"),
    ):
        _tampered(database, f"UPDATE {schema}.tracking SET chain = {_INVERTED}")
        found = _json(run("audit", "verify", "--json"))["finding"]
        assert found["kind"] == "anchor"
        assert whose in found["sentence"]
        _tampered(database, f"UPDATE {schema}.tracking SET chain = {_INVERTED}")


_INVERTED = """decode(translate(encode(chain, 'hex'), '0123456789abcdef',
                                   'fedcba9876543210'), 'hex')"""


def test_from_a_checkpoint_only_what_came_later_is_walked(
    log: EventLog, database: Database, run: Run
) -> None:
    entries = list(busy_log(60))
    write(log, entries[:40])
    first = _json(run("audit", "verify", "--json"))
    write(log, entries[40:])
    _tampered(database, _EDITED)

    later = run("audit", "verify", "--from", first["checkpoint"])
    whole = _json(run("audit", "verify", "--json"))

    assert first["checkpoint"] == f"40:{log.rows_since(39, 1)[0].chain.hex()}"
    assert later.exit_code == 0, later.stderr
    assert "20 events after 40" in later.stdout
    assert (whole["ok"], whole["finding"]["position"]) == (False, 7)


@pytest.mark.parametrize(
    ("statement", "kind", "position"),
    [
        pytest.param(_EDITED, "changed", 7, id="edited"),
        pytest.param(_DELETED.format("= 7"), "gap", 7, id="deleted"),
        pytest.param(_DATED_BACK, "earlier", 7, id="the first after it dated back"),
        pytest.param(_DELETED.format("> 4"), "checkpoint", 6, id="restored to earlier"),
        pytest.param(_DELETED.format("= 6"), "checkpoint", 6, id="it is not there"),
        pytest.param(
            "UPDATE log.events SET chain = sha256('x') WHERE notification_id = 6",
            "checkpoint",
            6,
            id="another one",
        ),
    ],
)
def test_what_is_wrong_after_a_checkpoint_or_at_it_is_found(
    log: EventLog,
    database: Database,
    run: Run,
    statement: str,
    kind: str,
    position: int,
) -> None:
    write(log, list(busy_log(40)))
    chain = log.rows_since(5, 1)[0].chain.hex()
    _tampered(database, statement)

    done = run("audit", "verify", "--from", f"6:{chain}", "--json")

    assert done.exit_code == 1, done.stderr
    found = _json(done)["finding"]
    assert (found["kind"], found["position"]) == (kind, position)
    assert "checkpoint" not in _json(done)


def test_readers_before_a_checkpoint_are_compared_too(
    log: EventLog, database: Database, run: Run
) -> None:
    entries = list(busy_log(60))
    write(log, entries[:40])
    live = followed(database, QUEUE, log)
    write(log, entries[40:])
    checkpoint = _json(run("audit", "verify", "--json"))["checkpoint"]
    _tampered(database, f"UPDATE {live}.tracking SET chain = {_INVERTED}")

    found = _json(run("audit", "verify", "--from", checkpoint, "--json"))["finding"]

    assert (found["kind"], found["position"]) == ("anchor", 40)


def test_a_checkpoint_file_is_made_read_and_renewed(
    log: EventLog, database: Database, run: Run, tmp_path: Path
) -> None:
    entries = list(busy_log(60))
    file = tmp_path / "checkpoint.json"
    words = ("audit", "verify", "--checkpoint", str(file))
    write(log, entries[:40])
    assert "40 events, each" in run(*words).stdout
    write(log, entries[40:])
    assert "20 events after 40" in run(*words).stdout
    kept = file.read_text(encoding="utf-8")
    assert json.loads(kept) == {"checkpoint": f"60:{log.head().chain.hex()}"}
    _tampered(database, _DELETED.format("> 50"))

    lost = run(*words)

    assert lost.exit_code == 1
    assert "the log does not hold the event of the checkpoint at 60" in lost.stdout
    assert file.read_text(encoding="utf-8") == kept
    assert [path.name for path in tmp_path.iterdir() if "checkpoint" in path.name] == [
        "checkpoint.json"
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "40"),
        ("--from", f"0:{'ab' * 32}"),
        ("--from", f"40:{'ab' * 32}", "--checkpoint", "file.json"),
        ("--checkpoint", str(Path(__file__))),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    log: EventLog, run: Run, words: tuple[str, ...]
) -> None:
    write(log, list(busy_log(10)))

    refused = run("audit", "verify", *words)

    assert refused.exit_code == 2
    assert "checkpoint" in refused.stderr
