"""People's commands per second: straight to their owner over NATS, and by the API.

Each command informs a different incident and is answered once it is in the log. The
bound is a request over NATS that is refused at once: the round trip, and no work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from time import monotonic

import httpx
import orjson
from nats.aio.client import Client

from bench.figure import Figure, median_of
from shared.messaging import subjects
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.servers.nats_clients import client_of

INCIDENTS = 200
AT_ONCE = 64
Send = Callable[[int], Awaitable[bool]]


def figures(rounds: int, seconds: float) -> Iterator[Figure]:
    """Measure on one desk, `rounds` times `seconds`."""
    with (
        reachable_folder(on_disk=True) as folder,
        running_desk(folder, durable=True) as desk,
    ):
        refs = _opened(desk)
        bound = asyncio.run(_over_nats(desk, ["INC-999999"], rounds, seconds))
        over_nats = asyncio.run(_over_nats(desk, refs, rounds, seconds))
        over_http = asyncio.run(_over_http(desk, refs, rounds, seconds))
    beside = "the same request, refused at once"
    yield median_of("refused over NATS", bound, "/s")
    yield median_of(
        "commands over NATS", over_nats, "/s", bound=max(bound), beside=beside
    )
    yield median_of(
        "commands through the API", over_http, "/s", bound=max(bound), beside=beside
    )


def _opened(desk: Desk) -> list[str]:
    events = [
        {"action": "trigger", "title": f"alert {n}", "dedup_key": f"bench-{n}"}
        for n in range(INCIDENTS)
    ]
    answer = httpx.post(
        f"{desk.intake_url}/v1/events",
        json=events,
        headers=desk.bearer("source"),
        timeout=30,
    )
    return [result["incident"] for result in answer.json()["results"]]


async def _over_nats(
    desk: Desk, refs: list[str], rounds: int, seconds: float
) -> list[float]:
    client = await client_of(desk.nats.bus.url("projections"))
    token = desk.tokens["agent"]
    rates = [await _rate(_by_nats(client, refs, token), seconds) for _ in range(rounds)]
    await client.close()
    return rates


def _by_nats(client: Client, refs: list[str], token: str) -> Send:
    subject = subjects.command("incident", "inform")

    async def send(n: int) -> bool:
        request = {
            "incident": refs[n % len(refs)],
            "credential": {"kind": "token", "secret": token},
            "body": {"message": f"message {n}"},
        }
        answer = await client.request(subject, orjson.dumps(request), timeout=10)
        return "outcome" in orjson.loads(answer.data)

    return send


async def _over_http(
    desk: Desk, refs: list[str], rounds: int, seconds: float
) -> list[float]:
    # One client per connection: otherwise httpx's shared pool would be measured.
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=desk.api_url, headers=desk.bearer("agent"), timeout=15
                )
            )
            for _ in range(AT_ONCE)
        ]
        free = list(clients)

        async def send(n: int) -> bool:
            client = free.pop()
            path = f"/v1/incidents/{refs[n % len(refs)]}/inform"
            answer = await client.post(path, json={"message": f"message {n}"})
            free.append(client)
            assert answer.status_code == httpx.codes.OK, answer.text
            return True

        return [await _rate(send, seconds) for _ in range(rounds)]


async def _rate(send: Send, seconds: float) -> float:
    """Return the answers per second with `AT_ONCE` in progress."""
    numbers = count()
    began = monotonic()
    answered = 0

    async def one_after_the_other() -> None:
        nonlocal answered
        while monotonic() - began < seconds:
            await send(next(numbers))
            answered += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return answered / (monotonic() - began)
