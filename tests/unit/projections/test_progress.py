"""Waiting for a read model to come to a position."""

import asyncio

from services.projections.snapshots import Progress

LONG = 60.0


def test_what_is_already_reached_is_not_waited_for() -> None:
    async def scene() -> None:
        progress = Progress()
        progress.reached("queue", 5)
        await progress.wait("queue", 5, LONG)

    asyncio.run(asyncio.wait_for(scene(), 1))


def test_those_who_wait_are_woken_in_any_order_as_soon_as_it_gets_there() -> None:
    async def scene() -> list[int]:
        progress, woken = Progress(), list[int]()

        async def waiter(position: int) -> None:
            await progress.wait("queue", position, LONG)
            woken.append(position)

        async with asyncio.TaskGroup() as group:
            for position in (9, 3, 6):
                group.create_task(waiter(position))
            for reached in (2, 6, 20):
                await asyncio.sleep(0)
                progress.reached("queue", reached)
                await asyncio.sleep(0)
                woken.append(-reached)
        return woken

    assert asyncio.run(scene()) == [-2, 3, 6, -6, 9, -20]


def test_one_read_model_does_not_wake_those_who_wait_for_another() -> None:
    async def scene() -> bool:
        progress = Progress()
        waiting = asyncio.create_task(progress.wait("timeline", 1, LONG))
        await asyncio.sleep(0)
        progress.reached("queue", 9)
        await asyncio.sleep(0)
        still = not waiting.done()
        progress.reached("timeline", 1)
        await waiting
        return still

    assert asyncio.run(scene())


def test_who_gives_up_leaves_nothing_behind() -> None:
    async def scene() -> Progress:
        progress = Progress()
        await progress.wait("queue", 1, 0.001)
        return progress

    assert asyncio.run(scene())._waiting["queue"] == []


def test_who_leaves_leaves_nothing_behind() -> None:
    async def scene() -> Progress:
        progress = Progress()
        waiting = asyncio.create_task(progress.wait("queue", 1, LONG))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return progress

    assert asyncio.run(scene())._waiting["queue"] == []
