"""`permanence rebuild`, `replay` and `audit verify`, as somebody types them."""

import json
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, timedelta
from signal import SIGKILL
from typing import Any

import psycopg
import pytest
from typer.testing import Result

from services.projections.generations import find_live
from shared.eventlog.log import EventLog
from tests.integration.projections.conftest import Run
from tests.support.builders.busy_log import busy_log
from tests.support.builders.june_log import ONE, June, june, promise
from tests.support.builders.promise_events import armed, minute, told
from tests.support.builders.written_histories import (
    QUEUE,
    TIMELINE,
    digest_of,
    followed,
    rebuilt,
    write,
)
from tests.support.patience import until
from tests.support.servers.servers import Database
from tests.support.strategies.histories import opened
from tests.support.strategies.interleaved_streams import stream_of

pytestmark = pytest.mark.servers

OWN = "PERMANENCE_PROJECTIONS_DATABASE_URL"


def _json(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout or done.stderr)
    return found


def _tampered(database: Database, *statements: str) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


def test_a_rebuild_says_what_it_did(
    log: EventLog, database: Database, run: Run
) -> None:
    write(log, list(busy_log(120)))
    followed(database, QUEUE, log)

    done = run("rebuild", "queue")

    assert done.exit_code == 0, done.stderr
    assert "rm_queue_v2 is live at position 120, the same as before" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_rebuild_answers_in_json(log: EventLog, database: Database, run: Run) -> None:
    write(log, list(busy_log(120)))
    followed(database, TIMELINE, log)

    done = run("rebuild", "timeline", "--json")

    assert done.exit_code == 0
    assert done.stderr == ""
    assert _json(done)["same"] is True
    assert _json(done)["events"] == 120


def test_a_difference_is_exit_code_1_and_the_live_one_stays(
    log: EventLog, database: Database, run: Run
) -> None:
    write(log, list(busy_log(60)))
    live = followed(database, QUEUE, log)
    _tampered(database, f"UPDATE {live}.incidents SET team = 'x'")

    refused = run("rebuild", "queue")
    taken = run("rebuild", "queue", "--accept-difference")

    assert refused.exit_code == 1
    assert "stays live" in refused.stdout
    assert taken.exit_code == 0


def test_going_back_is_one_word(log: EventLog, database: Database, run: Run) -> None:
    write(log, list(busy_log(60)))
    followed(database, QUEUE, log)

    before = run("rebuild", "queue", "--rollback")
    run("rebuild", "queue")
    done = run("rebuild", "queue", "--rollback", "--json")

    assert before.exit_code == 2
    assert _json(done) == {"name": "queue", "schema": "rm_queue_v1"}


@pytest.mark.parametrize(
    ("words", "more", "code", "sentence"),
    [
        (["rebuild", "nothing"], {}, 2, "choose one of queue, timeline, metrics"),
        (["rebuild", "queue"], {"DATABASE_URL": "", OWN: ""}, 3, "make up"),
        (["rebuild", "queue"], {OWN: "nonsense"}, 2, "not an address"),
        (["rebuild", "queue"], {OWN: ""}, 2, "as desk_projections alone"),
        (
            ["rebuild", "queue"],
            {OWN: "postgresql://x:y@127.0.0.1:9/z"},
            3,
            "not reachable",
        ),
        (["rebuild", "queue"], {"PERMANENCE_VAULT_KEY_FILE": "/none"}, 2, "master key"),
        (["replay", "INC-1"], {}, 2, "such as INC-000042"),
        (["replay", "INC-000999"], {}, 2, "there is no incident INC-000999"),
        (
            ["replay", "INC-000001", "--at", "noon"],
            {},
            2,
            "not an instant with its zone",
        ),
        (["replay", "INC-000001", "--at", "2026-01-01T00:00"], {}, 2, "with its zone"),
        (["audit", "verify"], {"DATABASE_URL": ""}, 3, "make up"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_an_exit_code(
    run: Run, words: list[str], more: dict[str, str], code: int, sentence: str
) -> None:
    done = run(*words, **more)
    in_json = run(*words, "--json", **more)

    assert (done.exit_code, in_json.exit_code) == (code, code)
    assert sentence in done.stderr.replace("\n", " ")
    assert sentence in _json(in_json)["error"]
    assert "Traceback" not in done.stderr


def test_a_replay_shows_the_state_and_how_it_came_about(
    log: EventLog, run: Run
) -> None:
    write(log, list(busy_log(90)))

    done = run("replay", "INC-000001")
    plain = _json(run("replay", "INC-000001", "--json"))

    assert done.exit_code == 0, done.stderr
    assert "paul opened the incident" in done.stdout
    assert plain["incident"]["version"] == len(plain["events"]) > 1
    assert plain["events"][0]["event"]["details"].startswith("It does not print")


def test_of_a_long_replay_the_last_events_are_enough(log: EventLog, run: Run) -> None:
    write(log, list(busy_log(90)))
    whole = _json(run("replay", "INC-000001", "--json"))

    done = run("replay", "INC-000001", "--last", "1")
    plain = _json(run("replay", "INC-000001", "--last", "1", "--json"))

    assert plain["events"] == whole["events"][-1:]
    assert plain["incident"]["version"] == whole["incident"]["version"]
    assert f"({len(whole['events']) - 1} events before these)" in done.stdout
    assert "paul opened the incident" not in done.stdout


def test_a_replay_at_an_instant_knows_nothing_later(log: EventLog, run: Run) -> None:
    history = list(busy_log(90))
    write(log, history[:1])
    write(log, history[1:])
    first = log.history("incident-INC-000001")[0].recorded_at

    plain = _json(run("replay", "INC-000001", "--at", first.isoformat(), "--json"))

    assert len(plain["events"]) == plain["incident"]["version"] == 1
    assert plain["incident"]["status"] == "new"


@pytest.mark.parametrize("command", [["replay"], ["sla", "explain"]])
def test_a_day_is_its_beginning(log: EventLog, run: Run, command: list[str]) -> None:
    write(log, list(busy_log(90)))
    recorded = log.history("incident-INC-000001")[0].recorded_at
    after = (recorded + timedelta(days=1)).astimezone(UTC).date()

    early = run(*command, "INC-000001", "--at", f"{recorded.astimezone(UTC):%Y-%m-%d}")
    late = run(*command, "INC-000001", "--at", f"{after}")

    assert early.exit_code == 2
    assert "there is no incident INC-000001 at" in early.stderr
    assert late.exit_code == 0, late.stderr


def test_a_replay_shows_promises_and_level_at_the_instant(
    log: EventLog, run: Run
) -> None:
    ref = "INC-000001"
    events = [
        opened(ref),
        armed(ref, "ttr", 60),
        told("escalation.escalated", ref),
        told("sla.paused", ref, target="ttr", paused_at=minute(5)),
    ]
    for event in events:
        log.record(stream_of(event), log.head_version(stream_of(event)), [event])
    second = log.since(2, 1)[0].recorded_at

    now = _json(run("replay", ref, "--json"))
    then = _json(run("replay", ref, "--at", second.isoformat(), "--json"))
    shown = run("replay", ref)

    assert (now["incident"]["level"], now["incident"]["team"]) == ("n2", "network")
    assert now["incident"]["promises"][0]["state"] == "paused"
    assert then["incident"]["promises"][0]["state"] == "running"
    assert len(then["events"]) == 3
    assert [event["stream"] for event in now["events"]][1] == f"sla-{ref}"
    assert "It was escalated from N1 to N2" in shown.stdout
    assert "state paused" in shown.stdout
    assert "None" not in shown.stdout


def test_without_the_key_words_stay_sealed(log: EventLog, run: Run) -> None:
    write(log, list(busy_log(30)))

    plain = run("replay", "INC-000001", "--json", PERMANENCE_VAULT_KEY_FILE="")

    assert _json(plain)["incident"]["title"] == "[forgotten]"


def test_a_rebuild_killed_at_any_moment_disturbs_nobody_and_can_be_repeated(
    log: EventLog, database: Database, environment: dict[str, str]
) -> None:
    write(log, list(busy_log(3_000)))
    live = followed(database, QUEUE, log)
    said = digest_of(log, QUEUE, live)

    for made in ("rm_queue_v2", "rm_queue_v3", "rm_queue_v4"):
        _kill_once_there(database, environment, made)
        with log.transaction() as cursor:
            found = find_live(cursor, "queue")
        if found and found.schema != live:  # it was quicker than we
            live = found.schema
        assert digest_of(log, QUEUE, live) == said

    assert rebuilt(database, QUEUE).same is True


_LOCKS = """
SELECT FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _kill_once_there(
    database: Database, environment: dict[str, str], schema: str
) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-m", "services", "rebuild", "queue", "--json"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
        psycopg.connect(database.owner_dsn, autocommit=True) as watching,
    ):
        number = int(re.findall(r"\d+", schema)[0])

        def is_there() -> bool:
            rows = watching.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname ~ '^rm_queue_v'"
            ).fetchall()
            return any(int(name.rpartition("v")[2]) >= number for (name,) in rows)

        until(lambda: process.poll() is not None or is_there(), f"{schema} is made")
        process.send_signal(SIGKILL)
        until(
            lambda: watching.execute(_LOCKS).rowcount == 0,
            "PostgreSQL has noticed that it is gone",
        )


def test_promises_explain_themselves_in_a_terminal(
    database: Database, run: Run
) -> None:
    month = June(database)
    with closing(month.log):
        month.applied()
        month.opens(june(2, 9), ONE)
        promise(month, ONE, 2, 9)

    said = run("sla", "explain", ONE, "--lang", "fr")
    plain = run("sla", "explain", ONE, "--json")
    missing = run("sla", "explain", "INC-000009")

    assert (said.exit_code, plain.exit_code, missing.exit_code) == (0, 0, 2)
    assert "L’échéance est donc le" in said.stdout
    (item,) = _json(plain)["items"]
    assert item["windows"][-1]["together_seconds"] == item["seconds"]
    assert "Heures ouvertes depuis le début" in said.stdout
    consumed = item["consumed"]
    assert sum(each["seconds"] for each in consumed["levels"]) == consumed["seconds"]
    assert missing.stderr.strip() == "there is no incident INC-000009"
