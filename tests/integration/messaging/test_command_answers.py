"""Whatever becomes of a command, its caller is told, and never by a traceback."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from faststream.nats import NatsBroker
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from shared.eventlog.errors import Unavailable
from shared.http.problem_details import HttpError
from shared.messaging import connection as shared_bus
from shared.messaging import subjects
from shared.messaging.broker import command_broker, started, stop
from shared.messaging.commands import CommandAnswer, CommandMessage, ProblemDetails
from shared.messaging.connection import settled
from shared.observability.telemetry import Outage
from standalone.nats import Bus
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import NatsServer, running_nats

pytestmark = pytest.mark.servers

SUBJECT = subjects.command("incident", "acknowledge")
DONE = CommandAnswer(
    outcome="recorded", incident="INC-000001", version=2, positions=[7]
)


class Body(BaseModel):
    """What acknowledging takes."""

    model_config = ConfigDict(extra="forbid")

    note: str = ""


Request = CommandMessage[Body]
GOOD: dict[str, Any] = {
    "incident": "INC-000001",
    "credential": {"kind": "token", "secret": "as presented"},
    "body": {"note": "on it"},
}
Handler = Callable[[Request], Awaitable[CommandAnswer]]


# The library validates no parameter whose name begins with an underscore.
async def acknowledge(request: Request) -> CommandAnswer:
    assert request.incident == "INC-000001"
    return DONE


def failing(error: Exception) -> Handler:
    async def handler(request: Request) -> CommandAnswer:
        assert request.body
        raise error

    return handler


@asynccontextmanager
async def owner(
    url: str, handler: Handler, registry: CollectorRegistry | None = None
) -> AsyncIterator[NatsBroker]:
    """Run the owner of a subject whose commands `handler` answers."""
    broker = command_broker(url, "intake", registry or CollectorRegistry())
    broker.subscriber(SUBJECT, queue="intake")(handler)
    assert await started(broker, asyncio.Event())
    await settled(broker.config.connection_state.connection, SECONDS)
    try:
        yield broker
    finally:
        await stop(broker)


def asked(bus: Bus, handler: Handler, body: bytes) -> Msg:
    """Return what a caller is answered who sends `body`."""

    async def scenario() -> Msg:
        async with (
            owner(bus.url("intake"), handler),
            connected_to(bus.url("projections")) as client,
        ):
            headers = {"content-type": "application/json"}
            return await client.request(SUBJECT, body, SECONDS, headers=headers)

    return asyncio.run(scenario())


def refused(bus: Bus, handler: Handler, body: bytes) -> ProblemDetails:
    answer = asked(bus, handler, body)
    assert answer.headers, answer.data
    assert answer.headers["content-type"] == "application/problem+json", answer.data
    assert b"Traceback" not in answer.data
    return ProblemDetails.model_validate_json(answer.data)


def test_a_command_that_was_done_is_answered_with_what_was_recorded(bus: Bus) -> None:
    answer = asked(bus, acknowledge, orjson.dumps(GOOD))

    assert CommandAnswer.model_validate_json(answer.data) == DONE


def test_a_refusal_is_answered_as_it_is(bus: Bus) -> None:
    problem = HttpError(409, "it is resolved: reopen it", code="refused")

    details = refused(bus, failing(problem), orjson.dumps(GOOD))

    assert details == problem.details


def test_an_absent_log_is_answered_with_when_to_come_back(bus: Bus) -> None:
    details = refused(bus, failing(Unavailable("gone")), orjson.dumps(GOOD))

    assert details.status == 503
    assert details.retry_after


def test_an_unexpected_error_is_answered_by_its_number_alone(bus: Bus) -> None:
    details = refused(bus, failing(KeyError("secret words")), orjson.dumps(GOOD))

    assert details.status == 500
    assert "secret words" not in details.model_dump_json()


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"body": {"note": 5}}, ["body", "note"]),
        ({"body": {"nota": "x"}}, ["body", "nota"]),
        ({"actor": "person:ann"}, ["actor"]),
        ({"credential": {"kind": "word", "secret": "x"}}, ["credential", "kind"]),
        ({"incident": "INC-1"}, ["incident"]),
        ({"more": 1}, ["more"]),
    ],
    ids=str,
)
def test_a_command_that_does_not_fit_is_told_where(
    bus: Bus, change: dict[str, Any], loc: list[str | int]
) -> None:
    details = refused(bus, acknowledge, orjson.dumps(GOOD | change))

    assert details.status == 422
    assert [error["loc"] for error in details.errors] == [loc]


@pytest.mark.parametrize("body", [b"", b"{", b'"text"', b"[1]", b"\xff\xfe", b"null"])
def test_what_is_no_command_at_all_is_answered_too(bus: Bus, body: bytes) -> None:
    assert refused(bus, acknowledge, body).status in {400, 422}


def test_our_own_wrong_answer_is_not_blamed_on_the_caller(bus: Bus) -> None:
    async def wrong(request: Request) -> CommandAnswer:
        assert request.body
        return TypeAdapter(Any).validate_python({"outcome": "perhaps"})  # type: ignore[no-any-return] # as a bug would

    assert refused(bus, wrong, orjson.dumps(GOOD)).status == 500


def test_commands_are_counted_by_subject(bus: Bus) -> None:
    registry = CollectorRegistry()

    async def scenario() -> None:
        async with (
            owner(bus.url("intake"), acknowledge, registry),
            connected_to(bus.url("projections")) as client,
        ):
            await client.request(SUBJECT, orjson.dumps(GOOD), SECONDS)

    asyncio.run(scenario())
    text = generate_latest(registry).decode()
    assert f'destination="{SUBJECT}"' in text or f'handler="{SUBJECT}"' in text


def test_the_owner_waits_for_nats_and_leaves_without_it(
    servers_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_bus, "RETRY_SECONDS", 0.001)
    failures: list[Exception] = []
    monkeypatch.setattr(Outage, "away", lambda _, error: failures.append(error))
    folder = servers_folder / "nats-of-commands"
    folder.mkdir()

    async def scenario(server: NatsServer) -> None:
        url = server.bus.url("intake")
        await asyncio.to_thread(server.kill)
        broker = command_broker(url, "intake", CollectorRegistry())
        broker.subscriber(SUBJECT, queue="intake")(acknowledge)
        starting = asyncio.create_task(started(broker, asyncio.Event()))
        # The library by itself gives up after sixty times.
        await eventually(lambda: len(failures) > 100)
        await asyncio.to_thread(lambda: server.start().wait())
        assert await asyncio.wait_for(starting, SECONDS)
        connection = broker.config.connection_state.connection
        await asyncio.to_thread(server.kill)
        await eventually(lambda: not connection.is_connected)
        await asyncio.wait_for(stop(broker), SECONDS)
        assert connection.is_closed

    with running_nats(folder, durable=False) as server:
        asyncio.run(scenario(server))


# The library leaves the socket on which it was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("user", ["intake:wrong", "intake:secret-of-intake"])
def test_an_owner_that_is_not_let_in_stops_when_told(bus: Bus, user: str) -> None:
    port = bus.port if "wrong" in user else 1
    url = f"nats://{user}@127.0.0.1:{port}"

    async def scenario() -> None:
        told = asyncio.Event()
        broker = command_broker(url, "intake", CollectorRegistry())
        starting = asyncio.create_task(started(broker, told))
        await asyncio.wait({starting}, timeout=0.2)
        told.set()
        assert not await asyncio.wait_for(starting, SECONDS)
        await asyncio.wait_for(stop(broker), SECONDS)

    asyncio.run(scenario())
    gc.collect()
