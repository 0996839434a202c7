"""Wrong keys without end: told to wait, while good ones from there come in."""

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from services.intake.assembly import WorkerConfig
from shared.http.networks import networks
from shared.http.wrong_keys import WRONG_KEYS
from shared.security.access import REMEMBERED_SECONDS, new_token
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept, through
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

REFUSED = "permanence_refused_total"
BURST = int(WRONG_KEYS.burst)


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        yield made


async def guesses(doors: Doors, times: int, who: str = "pmn_wrong") -> list[int]:
    return [(await doors.post(who=who)).status_code for _ in range(times)]


def test_wrong_keys_without_end_are_told_to_wait_and_counted(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        with capture_logs() as logs:
            said = await guesses(doors, BURST + 3)
            refused = await doors.post(who=new_token().token)

        assert said == [401] * BURST + [429] * 3
        assert refused.status_code == 429
        assert refused.json()["code"] == "guessing"
        assert refused.headers["retry-after"] == "5"
        assert doors.counted(REFUSED, source="others", why="key") == BURST
        assert doors.counted(REFUSED, source="others", why="guessing") == 4
        told = [line for line in logs if line["event"] == "keys.guessed"]
        assert [line["address"] for line in told] == ["192.0.2.9"]

    through(desk, scenario)


def test_a_good_key_from_the_same_address_comes_in_all_the_same(
    desk: Gatekept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_KEY", "a key that somebody wrote down")
    desk.rule('key: "env:DEMO_KEY"')

    async def scenario(doors: Doors) -> None:
        await guesses(doors, BURST + 1)

        for _ in range(2):
            assert (await doors.post()).status_code == 202
        assert (
            await doors.post(who="a key that somebody wrote down")
        ).status_code == 202
        fresh = await asyncio.to_thread(desk.key, "source:demo", "source")
        desk.times.seconds += REMEMBERED_SECONDS + 1
        await guesses(doors, BURST)
        assert (await doors.post(who=fresh)).status_code == 202
        assert (await guesses(doors, 1)) == [429]

    through(desk, scenario)


def test_a_key_that_is_not_good_any_more_is_a_wrong_one(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        good = doors.keys["demo"]
        gone = good[:-1] + ("B" if good.endswith("A") else "A")
        assert await guesses(doors, BURST, gone) == [401] * BURST
        assert await guesses(doors, 1, gone) == [401], "its id is that of a living one"
        assert await guesses(doors, 1) == [429]

    through(desk, scenario)


def test_who_comes_by_way_of_a_proxy_is_told_apart(desk: Gatekept) -> None:
    async def scenario(doors: Doors) -> None:
        for n in range(2):
            said = {"X-Forwarded-For": f"203.0.113.{n}"}
            statuses = [
                (await doors.post(who="pmn_wrong", headers=said)).status_code
                for _ in range(BURST + 1)
            ]
            assert statuses == [401] * BURST + [429]

    trusting = WorkerConfig(trusted=networks(("10.0.0.5/32",)))
    through(desk, scenario, peer="10.0.0.5", config=trusting)
