"""`permanence parked`: what read models set aside is listed, and applied later."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from shared.eventlog.log import EventLog
from tests.support.builders.busy_log import busy_log
from tests.support.builders.written_histories import (
    MASTER,
    QUEUE,
    TIMELINE,
    followed,
    rebuilt,
    write,
)
from tests.support.command_line import Ran, permanence
from tests.support.desks.projections import projecting
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as opened_log:
        yield opened_log


def run(database: Database, *words: str, role: str | None = None) -> Ran:
    url = database.dsn(role) if role else database.owner_dsn
    if words[0] in ("retry", "skip") and "--wait" not in words:
        words = (*words, "--wait", str(SECONDS))
    return permanence("parked", *words, env={"DATABASE_URL": url, "COLUMNS": "200"})


class Broken:
    """An event of a stream, the second, which cannot be read until it is mended."""

    def __init__(self, database: Database, stream: str, version: int = 2) -> None:
        self._dsn = database.owner_dsn
        self._stream = stream
        self._version = version
        self._state = self._set(b"{")

    def mend(self) -> None:
        """Make it as it was."""
        self._set(self._state)

    def _set(self, state: bytes) -> bytes:
        of = f"WHERE originator_id = %s AND originator_version = {self._version}"
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
    database: Database, log: EventLog
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    waiting = [e.position for e in entries if e.stream == stream][1:]
    broken = Broken(database, stream)
    followed(database, QUEUE, log)

    (listed,) = run(database, "list", "--json").items
    with projecting(database, QUEUE):
        still = run(database, "retry")
        broken.mend()
        done = run(database, "retry", stream, "--json")

    assert (listed["reader"], listed["stream"]) == ("queue", stream)
    assert (listed["position"], listed["events"]) == (waiting[0], len(waiting))
    assert still.code == 1, still.err
    assert "still parked" in still.out
    assert done.code == 0
    assert done.items == [
        {
            "reader": "queue",
            "stream": stream,
            "outcome": "applied",
            "events": len(waiting),
        }
    ]
    assert "Nothing is parked." in run(database, "list").out
    assert rebuilt(database, QUEUE).same is True


def test_the_first_event_is_skipped_and_those_behind_it_applied(
    database: Database, log: EventLog
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    waiting = [e.position for e in entries if e.stream == stream][1:]
    Broken(database, stream)
    live = followed(database, TIMELINE, log)
    words = ("skip", stream, "--reader", "timeline", "--reason", "A bad record.")

    with projecting(database, TIMELINE):
        done = run(database, *words, "--by", "ann", "--json", role="desk_admin")

    assert done.code == 0, done.out
    assert done.items == [
        {
            "reader": "timeline",
            "stream": stream,
            "outcome": "skipped",
            "skipped": 1,
            "events": len(waiting) - 1,
        }
    ]
    assert run(database, "list", "--json").out == ""
    (record,) = run(database, "skipped", "--json").items
    assert (record["position"], record["stream"]) == (waiting[0], stream)
    assert (record["skipped_by"], record["role"]) == ("ann", "desk_admin")
    assert record["reason"] == "A bad record."
    assert record["error"]
    assert "A bad record." in run(database, "skipped", "--reader", "timeline").out
    shown = f"SELECT position FROM {live}.lines WHERE position = ANY(%s)"
    with psycopg.connect(database.owner_dsn) as connection:
        rows = connection.execute(shown, (waiting,)).fetchall()
    assert waiting[0] not in {position for (position,) in rows}


def test_what_is_skipped_is_skipped_by_a_rebuild_too(
    database: Database, log: EventLog
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    Broken(database, stream)
    followed(database, QUEUE, log)

    with projecting(database, QUEUE):
        run(database, "skip", stream, "--reader", "queue", "--reason", "Bad.")

    done = rebuilt(database, QUEUE)
    assert (done.same, done.parked) == (True, 0)


def test_all_that_waits_may_be_skipped(database: Database, log: EventLog) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    waiting = [e.position for e in entries if e.stream == stream][1:]
    Broken(database, stream)
    followed(database, QUEUE, log)
    words = ("skip", stream, "--reader", "queue", "--all", "--reason", "Not ours.")

    with projecting(database, QUEUE):
        done = run(database, *words)

    assert done.code == 0, done.out
    assert f"{len(waiting)} events of {stream} skipped" in done.out
    recorded = run(database, "skipped", "--json").items
    assert sorted(each["position"] for each in recorded) == waiting


def test_behind_a_skipped_event_may_be_another_that_cannot_be_applied(
    database: Database, log: EventLog
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    waiting = [e.position for e in entries if e.stream == stream][1:]
    Broken(database, stream, 2)
    Broken(database, stream, 3)
    followed(database, QUEUE, log)
    words = ("skip", stream, "--reader", "queue", "--reason", "A bad record.")

    with projecting(database, QUEUE):
        first = run(database, *words)
        (left,) = run(database, "list", "--json").items
        second = run(database, *words)

    assert first.code == 1
    assert "1 event of" in first.out
    assert "still parked" in first.out
    assert (left["position"], left["events"]) == (waiting[1], len(waiting) - 1)
    assert "behind" not in left["error"]
    assert second.code == 0, second.out


def test_what_is_asked_while_nobody_reads_is_done_once_somebody_does(
    database: Database, log: EventLog
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    broken = Broken(database, entries[0].stream)
    followed(database, QUEUE, log)
    broken.mend()

    asked = [run(database, "retry", "--wait", "0", "--json") for _ in range(2)]
    other = run(
        database,
        *("skip", entries[0].stream, "--reader", "queue", "--reason", "Another."),
    )
    with projecting(database, QUEUE):
        until(lambda: nothing_parked(database), "nothing is parked")

    assert [each.code for each in asked] == [3, 3]
    assert asked[0].items[0]["outcome"] == "waiting"
    assert other.code == 4
    assert "something else is asked" in other.out


def test_a_stream_that_is_not_parked_cannot_be_skipped(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(10)))
    followed(database, QUEUE, log)

    done = run(database, "skip", "INC-000001", "--reader", "queue", "--reason", "x")

    assert done.code == 2
    assert "parked list" in done.err


def nothing_parked(database: Database) -> bool:
    return "Nothing is parked." in run(database, "list").out


def test_a_skip_takes_a_reason(database: Database) -> None:
    words = ("skip", "incident-INC-000001", "--reader", "queue", "--reason", " ")

    refused = run(database, *words)

    assert refused.code == 2
    assert "--reason" in refused.err


def test_an_auditor_sees_what_is_parked_and_may_ask_nothing(
    database: Database, log: EventLog
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    Broken(database, entries[0].stream)
    followed(database, QUEUE, log)

    listed = run(database, "list", role="desk_auditor")
    asked = run(database, "retry", role="desk_auditor")

    assert entries[0].stream in listed.out
    assert asked.code == 3
    assert "permission denied" in asked.err


def test_an_unknown_reader_is_refused_with_the_names_there_are(
    database: Database,
) -> None:
    refused = run(database, "list", "--reader", "tickets")

    assert refused.code == 2
    assert "queue, timeline" in refused.err


def test_errors_are_json_too_where_json_was_asked_for(tmp_path: Path) -> None:
    words = ["list", "--home", str(tmp_path), "--json"]

    refused = permanence("parked", *words, env={"DATABASE_URL": None})

    assert "make up" in refused.plain["error"]


def test_without_a_desk_it_says_how_to_start_one(tmp_path: Path) -> None:
    refused = permanence(
        "parked", "list", "--home", tmp_path, env={"DATABASE_URL": None}
    )

    assert refused.code == 3
    assert "make up" in refused.err
