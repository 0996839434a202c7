"""Duplicates a second over NATS: published to the queue, until each is on record.

Here nobody waits for an answer: a message leaves the queue when it is committed, and
that is what is timed. The sender rests while enough is waiting, so that the end of the
queue is soon reached; what was published is counted against the log.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from time import monotonic

import nats
from nats.js import JetStreamContext

from bench.books import demand_nothing_lost, still
from bench.connections import bodies
from bench.cpu import used_by
from bench.figure import Figure, median_of
from bench.flush import SOURCE, flushed_per_second
from bench.sending import SIGNAL, Load
from shared import subjects
from tests.support.desk import Desk, running_desk
from tests.support.servers import reachable_folder

AT_ONCE = 64
"""Messages of which the server's word is awaited."""
WAITING_MAX = 4_000
"""Signals that may wait in the queue before the sender rests."""
LOOK_SECONDS = 0.01
CASES = {
    "duplicates over NATS, one a message": Load("nats", troubles=100, connections=500),
    "duplicates over NATS, arrays of 100": Load("natss", 100, troubles=1_000),
}


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure each case on a desk of its own, `rounds` times `seconds`."""
    for what, load in CASES.items():
        with (
            reachable_folder() as folder,
            running_desk(folder, durable=True, start=("intake",)) as desk,
        ):
            alone = flushed_per_second(desk.postgres, load, seconds)
            with used_by(desk) as used:
                done = asyncio.run(_rounds(desk, load, rounds, seconds))
        yield median_of(
            what,
            [rate for rate, _ in done],
            "/s",
            bound=alone,
            beside="the same batches without NATS, one thread",
            note=used.each(sum(number for _, number in done)),
        )


async def _rounds(
    desk: Desk, load: Load, rounds: int, seconds: float
) -> list[tuple[float, int]]:
    """Return of each round the signals on record a second, and their number."""
    client = await nats.connect(desk.nats.bus.url("admin"))
    js = client.jetstream()
    await _published(js, replace(load, prefix=f"{load.prefix}-warm"), 1.0)
    done = []
    with closing(desk.log()) as log:
        for _ in range(rounds):
            before = await asyncio.to_thread(still, log)
            began = monotonic()
            published = await _published(js, load, seconds)
            took = monotonic() - began
            kept = (await asyncio.to_thread(still, log)).since(before)
            demand_nothing_lost(kept, published, 0)
            done.append((published / took, published))
    await client.close()
    return done


async def _published(js: JetStreamContext, load: Load, seconds: float) -> int:
    """Publish for `seconds`; return how many signals, once none waits any more."""
    next_body = bodies(load, SIGNAL)
    over = monotonic() + seconds
    subject, published = subjects.signal(SOURCE), 0
    may_send = asyncio.Event()
    may_send.set()

    async def send() -> None:
        nonlocal published
        while monotonic() < over:
            await may_send.wait()
            await js.publish(subject, next_body(), timeout=30)
            published += load.size

    async def wait_until_empty(sending: asyncio.Future[list[None]]) -> None:
        while (waiting := await _waiting(js) * load.size) or not sending.done():
            may_send.set() if waiting < WAITING_MAX else may_send.clear()
            await asyncio.sleep(LOOK_SECONDS)

    sending = asyncio.gather(*(send() for _ in range(AT_ONCE)))
    await wait_until_empty(sending)
    await sending
    return published


async def _waiting(js: JetStreamContext) -> int:
    return (await js.stream_info(subjects.SIGNALS_STREAM)).state.messages
