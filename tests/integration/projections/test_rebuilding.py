"""Thrown away and rebuilt, a read model says the same, and nobody is disturbed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Thread
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.projections.generations import as_of, find_live
from services.projections.read_model import ReadModel
from services.projections.rebuild.builder import Busy, builder
from services.projections.rebuild.catch_up import catch_up
from services.projections.rebuild.ensure import ensure
from services.projections.rebuild.rebuild import NoOther, Rebuilt, rebuild, rollback
from services.projections.rebuild.schemas import generations
from shared.clock import real_clock
from shared.entry import Entry
from shared.event_log import EventLog
from tests.support.busy_log import busy_log
from tests.support.desk import until
from tests.support.histories import histories
from tests.support.servers import Database, PostgresServer
from tests.support.written import (
    MASTER,
    QUEUE,
    TIMELINE,
    digest_of,
    followed,
    rebuilt,
    write,
)

pytestmark = pytest.mark.servers

both = pytest.mark.parametrize("model", [QUEUE, TIMELINE], ids=["queue", "timeline"])


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as opened_log:
        yield opened_log


def _schemas(log: EventLog, model: ReadModel[Any]) -> list[str]:
    with log.transaction() as cursor:
        return generations(cursor, model.name)


def _live(log: EventLog, model: ReadModel[Any]) -> str | None:
    with log.transaction() as cursor:
        found = find_live(cursor, model.name)
    return found.schema if found else None


@both
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=histories(size=60), part=st.floats(0, 1))
def test_a_rebuild_equals_what_was_followed_event_by_event(
    postgres_server: PostgresServer,
    model: ReadModel[Any],
    drawn: list[Entry],
    part: float,
) -> None:
    cut = round(part * len(drawn))
    database = postgres_server.fresh_database()
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        write(log, drawn[:cut])
        followed(database, model, log)
        write(log, drawn[cut:])
        live = followed(database, model, log)

        done = rebuilt(database, model)

        assert done.same is True
        assert done.flipped
        assert done.events == done.position == len(drawn)
        assert digest_of(log, model, live) == done.digest
    postgres_server.drop(database)


@both
def test_several_processes_fold_the_same_as_one_reader(
    database: Database, log: EventLog, model: ReadModel[Any]
) -> None:
    write(log, list(busy_log(1_500)))
    followed(database, model, log)

    done = rebuilt(database, model, chunk_events=200)

    assert done.same is True
    assert done.events == 1_500


@both
def test_a_first_build_of_a_full_log_equals_following_it(
    database: Database, log: EventLog, model: ReadModel[Any]
) -> None:
    write(log, list(busy_log(700)))

    schema = ensure(database.dsn("desk_projections"), MASTER, model, real_clock)

    assert digest_of(log, model, schema) == rebuilt(database, model).digest


def test_an_old_read_model_is_kept_for_going_back_and_older_ones_go(
    database: Database, log: EventLog
) -> None:
    write(log, [*busy_log(50)])
    followed(database, QUEUE, log)

    rebuilt(database, QUEUE)
    rebuilt(database, QUEUE)

    assert _live(log, QUEUE) == "rm_queue_v3"
    assert _schemas(log, QUEUE) == ["rm_queue_v2", "rm_queue_v3"]


def test_going_back_gives_the_generation_before_brought_up_to_now(
    database: Database, log: EventLog
) -> None:
    history = list(busy_log(80))
    write(log, history[:50])
    followed(database, QUEUE, log)
    now = rebuilt(database, QUEUE)
    write(log, history[50:])
    catch_up(log, QUEUE, now.schema, 80)

    with builder(database.dsn("desk_projections"), MASTER, QUEUE) as own:
        schema = rollback(own, real_clock)

    assert schema == _live(log, QUEUE) == "rm_queue_v1"
    assert digest_of(log, QUEUE, schema) == digest_of(log, QUEUE, now.schema)


def test_there_is_no_going_back_before_the_first_rebuild(
    database: Database, log: EventLog
) -> None:
    followed(database, QUEUE, log)

    with (
        builder(database.dsn("desk_projections"), MASTER, QUEUE) as own,
        pytest.raises(NoOther, match="no generation before"),
    ):
        rollback(own, real_clock)


def test_a_live_one_that_says_otherwise_is_found_out_and_stays_live(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(120)))
    live = followed(database, QUEUE, log)
    with psycopg.connect(database.owner_dsn) as tampering:
        tampering.execute(f"UPDATE {live}.incidents SET team = 'x' WHERE cycle = 1")

    done = rebuilt(database, QUEUE)

    assert done.same is False
    assert not done.flipped
    assert _live(log, QUEUE) == live


def test_a_wrong_count_alone_is_found_out_too(
    database: Database, log: EventLog
) -> None:
    write(log, list(busy_log(120)))
    live = followed(database, QUEUE, log)
    with psycopg.connect(database.owner_dsn) as tampering:
        tampering.execute(f"UPDATE {live}.counts SET n = n + 1 WHERE queue = 'all'")

    assert rebuilt(database, QUEUE).same is False
    assert rebuilt(database, QUEUE, accept=True).flipped
    assert rebuilt(database, QUEUE).same is True


def test_a_live_one_whose_reader_stands_still_is_compared_where_it_is(
    database: Database, log: EventLog
) -> None:
    history = list(busy_log(90))
    write(log, history[:60])
    followed(database, QUEUE, log)
    write(log, history[60:])

    done = rebuilt(database, QUEUE)

    assert done.same is True
    assert done.position == 90


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
    assert _schemas(log, QUEUE) == ["rm_queue_v1"]


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
                assert _live(log, QUEUE) == live
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
