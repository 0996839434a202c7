"""The servers every other test leans on."""

import asyncio
import os
from pathlib import Path

import psycopg
import pytest

from standalone.nats import Bus
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import Database, PostgresServer

pytestmark = pytest.mark.servers


def test_a_database_is_migrated_and_empty(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        row = connection.execute("SELECT count(*) FROM public.migrations").fetchone()

    assert row
    assert row[0] > 0


def test_each_role_logs_in_with_its_own_password(database: Database) -> None:
    with psycopg.connect(database.dsn("desk_intake")) as connection:
        row = connection.execute("SELECT current_user").fetchone()

    assert row == ("desk_intake",)


def test_nobody_comes_in_without_a_password(postgres_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(postgres_server.cluster.dsn("postgres", password="guess"))


def test_postgresql_never_runs_as_root(postgres_server: PostgresServer) -> None:
    assert Path(f"/proc/{postgres_server.pid}").stat().st_uid != 0
    assert os.getpgid(postgres_server.pid) == postgres_server.pid


def test_a_stream_made_by_one_test_is_gone_in_the_next(bus: Bus) -> None:
    async def names_after_making_one() -> int:
        async with connected_to(bus.url("intake")) as client:
            jetstream = client.jetstream()
            before = len(await jetstream.streams_info())
            await jetstream.add_stream(name="LEFTOVER", subjects=["desk.event.>"])
            return before

    assert asyncio.run(names_after_making_one()) == 0


test_a_stream_made_by_another_test_is_gone = (
    test_a_stream_made_by_one_test_is_gone_in_the_next
)
