"""Signals per second over NATS: from publishing to the queue until recorded.

Nobody waits for an answer: a message leaves the queue when it is committed, and that is
what is timed. The sender rests while enough is waiting, so that the end of the queue is
soon reached; the number published is compared with the log.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from time import monotonic

import nats
from nats.js import JetStreamContext

from bench.books import demand_nothing_lost, still
from bench.connections import bodies
from bench.cpu import used_by
from bench.desk import unlimited
from bench.figure import Figure, median_of
from bench.flush import SOURCE, flushed_per_second
from bench.sending import SIGNAL, Load
from shared.messaging import subjects
from shared.messaging.streams import SIGNALS_OF_SOURCE_MAX
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder

AT_ONCE = 64
"""Messages whose acknowledgement by the server is outstanding."""
WAITING_MAX = 4_000
"""Signals that may wait in the queue before the sender rests."""
MESSAGES_MAX = SIGNALS_OF_SOURCE_MAX - 4 * AT_ONCE
"""Messages that may wait: of one source NATS takes no more than the limit."""
LOOK_SECONDS = 0.01
CASES = {
    "new over NATS, one a message": Load("nats-new", connections=500),
    "new over NATS, arrays of 100": Load("nats-news", 100),
    "duplicates over NATS, one a message": Load("nats", keys=100, connections=500),
    "duplicates over NATS, arrays of 100": Load("natss", 100, keys=1_000),
}


@dataclass(frozen=True)
class Done:
    """Signals recorded per second, of each round; the total; and the bound."""

    rates: Sequence[float]
    signals: int
    unheard: float
    """Signals per second that the server stores while nobody consumes them."""


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure each case on a separate desk, `rounds` times `seconds`."""
    for what, load in CASES.items():
        with (
            reachable_folder(on_disk=True) as folder,
            running_desk(
                folder, durable=True, start=("intake",), setting=unlimited(folder)
            ) as desk,
        ):
            alone = flushed_per_second(desk.postgres, load, seconds)
            with used_by(desk) as used:
                done = asyncio.run(_rounds(desk, load, rounds, seconds))
        note = used.each(done.signals)
        bounds = {
            "the same batches without NATS, one thread": alone,
            "nats-server alone, each synced": done.unheard,
        }
        for beside, bound in bounds.items():
            yield median_of(
                what, done.rates, "/s", bound=bound, beside=beside, note=note
            )


async def _rounds(desk: Desk, load: Load, rounds: int, seconds: float) -> Done:
    client = await nats.connect(desk.nats.bus.url("admin"))
    js = client.jetstream()
    await _published(js, replace(load, prefix=f"{load.prefix}-warm"), 1.0)
    rates, signals = [], 0
    with closing(desk.log()) as log:
        for number in range(rounds):
            before = await asyncio.to_thread(still, log)
            began = monotonic()
            one = load if load.keys else replace(load, prefix=f"{load.prefix}-{number}")
            published = await _published(js, one, seconds)
            rates.append(published / (monotonic() - began))
            signals += published
            kept = (await asyncio.to_thread(still, log)).since(before)
            demand_nothing_lost(kept, published, 0)
    desk.services["intake"].freeze()
    config = (await js.stream_info(subjects.SIGNALS_STREAM)).config
    await js.update_stream(
        config.evolve(max_msgs_per_subject=-1, discard_new_per_subject=False)
    )
    began = monotonic()
    unheard = await _sent(js, load, began + 1.0) / (monotonic() - began)
    await client.close()
    return Done(rates, signals, unheard)


def published(desk: Desk, load: Load, seconds: float) -> int:
    """Publish for `seconds`; return how many signals, once each is recorded."""

    async def publish() -> int:
        client = await nats.connect(desk.nats.bus.url("admin"))
        try:
            return await _published(client.jetstream(), load, seconds)
        finally:
            await client.close()

    return asyncio.run(publish())


async def _published(js: JetStreamContext, load: Load, seconds: float) -> int:
    """Publish for `seconds`; return how many signals, once none waits any more."""
    may_send = asyncio.Event()
    may_send.set()
    sending = asyncio.ensure_future(_sent(js, load, monotonic() + seconds, may_send))
    while (waiting := await _waiting(js) * load.size) or not sending.done():
        if waiting < min(WAITING_MAX, MESSAGES_MAX * load.size):
            may_send.set()
        else:
            may_send.clear()
        await asyncio.sleep(LOOK_SECONDS)
    return await sending


async def _sent(
    js: JetStreamContext, load: Load, until: float, may: asyncio.Event | None = None
) -> int:
    """Publish until then, resting unless it `may`; return how many signals."""
    next_body = bodies(load, SIGNAL)
    subject, sent = subjects.signal(SOURCE), 0

    async def send() -> None:
        nonlocal sent
        while monotonic() < until:
            if may is not None:
                await may.wait()
            await js.publish(subject, next_body(), timeout=30)
            sent += load.size

    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    return sent


async def _waiting(js: JetStreamContext) -> int:
    return (await js.stream_info(subjects.SIGNALS_STREAM)).state.messages
