"""A command that nobody answers is sent again; the first answer counts."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from services.projections.api.commands import owner as commands_owner
from services.projections.api.commands.owner import first_answer
from services.projections.api.limits import COMMAND_ATTEMPTS_MAX
from shared.messaging import subjects
from shared.messaging.connection import Link
from standalone.nats import Bus
from tests.support.nats_clients import client_of
from tests.support.patience import eventually

pytestmark = pytest.mark.servers

SUBJECT = subjects.command("incident", "inform")
REQUESTS = 20


def asked(bus: Bus, *owners: Callable[[Msg], Awaitable[None]]) -> list[Msg | None]:
    """Send requests beside these owners; return their answers."""

    async def scenario() -> list[Msg | None]:
        clients = [await client_of(bus.url("intake")) for _ in owners]
        for client, owner in zip(clients, owners, strict=True):
            await client.subscribe(SUBJECT, queue="intake", cb=owner)
            await client.flush()
        try:
            async with Link(bus.url("projections"), "test") as link:
                await eventually(lambda: link.client is not None)
                requests = (
                    first_answer(link, SUBJECT, f"{n}".encode())
                    for n in range(REQUESTS)
                )
                return list(await asyncio.gather(*requests))
        finally:
            for client in clients:
                await client.close()

    return asyncio.run(scenario())


async def silent(_: Msg) -> None:
    """Take a command as one that is frozen does."""


async def echo(message: Msg) -> None:
    await message.respond(message.data)


def answered(answers: list[Msg | None]) -> list[bytes | None]:
    return [answer.data if answer else None for answer in answers]


EACH = [f"{n}".encode() for n in range(REQUESTS)]


def test_each_is_answered_although_one_of_two_owners_is_silent(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The silent one is not frozen, so the server goes on giving it commands.
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", 0.2)
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPTS_MAX", 100)
    monkeypatch.setattr(commands_owner, "COMMAND_SECONDS_MAX", 60.0)

    assert answered(asked(bus, silent, echo)) == EACH


def test_an_answer_to_the_first_attempt_counts_also_after_the_second(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", 0.2)
    seen: dict[bytes, int] = {}

    async def only_the_first(message: Msg) -> None:
        seen[message.data] = seen.get(message.data, 0) + 1
        if seen[message.data] == 2:
            await first[message.data].respond(b"slow")
        first.setdefault(message.data, message)

    first: dict[bytes, Msg] = {}

    assert answered(asked(bus, only_the_first)) == [b"slow"] * REQUESTS


def test_attempts_and_time_are_bounded(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", 0.1)
    monkeypatch.setattr(commands_owner, "COMMAND_SECONDS_MAX", 3.0)
    seen: dict[bytes, int] = {}

    async def count(message: Msg) -> None:
        seen[message.data] = seen.get(message.data, 0) + 1

    assert answered(asked(bus, count)) == [None] * REQUESTS
    most = COMMAND_ATTEMPTS_MAX
    assert set(seen) == set(EACH)
    assert max(seen.values()) <= most


def test_nobody_there_is_said_at_once(bus: Bus) -> None:
    with pytest.raises(NoRespondersError):
        asked(bus)
