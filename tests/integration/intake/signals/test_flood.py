"""Three times as much as is let in: what came in is accounted for, the rest told."""

import asyncio
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from shared.eventlog.batcher import Overloaded
from shared.http.bodies import ROOM_BYTES_MAX
from tests.support.desks.intake_endpoints import Doors, Gatekept, gatekept
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

PER_SECOND, BURST, SECONDS = 20, 40, 5
SENT_A_SECOND = 3 * PER_SECOND


@pytest.fixture
def desk(database: Database) -> Iterator[Gatekept]:
    with gatekept(database) as made:
        yield made


async def poured(desk: Gatekept, doors: Doors, second: int) -> tuple[int, int]:
    """Send a second's flood at once; return how many came in, and how many did not."""
    desk.times.seconds = float(second)
    titles = [f"t{second}-{n}" for n in range(SENT_A_SECOND)]
    events = [{"action": "trigger", "title": title} for title in titles]
    answers = await asyncio.gather(*(doors.post(body=event) for event in events))
    refused = [a for a in answers if a.status_code != HTTPStatus.ACCEPTED]
    assert {a.status_code for a in refused} <= {HTTPStatus.TOO_MANY_REQUESTS}
    assert all(int(a.headers["retry-after"]) >= 1 for a in refused)
    return len(answers) - len(refused), len(refused)


def test_a_flood_is_let_in_as_far_as_the_rate_and_told_no_beyond(
    desk: Gatekept,
) -> None:
    desk.rule(f"rate: {{per_second: {PER_SECOND}, burst: {BURST}}}")

    async def scenario() -> None:
        with desk.log() as log:
            async with desk.open(log) as doors:
                told = [await poured(desk, doors, n) for n in range(SECONDS)]
                await asyncio.to_thread(doors.parts.gate.activity.keep)
                shown = (await doors.get("/v1/sources/demo")).json()["last_hour"]
                gate = doors.parts.gate.gate
                assert gate.in_hand.bytes == doors.parts.signals.waiting == 0
            opened = sum(e.type == "incident.opened" for e in log.since(0, 1_000))
        accepted, refused = (sum(column) for column in zip(*told, strict=True))
        assert accepted == opened == BURST + (SECONDS - 1) * PER_SECOND
        assert accepted + refused == SECONDS * SENT_A_SECOND
        assert (shown["accepted"], shown["refused"]) == (accepted, refused)

    asyncio.run(scenario())


def test_bodies_in_hand_are_bounded_whoever_sends_them(desk: Gatekept) -> None:
    async def scenario() -> None:
        with desk.log() as log:
            async with desk.open(log) as doors:
                in_hand = doors.parts.gate.gate.in_hand
                half = ROOM_BYTES_MAX // 2
                with in_hand.room_for(half, "one"), in_hand.room_for(half, "two"):
                    refused = await doors.post(body={"title": "x" * 200})
                    again = await doors.post("/v1/integrations/alertmanager", b"x")
                    with pytest.raises(Overloaded), in_hand.room_for(1, "three"):
                        pass
                assert (refused.status_code, again.status_code) == (429, 503)
                assert refused.json()["code"] == "overloaded"
                assert (await doors.post()).is_success
                assert in_hand.bytes == 0

    asyncio.run(scenario())
