"""Thrown away and rebuilt, a read model says the same, and nobody is disturbed."""

from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.generations import ReadModel
from services.projections.rebuild import load
from services.projections.rebuild.builder import builder
from services.projections.rebuild.fold import STREAMS, chunks
from services.projections.rebuild.load import catch_up
from services.projections.rebuild.plan import Chunk
from services.projections.rebuild.rebuild import NoEarlierGeneration, ensure, rollback
from shared.clock import real_clock
from shared.database.cursors import Cursors
from shared.domain.identifiers import about
from shared.eventlog.entry import Entry
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
from tests.support.examples import examples_with_servers
from tests.support.servers.servers import Database, PostgresServer
from tests.support.strategies.interleaved_streams import stories

pytestmark = pytest.mark.servers

both = pytest.mark.parametrize("model", [QUEUE, TIMELINE], ids=["queue", "timeline"])


@both
@examples_with_servers(20)
@given(drawn=stories(size=60), part=st.floats(0, 1))
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

        done = rebuilt(database, model, chunk_events=len(drawn) // 3)

        assert done.same is True
        assert done.flipped
        assert done.events == done.position == len(drawn)
        assert digest_of(log, model, live) == done.digest
    postgres_server.drop(database)


def test_streams_about_one_incident_are_in_one_part(log: EventLog) -> None:
    own = list(busy_log(400))
    opening = [entry for entry in own if entry.version == 1]
    others = [
        replace(entry, stream=entry.stream.replace("incident", kind))
        for kind in ("sla", "handover", "problem", "zones")
        for entry in opening
    ]
    write(log, [*own, *others])

    with log.transaction() as cursor:
        parts = [_streams_in(cursor, part) for part in chunks(cursor, 30)]

    everywhere = sorted(chain.from_iterable(parts))
    by_part = [{about(stream) or stream for stream in part} for part in parts]
    assert len(parts) > 6
    assert everywhere == sorted({entry.stream for entry in (*own, *others)})
    assert sum(map(len, by_part)) == len(set().union(*by_part))


def _streams_in(cursor: Cursors, part: Chunk) -> list[str]:
    given = (list(part.kinds), part.after, part.last, 10**9)
    return sorted({row[1] for row in cursor.execute(STREAMS, given).fetchall()})


@both
def test_several_processes_fold_the_same_as_one_reader(
    database: Database, log: EventLog, model: ReadModel[Any]
) -> None:
    write(log, list(busy_log(1_500)))
    followed(database, model, log)

    done = rebuilt(database, model, chunk_events=200)

    assert done.same is True
    assert done.events == 1_500


def test_a_log_of_few_events_and_many_kinds_is_folded_without_processes(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = [entry for entry in busy_log(100) if entry.version == 1]
    problems = [
        replace(entry, stream=entry.stream.replace("incident", "problem"))
        for entry in opening[1::2]
    ]
    write(log, [*opening[::2], *problems])
    live = followed(database, QUEUE, log)
    monkeypatch.delattr(load, "fold_in_processes")

    with log.transaction() as cursor:
        assert len(list(chunks(cursor, 100))) > 1
    done = rebuilt(database, QUEUE, chunk_events=log.head().position)

    assert done.same is True
    assert digest_of(log, QUEUE, live) == done.digest


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

    assert live_of(log, QUEUE) == "rm_queue_v3"
    assert schemas_of(log, QUEUE) == ["rm_queue_v2", "rm_queue_v3"]


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

    assert schema == live_of(log, QUEUE) == "rm_queue_v1"
    assert digest_of(log, QUEUE, schema) == digest_of(log, QUEUE, now.schema)


def test_there_is_no_going_back_before_the_first_rebuild(
    database: Database, log: EventLog
) -> None:
    followed(database, QUEUE, log)

    with (
        builder(database.dsn("desk_projections"), MASTER, QUEUE) as own,
        pytest.raises(NoEarlierGeneration, match="no generation before"),
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
    assert live_of(log, QUEUE) == live


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
