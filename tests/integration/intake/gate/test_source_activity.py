"""What each source did, with which keys, is shown: on a real database."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from shared.security.access import revoke
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept, through
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        yield made


def test_two_keys_of_one_source_live_beside_each_other_while_one_is_changed(
    desk: Gatekept,
) -> None:
    desk.keys["next"] = desk.key("source:demo", "source")

    async def scenario(doors: Doors) -> None:
        for who in ("demo", "next"):
            assert (await doors.post(who=who)).status_code == 202
        await asyncio.to_thread(doors.parts.gate.activity.keep)
        keys = (await doors.get("/v1/sources/demo")).json()["keys"]
        assert [key["state"] for key in keys] == ["living", "living"]
        assert all(key["last_used"] for key in keys)

        def revoke_the_old() -> None:
            with desk.owner() as log, log.transaction() as cursor:
                assert revoke(cursor, desk.keys["demo"].split("_")[1], desk.times.now)

        await asyncio.to_thread(revoke_the_old)

    async def after(doors: Doors) -> None:
        assert (await doors.post(who="demo")).status_code == 401
        assert (await doors.post(who="next")).status_code == 202

    through(desk, scenario)
    through(desk, after)


def test_a_source_is_shown_with_what_it_did(desk: Gatekept) -> None:
    desk.rule("rate: {per_second: 4, burst: 4}")

    async def scenario(doors: Doors) -> None:
        good = {"action": "trigger", "title": "x"}
        assert (await doors.post(body=[good, good, {"title": "y"}])).is_success
        assert (await doors.post()).is_success
        assert not (await doors.post()).is_success
        await asyncio.to_thread(doors.parts.gate.activity.keep)

        shown = (await doors.get("/v1/sources/demo")).json()
        assert shown["type"] == "native"
        assert shown["last_seen"] == "2025-06-30T08:00:00Z"
        hour = shown["last_hour"]
        assert (hour["accepted"], hour["duplicates"], hour["rejected"]) == (2, 1, 1)
        assert (hour["refused"], hour["error_rate"]) == (1, 0.4)
        assert shown["limits"][0]["remaining"] == 0
        listed = (await doors.get("/v1/sources")).json()["items"]
        assert [item["name"] for item in listed] == ["demo", "prometheus"]
        assert listed[0] == shown

        desk.times.now += timedelta(hours=2)
        later = (await doors.get("/v1/sources/demo", who="agent")).json()
        assert later["last_hour"]["error_rate"] is None
        assert later["last_day"] == hour

    through(desk, scenario)


def test_a_source_sees_itself_and_no_other(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        async def asked(path: str, who: str) -> httpx.Response:
            return await doors.get(path, who)

        assert (await asked("/v1/sources/demo", "demo")).is_success
        assert (await asked("/v1/sources/prometheus", "demo")).status_code == 403
        assert (await asked("/v1/sources", "demo")).status_code == 403
        assert (await asked("/v1/sources", "nobody")).status_code == 401
        for nobody in ("nobody", "%00", "x" * 500):
            answer = await asked(f"/v1/sources/{nobody}", "agent")
            assert answer.status_code == 404

    through(desk, scenario)


def test_counts_that_could_not_be_written_are_written_later(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        tally = doors.parts.gate.tally
        tally.note("demo", "accepted", 2)
        taken = tally.take()
        tally.note("demo", "accepted")
        tally.give_back(taken)
        await asyncio.to_thread(doors.parts.gate.activity.keep)
        await asyncio.to_thread(doors.parts.gate.activity.keep)

        shown = (await doors.get("/v1/sources/demo")).json()
        assert shown["last_day"]["accepted"] == 3

    through(desk, scenario)
