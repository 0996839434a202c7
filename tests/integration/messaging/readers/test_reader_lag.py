"""A reader's lag is asked of the log, not of the reader."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import Clock, real_clock
from shared.database.cursors import Cursors
from shared.eventlog.readers.probe import reader_probe
from shared.eventlog.readers.reader import Reader
from shared.eventlog.readers.status import BuildProgress, ReaderStatus
from tests.support.desks.follower import Desk, Entries, apply, reading
from tests.support.patience import SECONDS, eventually

pytestmark = pytest.mark.servers


def late(seconds: float) -> Clock:
    return lambda: real_clock() + timedelta(seconds=seconds)


def test_a_reader_at_the_end_of_the_log_is_ready(desk: Desk) -> None:
    async def scenario() -> None:
        desk.happen(1, 2)
        async with reading(desk) as reader:
            await eventually(lambda: desk.tracked() == 2)
            await eventually(lambda: reader.status.state == "polling")
            check = await reader_probe(reader.status, desk.readers_log, late(600))()
            assert check.ready
            assert check.numbers["lag_events"] == 0
            assert check.numbers["lag_seconds"] == 0
            assert check.numbers["position"] == 2
            assert check.numbers["applied_total"] == 2

    asyncio.run(scenario())


def test_a_reader_whose_tables_are_built_says_how_far_that_is(desk: Desk) -> None:
    async def scenario() -> None:
        status = ReaderStatus("queue")
        probe = reader_probe(status, desk.readers_log, real_clock, moves=lambda _: 7)
        status.builds(BuildProgress(0, "reading the log", 1_200, 60_000))
        check = await probe()
        assert not check.ready
        assert check.words["state"] == "building"
        assert check.words["why"] == "reading the log: 1,200 of 60,000"
        assert check.numbers["build_done"] == 1_200
        assert check.numbers["build_of"] == 60_000
        assert check.numbers["build_moves"] == 7

        status.state, status.why = "stopped", "the disk is full"
        assert (await probe()).words["why"] == "the disk is full"

        status.goes_on("live")
        check = await probe()
        assert check.ready
        assert "build_of" not in check.numbers

    asyncio.run(scenario())


def test_a_reader_that_hangs_is_unready_by_the_age_of_what_it_did_not_do(
    desk: Desk,
) -> None:
    hanging, wake = threading.Event(), threading.Event()

    def hang(cursor: Cursors, entries: Entries) -> None:
        if desk.tracked():
            hanging.set()
            assert wake.wait(SECONDS)
        apply(cursor, entries)

    async def scenario() -> None:
        desk.happen(1)
        async with reading(desk, apply=hang) as reader:
            await eventually(lambda: reader.status.state == "polling")
            desk.happen(1, 2, 3)
            await eventually(hanging.is_set)
            try:
                now = await reader_probe(reader.status, desk.readers_log, late(0))()
                later = await reader_probe(reader.status, desk.readers_log, late(31))()
            finally:
                wake.set()
            assert now.numbers["lag_events"] == later.numbers["lag_events"] == 3
            assert later.numbers["lag_seconds"] >= 31
            assert now.ready
            assert not later.ready

    asyncio.run(scenario())


def test_a_reader_that_stopped_is_unready_and_says_why(desk: Desk) -> None:
    async def scenario(reader: Reader) -> None:
        reader.status.state, reader.status.why = "stopped", "too much is parked"
        tracked = replace(reader.status.tracked, parked_streams=2)
        reader.status.tracked = tracked
        check = await reader_probe(reader.status, desk.readers_log, real_clock)()
        assert not check.ready
        assert check.words["why"] == "too much is parked"
        assert f"parked by {reader.status.name}: 2" in check.alarm

    async def made() -> None:
        async with reading(desk) as reader:
            await eventually(lambda: reader.status.state == "polling")
        await scenario(reader)

    asyncio.run(made())
