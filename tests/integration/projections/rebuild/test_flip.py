"""Rebuilt and rolled back under a running service: it goes on, and loses nothing."""

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.projections.generations import ReadModel
from services.projections.read_models import MODELS
from services.projections.rebuild.builder import builder
from services.projections.rebuild.rebuild import rollback
from shared.clock import real_clock
from shared.domain.identifiers import incident_ref
from standalone.nats import Bus
from tests.support.builders.written_histories import digest_of, rebuilt
from tests.support.desks.api import MASTER, Api, serving
from tests.support.patience import until
from tests.support.servers.servers import Database
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

_ALL = "/v1/queues/all/incidents"

each = pytest.mark.parametrize("name", list(MODELS))


def _open(api: Api, *numbers: int) -> int:
    return api.happened(*(opened(incident_ref(number)) for number in numbers))


def _seen(api: Api, position: int) -> int:
    page = api.get(_ALL, min_position=position, limit=500)
    last = page["items"][-1]["ref"]
    told = api.get(f"/v1/incidents/{last}/timeline", min_position=position)
    assert told["items"]
    return len(page["items"])


def _live(api: Api, model: ReadModel[Any]) -> str:
    with api.log.transaction() as cursor:
        row = cursor.execute(
            "SELECT schema_name FROM rm.active WHERE name = %s", (model.name,)
        ).fetchone()
    assert row
    return str(row[0])


@each
def test_after_a_flip_the_service_follows_the_new_generation(
    api: Api, name: str
) -> None:
    model = MODELS[name]
    _seen(api, _open(api, 1, 2))

    done = rebuilt(api.database, model)
    position = _open(api, 3)

    assert done.same is True
    assert _seen(api, position) == 3
    assert _live(api, model) == done.schema
    assert rebuilt(api.database, model).same is True


@each
def test_after_going_back_the_service_follows_the_old_one_again(
    api: Api, name: str
) -> None:
    model = MODELS[name]
    _seen(api, _open(api, 1))
    rebuilt(api.database, model)
    _seen(api, _open(api, 2))

    with builder(api.database.dsn("desk_projections"), MASTER, model) as own:
        schema = rollback(own, real_clock)

    assert _seen(api, _open(api, 3)) == 3
    assert _live(api, model) == schema == f"rm_{name}_v1"


def test_rebuilds_under_load_are_the_same_each_time(api: Api) -> None:
    over = threading.Event()
    positions: list[int] = []

    def work() -> None:
        number = 0
        while not over.is_set():
            number += 1
            positions.append(_open(api, number))

    working = threading.Thread(target=work)
    working.start()
    try:
        results = [rebuilt(api.database, MODELS["queue"]) for _ in range(4)]
    finally:
        over.set()
        working.join()

    assert [done.same for done in results] == [True] * 4
    assert _seen(api, positions[-1]) == min(len(positions), 500)
    counts = api.get("/v1/queues")["items"][0]["counts"]
    assert counts["open"] == len(positions)


def test_the_old_generation_is_not_touched_after_the_flip(api: Api) -> None:
    model = MODELS["queue"]
    _seen(api, _open(api, 1))
    rebuilt(api.database, model)
    said = digest_of(api.log, model, "rm_queue_v1")

    _seen(api, _open(api, 2, 3))

    assert digest_of(api.log, model, "rm_queue_v1") == said


def test_two_services_follow_one_read_model_and_both_answer(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    with (
        serving(database, bus, tmp_path) as one,
        serving(database, bus, tmp_path) as other,
    ):
        position = _open(one, *range(1, 9))

        assert _seen(one, position) == _seen(other, position) == 8
        assert rebuilt(database, MODELS["queue"]).same is True
        position = _open(one, 9)
        assert _seen(one, position) == _seen(other, position) == 9


def test_what_a_newer_program_built_is_left_alone(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    with serving(database, bus, tmp_path) as api:
        _seen(api, _open(api, 1))
    with psycopg.connect(database.owner_dsn) as newer:
        newer.execute("UPDATE rm.active SET shape = 99 WHERE name = 'queue'")

    with serving(database, bus, tmp_path, built=False) as api:
        until(lambda: "newer program" in _health(api), "the follower has stopped")
        answer = api.call("GET", _ALL)

        assert api.call("GET", "/health/ready").status_code == 503
        assert answer.status_code == 503
        assert answer.json()["code"] == "not_built"
        assert _live(api, MODELS["queue"]) == "rm_queue_v1"


def _health(api: Api) -> str:
    return api.call("GET", "/health/ready").text


def test_what_an_older_program_built_is_built_anew(
    database: Database, bus: Bus, tmp_path: Path
) -> None:
    with serving(database, bus, tmp_path) as api:
        _seen(api, _open(api, 1))
    with psycopg.connect(database.owner_dsn) as older:
        older.execute("UPDATE rm.active SET shape = 0 WHERE name = 'queue'")
        older.execute("ALTER TABLE rm_queue_v1.incidents DROP COLUMN title")

    with serving(database, bus, tmp_path) as api:
        assert _seen(api, _open(api, 2)) == 2
        assert _live(api, MODELS["queue"]) == "rm_queue_v2"
