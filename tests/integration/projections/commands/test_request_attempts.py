"""A command that nobody answers is sent again; the first answer counts."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from services.projections.api.commands import owner as commands_owner
from services.projections.api.commands.owner import Owner, first_answer
from services.projections.api.limits import COMMAND_ATTEMPTS_MAX
from shared.messaging import subjects
from shared.messaging.commands import CommandAnswer, CommandMessage, Credential
from shared.messaging.connection import Link, settled
from standalone.nats import Bus
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to

pytestmark = pytest.mark.servers

SUBJECT = subjects.command("incident", "inform")
REQUESTS = 20


Handler = Callable[[Msg], Awaitable[None]]
Answer = TypeVar("Answer")


def asked(
    bus: Bus,
    *owners: Handler,
    sent_once: bool = False,
    until: Callable[[], bool] = lambda: True,
) -> list[Msg | None]:
    """Send requests beside these owners; return their answers, and not before that."""

    def requests(link: Link) -> list[Coroutine[Any, Any, Msg | None]]:
        return [
            first_answer(link, SUBJECT, f"{n}".encode(), sent_once=sent_once)
            for n in range(REQUESTS)
        ]

    return beside(bus, owners, requests, until)


def beside(
    bus: Bus,
    owners: Sequence[Handler],
    requests: Callable[[Link], Sequence[Coroutine[Any, Any, Answer]]],
    until: Callable[[], bool] = lambda: True,
) -> list[Answer]:
    """Return what the API is answered that sends `requests` beside these owners."""

    async def scenario() -> list[Answer]:
        async with AsyncExitStack() as clients:
            for owner in owners:
                client = await clients.enter_async_context(
                    connected_to(bus.url("intake"))
                )
                await client.subscribe(SUBJECT, queue="intake", cb=owner)
                await settled(client, SECONDS)
            async with Link(bus.url("projections"), "test") as link:
                await eventually(lambda: link.client is not None)
                answers = list(await asyncio.gather(*requests(link)))
                await eventually(until)
                return answers

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
    monkeypatch.setattr(commands_owner, "COMMAND_SECONDS_MAX", 60.0)
    seen: dict[bytes, int] = {}

    async def only_the_first(message: Msg) -> None:
        seen[message.data] = seen.get(message.data, 0) + 1
        if seen[message.data] == 2:
            await first[message.data].respond(b"slow")
        first.setdefault(message.data, message)

    first: dict[bytes, Msg] = {}

    assert answered(asked(bus, only_the_first)) == [b"slow"] * REQUESTS


def test_of_answers_that_come_together_the_one_to_the_first_attempt_counts(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", 0.2)
    monkeypatch.setattr(commands_owner, "COMMAND_SECONDS_MAX", 60.0)
    first: dict[bytes, Msg] = {}

    async def both(message: Msg) -> None:
        if first.setdefault(message.data, message) is not message:
            await first[message.data].respond(b"recorded")
            await message.respond(b"repeated")

    assert answered(asked(bus, both)) == [b"recorded"] * REQUESTS


@pytest.mark.parametrize(
    ("key", "outcome"), [(None, "recorded"), ("of-the-caller", "repeated")]
)
def test_only_a_key_of_the_caller_can_be_repeated(
    bus: Bus, key: str | None, outcome: str
) -> None:
    async def did_it_before(message: Msg) -> None:
        answer = CommandAnswer(
            outcome="repeated", incident="INC-000001", version=2, positions=[7]
        )
        await message.respond(answer.model_dump_json().encode())

    async def asks(link: Link) -> CommandAnswer:
        message = CommandMessage[dict[str, Any]](
            credential=Credential(kind="token", secret="x"),
            body={},
            idempotency_key=key,
        )
        return await Owner(link).ask("incident", "inform", message, CommandAnswer)

    (answer,) = beside(bus, [did_it_before], lambda link: [asks(link)])
    assert (answer.outcome, answer.positions) == (outcome, [7])


def test_attempts_and_time_are_bounded(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", 0.1)
    monkeypatch.setattr(commands_owner, "COMMAND_SECONDS_MAX", 3.0)
    seen: dict[bytes, int] = {}

    async def count(message: Msg) -> None:
        seen[message.data] = seen.get(message.data, 0) + 1

    told = asked(bus, count, until=lambda: set(seen) == set(EACH))
    assert answered(told) == [None] * REQUESTS
    assert max(seen.values()) <= COMMAND_ATTEMPTS_MAX


def test_of_what_is_sent_once_no_second_process_hears(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a wait, all attempts are sent at once.
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", 0.0)
    seen: list[bytes] = []

    async def heard(message: Msg) -> None:
        seen.append(message.data)
        await message.respond(message.data)

    assert answered(asked(bus, heard, heard, sent_once=True)) == EACH
    assert sorted(seen) == sorted(EACH)


@pytest.mark.parametrize("seconds", [60.0, 0.0])
def test_nobody_there_is_said_at_once_after_any_number_of_attempts(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    # Without a wait, all attempts are sent before NATS says that nobody is there.
    monkeypatch.setattr(commands_owner, "COMMAND_ATTEMPT_SECONDS", seconds)
    monkeypatch.setattr(commands_owner, "COMMAND_SECONDS_MAX", 60.0)

    with pytest.raises(NoRespondersError):
        asked(bus)
