"""Three nats-servers, each killed in turn under load: nothing is lost, nothing undone.

The short form is part of `make test`, the long one is `make faults`.
"""

import asyncio
import os
from collections.abc import Iterator
from random import Random
from threading import Event

import psycopg
import pytest
from nats.aio.client import Client

from shared.messaging import subjects
from shared.messaging.streams import provision, signals_stream
from tests.support.desks.running import TWIN, Setting, running_desk
from tests.support.faults.bus_load import BusLoad
from tests.support.faults.load import Load
from tests.support.faults.verdict import assert_books_balance
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.nats_cluster import (
    SIZE,
    STREAMS,
    NatsCluster,
    running_cluster,
)
from tests.support.servers.servers import Database

pytestmark = [
    pytest.mark.servers,
    # nats-py leaves a socket behind when a server dies while it connects.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TURNS = 4 if os.environ.get("FAULTS") == "long" else 1
SEED = int(os.environ.get("FAULTS_SEED", "20250630"))
PROCESSES = ("intake", f"intake{TWIN}", "sla_watcher", "escalation", "projections")
THREE = Setting(environment={"PERMANENCE_NATS_REPLICAS": "3"})


@pytest.fixture
def cluster() -> Iterator[NatsCluster]:
    with reachable_folder() as folder, running_cluster(folder) as cluster:
        yield cluster


def test_each_server_may_die_and_nothing_is_lost(cluster: NatsCluster) -> None:
    random = Random(SEED)  # noqa: S311 # a game, to be played again
    with (
        reachable_folder() as folder,
        running_desk(
            folder, durable=True, start=PROCESSES, setting=THREE, nats=cluster
        ) as desk,
    ):
        until(cluster.whole, "intake made its streams on three servers")
        load, bus_load = Load(desk, SEED), BusLoad(cluster.bus.url("admin"))
        load.start()
        bus_load.start()
        for member in cluster.members * TURNS:
            Event().wait(random.uniform(0.5, 1.5))
            member.kill()
            Event().wait(random.uniform(0.5, 3.0))
            member.start().wait()
            until(cluster.whole, "the server that was killed has caught up")
        accepted, promised = bus_load.finish(), load.finish()
        desk.wait_ready(PROCESSES)

        assert accepted
        assert promised.commands
        until(
            lambda: set(accepted) <= seen(desk.database),
            "every signal that JetStream acknowledged is in the log",
        )
        promised.opened |= dict.fromkeys(accepted, "an incident of its own")
        assert_books_balance(desk, promised)
        assert asyncio.run(copies(cluster)) == [SIZE, SIZE]
        for name in PROCESSES:
            assert "Traceback" not in desk.output(name), desk.output(name)[-4000:]


def test_copies_that_an_operator_ordered_stay_until_others_are_ordered(
    cluster: NatsCluster,
) -> None:
    async def scenario(client: Client) -> None:
        jetstream = client.jetstream(timeout=SECONDS)
        await provision(jetstream)
        assert await copies(cluster) == [1, 1]
        for stream in (*STREAMS, subjects.LAST_SEEN_STREAM):
            held = (await jetstream.stream_info(stream)).config
            await jetstream.update_stream(held.evolve(num_replicas=3))
        assert await provision(jetstream) == []
        await jetstream.update_stream(signals_stream(3).evolve(max_msgs=2))
        assert await provision(jetstream) == ["changed stream DESK_SIGNALS: max_msgs"]
        assert await copies(cluster) == [3, 3]
        assert await provision(jetstream, 3) == []
        await provision(jetstream, 1)
        assert await copies(cluster) == [1, 1]

    async def main() -> None:
        async with connected_to(cluster.bus.url("intake")) as client:
            await scenario(client)

    asyncio.run(main())


async def copies(cluster: NatsCluster) -> list[int | None]:
    """Return how many servers are to keep each of our streams."""
    async with connected_to(cluster.bus.url("admin")) as client:
        jetstream = client.jetstream(timeout=SECONDS)
        infos = [await jetstream.stream_info(stream) for stream in STREAMS]
    return [info.config.num_replicas for info in infos]


def seen(database: Database) -> set[str]:
    """Return the ids of all signals that intake has committed."""
    with psycopg.connect(database.owner_dsn) as connection:
        return {
            i for (i,) in connection.execute("SELECT event_id FROM intake.requests")
        }
