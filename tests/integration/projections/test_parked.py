"""`permanence parked`: what read models set aside is listed, and applied later."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from services.projections.cli_parked import parked
from shared.event_log import EventLog
from tests.support.busy_log import busy_log
from tests.support.servers import Database
from tests.support.written import MASTER, QUEUE, TIMELINE, followed, rebuilt, write

pytestmark = pytest.mark.servers


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as opened_log:
        yield opened_log


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The vault's master key in a file."""
    file = tmp_path / "vault.key"
    file.write_text(b64encode(MASTER).decode(), encoding="ascii")
    return file


def run(database: Database, *words: str) -> Result:
    environment = {"DATABASE_URL": database.owner_dsn, "COLUMNS": "200"}
    return CliRunner().invoke(parked, words, env=environment)


class Broken:
    """The second event of a stream, which cannot be read until it is mended."""

    def __init__(self, database: Database, stream: str) -> None:
        self._dsn = database.owner_dsn
        self._stream = stream
        self._state = self._set(b"{")

    def mend(self) -> None:
        """Make it as it was."""
        self._set(self._state)

    def _set(self, state: bytes) -> bytes:
        of = "WHERE originator_id = %s AND originator_version = 2"
        with psycopg.connect(self._dsn) as connection:
            connection.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
            row = connection.execute(
                f"SELECT state FROM log.events {of} FOR UPDATE", (self._stream,)
            ).fetchone()
            assert row, "the stream has no second event"
            connection.execute(
                f"UPDATE log.events SET state = %s {of}", (state, self._stream)
            )
        return bytes(row[0])


def test_what_is_parked_is_listed_and_applied_once_it_can_be(
    database: Database, log: EventLog, key: Path
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    waiting = [e.position for e in entries if e.stream == stream][1:]
    broken = Broken(database, stream)
    followed(database, QUEUE, log)

    (listed,) = json.loads(run(database, "list", "--json").stdout)
    still = run(database, "retry", "--vault-key", str(key))
    broken.mend()
    done = run(database, "retry", stream, "--vault-key", str(key), "--json")

    assert (listed["reader"], listed["stream"]) == ("queue", stream)
    assert (listed["position"], listed["events"]) == (waiting[0], len(waiting))
    assert still.exit_code == 1
    assert "still parked" in still.stdout
    assert done.exit_code == 0
    assert json.loads(done.stdout) == [
        {
            "reader": "queue",
            "stream": stream,
            "outcome": "applied",
            "events": len(waiting),
        }
    ]
    assert "nothing is parked" in run(database, "list").stdout
    assert rebuilt(database, QUEUE).same is True


def test_words_are_not_written_as_forgotten_for_want_of_the_key(
    database: Database, log: EventLog, tmp_path: Path
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    Broken(database, entries[0].stream)
    followed(database, QUEUE, log)

    refused = run(database, "retry", "--home", str(tmp_path))

    assert refused.exit_code == 2
    assert "--vault-key" in refused.stderr


def test_a_read_model_without_words_needs_no_key(
    database: Database, log: EventLog, tmp_path: Path
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    broken = Broken(database, entries[0].stream)
    followed(database, TIMELINE, log)
    broken.mend()

    done = run(database, "retry", "--home", str(tmp_path))

    assert done.exit_code == 0, done.stderr
    assert re.search(
        r"timeline: incident-INC-\d+ is applied, \d+ events?\n", done.stdout
    )


def test_an_unknown_reader_is_refused_with_the_names_there_are(
    database: Database,
) -> None:
    refused = run(database, "list", "--reader", "tickets")

    assert refused.exit_code == 2
    assert "queue, timeline" in refused.stderr


def test_errors_are_json_too_where_json_was_asked_for(tmp_path: Path) -> None:
    words = ["list", "--home", str(tmp_path), "--json"]

    refused = CliRunner().invoke(parked, words)

    assert "make up" in json.loads(refused.stdout)["error"]


def test_without_a_desk_it_says_how_to_start_one(tmp_path: Path) -> None:
    refused = CliRunner().invoke(parked, ["list", "--home", str(tmp_path)])

    assert refused.exit_code == 3
    assert "make up" in refused.stderr
