"""Whatever goes wrong with a rebuild, the live one stays, and it can be repeated."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from threading import Thread
from typing import Any

import psutil
import psycopg
import pytest

from cli.rebuild import shows_words
from services.projections.generations import ReadModel, as_of, create
from services.projections.rebuild import load, worker
from services.projections.rebuild.builder import Busy, builder
from services.projections.rebuild.fold import chunks, fold
from services.projections.rebuild.load import ReportProgress, catch_up
from services.projections.rebuild.plan import Chunk, FoldCount, begin
from services.projections.rebuild.rebuild import GivenUp, Rebuilt, ensure, rebuild
from services.projections.rebuild.worker import (
    Task,
    WorkerFailed,
    WorkersEnded,
    fold_in_processes,
)
from shared.clock import real_clock
from shared.domain.identifiers import about
from shared.eventlog.log import EventLog
from tests.support.builders.busy_log import busy_log
from tests.support.builders.written_histories import (
    MASTER,
    QUEUE,
    TIMELINE,
    digest_of,
    followed,
    live_of,
    rebuilt,
    schemas_of,
    write,
)
from tests.support.patience import until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

both = pytest.mark.parametrize("model", [QUEUE, TIMELINE], ids=["queue", "timeline"])


@both
def test_what_cannot_be_applied_is_parked_as_the_reader_would(
    database: Database, log: EventLog, model: ReadModel[Any]
) -> None:
    entries = list(busy_log(60))
    write(log, entries)
    stream = entries[0].stream
    _damage(database, stream)
    followed(database, model, log)

    done = rebuilt(database, model)

    assert done.same is True
    assert done.parked == 1
    with log.transaction() as cursor:
        parked = cursor.execute(
            f"SELECT DISTINCT stream FROM {done.schema}.parked"
        ).fetchall()
    assert parked == [(stream,)]


def _damage(database: Database, stream: str, version: int = 2) -> None:
    with psycopg.connect(database.owner_dsn) as breaking:
        breaking.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
        breaking.execute(
            "UPDATE log.events SET state = '{' WHERE originator_id = %s"
            " AND originator_version = %s",
            (stream, version),
        )


def test_what_is_applied_while_the_flip_waits_is_in_the_new_one_too(
    database: Database, log: EventLog
) -> None:
    history = list(busy_log(90))
    write(log, history[:60])
    live = followed(database, QUEUE, log)
    results: list[Rebuilt] = []
    flipping = Thread(target=lambda: results.append(rebuilt(database, QUEUE)))

    with psycopg.connect(database.owner_dsn) as applying:  # as a follower does
        applying.execute("SELECT FROM rm.active WHERE name = 'queue' FOR SHARE")
        flipping.start()
        until(lambda: _somebody_waits_for_a_lock(database), "the flip waits")
        write(log, history[60:])
        catch_up(log, QUEUE, live, 90)
    flipping.join()

    assert results[0].position == 90
    assert results[0].digest == digest_of(log, QUEUE, live)


def _somebody_waits_for_a_lock(database: Database) -> bool:
    query = (
        "SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(database.owner_dsn) as watching:
        return watching.execute(query).rowcount > 0


def test_only_one_process_builds_at_a_time(database: Database, log: EventLog) -> None:
    dsn = database.dsn("desk_projections")
    followed(database, QUEUE, log)

    with (
        builder(dsn, MASTER, QUEUE),
        pytest.raises(Busy, match="another process"),
        builder(dsn, MASTER, QUEUE),
    ):
        pass
    assert rebuilt(database, QUEUE).flipped


def test_a_process_that_fails_ends_the_rebuild_with_a_sentence(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(300)))
    task = Task(database.dsn("desk_projections"), None, "queue", "rm_queue_v9", 300)
    with log.transaction() as cursor:
        parts = list(chunks(cursor, 50))

    with pytest.raises(WorkerFailed, match="nothing was changed"):
        list(fold_in_processes(task, iter(parts), 2))


def test_a_rebuild_whose_reader_goes_away_ends_its_processes(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(300)))
    with begun(database, log, 20) as (task, parts):
        folding = fold_in_processes(task, iter(parts), 2)
        next(folding)
        folding.close()

    assert not _processes()


def test_a_process_that_is_killed_is_replaced_and_its_part_folded_once(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(300)))
    with begun(database, log, 20) as (task, parts):
        folding = fold_in_processes(task, iter(parts), 2)
        sizes = [next(folding)]
        for process in _processes():
            with suppress(psutil.NoSuchProcess):  # it has done its last part
                process.kill()
        sizes += folding
        with log.transaction() as cursor:
            rows = cursor.execute(f"SELECT count(*) FROM {task.schema}.incidents")
            incidents = {about(row.stream) for row in log.rows_since(0, 1_000)}
            assert rows.fetchone() == (len(incidents),)

    assert sum(size.events for size in sizes) == 300


def test_processes_that_end_again_and_again_end_the_build(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WORKER", (sys.executable, "-c", ""))
    write(log, list(busy_log(30)))

    with (
        begun(database, log, 20) as (task, parts),
        pytest.raises(WorkersEnded, match="3 processes"),
    ):
        list(fold_in_processes(task, iter(parts), 2))


@contextmanager
def begun(
    database: Database, log: EventLog, events: int
) -> Iterator[tuple[Task, Sequence[Chunk]]]:
    """Begin a build of the queue in parts of about so many events."""
    (last,) = log.rows_since(log.head().position - 1, 1)
    with builder(database.dsn("desk_projections"), MASTER, QUEUE) as own:
        parts = list(chunks(own.cursor, events))
        with own.connection.transaction():
            schema = create(own.cursor, QUEUE)
            begin(own.cursor, QUEUE, schema, last, parts)
        yield Task(own.source.dsn, MASTER, "queue", schema, last.position), parts


def _processes() -> list[psutil.Process]:
    return list(filter(_folds, psutil.Process().children(recursive=True)))


def _folds(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # others come and go: PostgreSQL's, say
        return "rebuild.worker" in " ".join(process.cmdline())
    return False


def test_a_service_that_starts_during_a_rebuild_does_not_wait_for_it(
    database: Database, log: EventLog
) -> None:
    dsn = database.dsn("desk_projections")
    live = followed(database, QUEUE, log)

    with builder(dsn, MASTER, QUEUE):
        assert ensure(dsn, MASTER, QUEUE, real_clock) == live


def test_services_that_start_together_build_one_generation(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(100)))
    dsn = database.dsn("desk_projections")

    with ThreadPoolExecutor(4) as threads:
        starting = [
            threads.submit(ensure, dsn, MASTER, QUEUE, real_clock) for _ in range(4)
        ]

    assert {each.result() for each in starting} == {"rm_queue_v1"}
    assert schemas_of(log, QUEUE) == ["rm_queue_v1"]


def given_up_at(number: int, stages: list[str]) -> ReportProgress:
    """Give up at the report of this number."""

    def told(stage: str, _done: int, _of: int) -> None:
        stages.append(stage)
        if len(stages) == number:
            raise GivenUp

    return told


def test_a_first_build_given_up_anywhere_is_taken_up_where_it_was(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log, list(busy_log(200)))
    dsn, folds = database.dsn("desk_projections"), []

    def counted(*given: Any) -> FoldCount:
        done = fold(*given)
        folds.append(done)
        return done

    monkeypatch.setattr(load, "fold", counted)
    for number in count(1):
        try:
            live = ensure(dsn, MASTER, QUEUE, real_clock, given_up_at(number, []))
            break
        except GivenUp:
            assert live_of(log, QUEUE) is None or number > 10, "not after the flip"
            assert schemas_of(log, QUEUE) == ["rm_queue_v1"] or number == 1

    assert number > 10
    assert live == "rm_queue_v1"
    assert sum(done.events for done in folds) == 200, "each part once"
    assert rebuilt(database, QUEUE).same is True


def test_a_build_interrupted_after_it_had_caught_up_does_not_go_back(
    database: Database, log: EventLog
) -> None:
    """What it parked then would be parked twice."""
    history = list(busy_log(90))
    write(log, history[:60])
    dsn = database.dsn("desk_projections")
    with suppress(GivenUp):
        ensure(dsn, MASTER, QUEUE, real_clock, given_up_at(3, []))
    assert shows_words(database.owner_dsn), "it has words that may have to be forgotten"
    write(log, history[60:])
    _damage(database, history[60].stream, history[60].version)
    stages: list[str] = []

    def after_catching_up(stage: str, done: int, of: int) -> None:
        stages.append(stage)
        if stage == "catch_up" and done == of:
            raise GivenUp

    with pytest.raises(GivenUp):
        ensure(dsn, MASTER, QUEUE, real_clock, after_catching_up)
    ensure(dsn, MASTER, QUEUE, real_clock)

    assert "catch_up" in stages
    assert rebuilt(database, QUEUE).same is True


def test_a_build_that_failed_for_good_is_begun_from_the_beginning(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(60)))
    dsn = database.dsn("desk_projections")

    def fails(stage: str, _done: int, _of: int) -> None:
        if stage == "index":
            raise LookupError

    with pytest.raises(LookupError):
        ensure(dsn, MASTER, QUEUE, real_clock, fails)

    assert schemas_of(log, QUEUE) == []
    ensure(dsn, MASTER, QUEUE, real_clock)
    assert rebuilt(database, QUEUE).same is True


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rm_queue_v1.build SET shape = shape - 1",
        "UPDATE rm_queue_v1.build SET chain = 'another log'",
        "UPDATE rm_queue_v1.build SET skipped = '1/7'",
        "DROP TABLE rm_queue_v1.build",
    ],
)
def test_a_build_of_another_shape_or_log_is_begun_from_the_beginning(
    database: Database, log: EventLog, change: str
) -> None:
    write(log, list(busy_log(60)))
    dsn = database.dsn("desk_projections")
    with suppress(GivenUp):
        ensure(dsn, MASTER, QUEUE, real_clock, given_up_at(3, []))
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE rm_queue_v1.of_the_first ()")
        connection.execute(change)

    live = ensure(dsn, MASTER, QUEUE, real_clock)

    with log.transaction() as cursor:
        first = cursor.execute("SELECT to_regclass(%s)", (f"{live}.of_the_first",))
        assert first.fetchone() == (None,)
    assert rebuilt(database, QUEUE).same is True


def test_a_build_given_up_anywhere_leaves_the_live_one_and_can_be_repeated(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(200)))
    live = followed(database, QUEUE, log)
    said = digest_of(log, QUEUE, live)
    stages: list[str] = []

    number = 0
    while True:
        number += 1
        stages.clear()
        try:
            with builder(database.dsn("desk_projections"), MASTER, QUEUE) as own:
                rebuild(own, real_clock, given_up_at(number, stages))
            break
        except GivenUp:
            if stages[-1] != "compare" or stages.count("compare") < 2:
                assert live_of(log, QUEUE) == live
                assert digest_of(log, QUEUE, live) == said

    assert number > 10
    assert rebuilt(database, QUEUE).same is True


def test_the_service_may_make_no_other_schema(database: Database) -> None:
    with (
        psycopg.connect(database.dsn("desk_projections")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE SCHEMA mine")


def test_the_live_generation_cannot_be_dropped(
    database: Database, log: EventLog
) -> None:
    live = followed(database, QUEUE, log)

    with (
        psycopg.connect(database.dsn("desk_projections")) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="is live"),
    ):
        connection.execute("SELECT rm.drop_generation(%s)", (live,))


def test_an_unfinished_generation_is_no_position_behind(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(30)))
    live = followed(database, QUEUE, log)

    with log.transaction() as cursor:
        assert as_of(cursor, live).position == 30
