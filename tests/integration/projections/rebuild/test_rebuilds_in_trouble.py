"""Whatever goes wrong with a rebuild, the live one stays, and it can be repeated."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from typing import Any

import psutil
import psycopg
import pytest

from services.projections.generations import ReadModel, as_of, create
from services.projections.rebuild.builder import Busy, builder
from services.projections.rebuild.fold import chunks
from services.projections.rebuild.load import catch_up
from services.projections.rebuild.rebuild import Rebuilt, ensure, rebuild
from services.projections.rebuild.worker import Task, WorkerFailed, fold_in_processes
from shared.clock import real_clock
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
    with psycopg.connect(database.owner_dsn) as breaking:
        breaking.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
        breaking.execute(
            "UPDATE log.events SET state = '{' WHERE originator_id = %s"
            " AND originator_version = 2",
            (stream,),
        )
    followed(database, model, log)

    done = rebuilt(database, model)

    assert done.same is True
    assert done.parked == 1
    with log.transaction() as cursor:
        parked = cursor.execute(
            f"SELECT DISTINCT stream FROM {done.schema}.parked"
        ).fetchall()
    assert parked == [(stream,)]


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
    followed(database, QUEUE, log)
    with builder(database.dsn("desk_projections"), MASTER, QUEUE) as own:
        with own.connection.transaction():
            schema = create(own.cursor, QUEUE)
        task = Task(own.source.dsn, MASTER, "queue", schema, 300)
        folding = fold_in_processes(task, chunks(own.cursor, 20), 2)
        next(folding)
        folding.close()

    assert not list(filter(_folds, psutil.Process().children(recursive=True)))


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


def test_a_build_given_up_anywhere_leaves_the_live_one_and_can_be_repeated(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(200)))
    live = followed(database, QUEUE, log)
    said = digest_of(log, QUEUE, live)
    stages: list[str] = []

    class PulledTheCordError(Exception):
        pass

    def given_up_at(number: int) -> Callable[[str, int, int], None]:
        def told(stage: str, _done: int, _of: int) -> None:
            stages.append(stage)
            if len(stages) == number:
                raise PulledTheCordError

        return told

    number = 0
    while True:
        number += 1
        stages.clear()
        try:
            with builder(database.dsn("desk_projections"), MASTER, QUEUE) as own:
                rebuild(own, real_clock, given_up_at(number))
            break
        except PulledTheCordError:
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
