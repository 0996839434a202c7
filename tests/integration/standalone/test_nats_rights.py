"""Each user of the bus may do its own work and nothing else."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from signal import SIGHUP

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.messaging import subjects
from shared.messaging.connection import settled
from shared.messaging.streams import provision
from standalone.nats import USERS, Bus, write_config
from tests.support.patience import SECONDS, eventually
from tests.support.servers.nats_clients import client_of
from tests.support.servers.servers import NatsServer, running_nats

pytestmark = pytest.mark.servers
READERS = ("sla_watcher", "escalation", "projections")
OPENED = subjects.event("incident.opened")
A_COMMAND = subjects.command("incident", "acknowledge")
INCIDENTS = subjects.commands_about("incident")
A_SIGNAL = subjects.signal("prometheus")
A_FORGED_SIGNAL = subjects.signal("another")


class Refused(Exception):
    """The server refused a subject."""


class Line:
    """A connection and the first refusal the server sent on it."""

    def __init__(self, client: Client, refusal: asyncio.Future[str]) -> None:
        self.client = client
        self._refusal = refusal

    async def denied(self) -> str:
        """Return the server's refusal; time out where it refused nothing."""
        return await asyncio.wait_for(asyncio.shield(self._refusal), SECONDS)

    async def settled(self) -> None:
        """Return once the server has seen all we sent; `Refused` if it refused."""
        await settled(self.client, SECONDS)
        if self._refusal.done():
            raise Refused(self._refusal.result())


@asynccontextmanager
async def line(bus: Bus, user: str) -> AsyncIterator[Line]:
    refusal: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def remember(error: Exception) -> None:
        if not refusal.done():
            refusal.set_result(str(error))

    client = await client_of(bus.url(user), error_cb=remember, max_reconnect_attempts=0)
    try:
        yield Line(client, refusal)
    finally:
        await client.close()


async def provide_streams(bus: Bus) -> None:
    async with line(bus, "intake") as intake:
        await provision(intake.client.jetstream())
        await intake.settled()


def run(story: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(story, SECONDS))


@pytest.mark.parametrize("user", READERS)
def test_a_reader_hears_the_events_and_answers_flow_control(
    bus: Bus, user: str
) -> None:
    async def story() -> None:
        await provide_streams(bus)
        async with line(bus, "intake") as intake, line(bus, user) as reader:
            feed = await reader.client.subscribe(subjects.FEED)
            await reader.settled()
            for n in range(3):
                await intake.client.jetstream().publish(OPENED, str(n).encode())
            got: list[bytes] = []
            while len(got) < 3:
                told = await feed.next_msg(SECONDS)
                if "Status" not in (told.headers or {}):  # no idle heartbeat
                    got.append(told.data)
            assert got == [b"0", b"1", b"2"]
            await reader.client.publish(
                f"$JS.FC.{subjects.EVENTS_STREAM}.{subjects.READERS_CONSUMER}.abcd"
            )
            await reader.settled()

    run(story())


def test_an_agents_command_reaches_its_owner_and_is_answered(bus: Bus) -> None:
    async def story() -> None:
        async with line(bus, "intake") as intake, line(bus, "projections") as api:
            commands = await intake.client.subscribe(INCIDENTS, "intake")
            await intake.settled()
            answer = asyncio.create_task(api.client.request(A_COMMAND, b"?", SECONDS))
            await (await commands.next_msg(SECONDS)).respond(b"done")
            assert (await answer).data == b"done"
            await intake.settled()

    run(story())


def test_a_monitor_hears_that_its_signal_is_kept_and_intake_takes_it(bus: Bus) -> None:
    async def story() -> None:
        await provide_streams(bus)
        async with line(bus, "intake") as intake, line(bus, "monitor") as monitor:
            kept = await monitor.client.jetstream().publish(
                A_SIGNAL, b"{}", headers={"Nats-Msg-Id": "1"}
            )
            assert kept.stream == subjects.SIGNALS_STREAM
            queue = await intake.client.jetstream().pull_subscribe_bind(
                subjects.SIGNALS_CONSUMER, subjects.SIGNALS_STREAM
            )
            (message,) = await queue.fetch(1, SECONDS)
            assert message.subject == "desk.signal.@monitor.prometheus"
            await message.ack_sync(SECONDS)
            await intake.settled()
            await monitor.settled()

    run(story())


@pytest.mark.parametrize("user", [*READERS, "monitor", "admin"])
def test_only_intake_publishes_events(bus: Bus, user: str) -> None:
    async def story() -> None:
        async with line(bus, user) as other:
            await other.client.publish(OPENED, b"forged")
            assert "permissions violation for publish" in await other.denied()

    run(story())


ASKS_JETSTREAM = {
    **dict.fromkeys(READERS, f"$JS.API.STREAM.MSG.GET.{subjects.LAST_SEEN_STREAM}"),
    "monitor": A_SIGNAL,
}
"""What each user may publish that JetStream answers."""
A_REQUEST = json.dumps({"last_by_subj": subjects.LAST_SEEN}).encode()
HEARD_BY = {
    "intake": [INCIDENTS],
    "sla_watcher": [subjects.commands_about("sla"), subjects.FEED],
    "escalation": [subjects.commands_about("escalation"), subjects.FEED],
    "projections": [subjects.PRESENCE, subjects.FEED],
}


@pytest.mark.parametrize("user", ASKS_JETSTREAM)
def test_what_a_user_makes_jetstream_answer_reaches_nobody_else(
    bus: Bus, user: str
) -> None:
    """Who asks says where the answer goes, and NATS does not check that they may."""
    subject = ASKS_JETSTREAM[user]

    async def story() -> None:
        await provide_streams(bus)
        async with line(bus, user) as thief, line(bus, "intake") as intake:
            stream = intake.client.jetstream()
            async with heard_by_others(bus, user) as (heard, subscribed):
                forged = [one.replace(">", "forged") for one in subscribed]
                for reply in (OPENED, subjects.LAST_SEEN, A_FORGED_SIGNAL, *forged):
                    await thief.client.publish(subject, A_REQUEST, reply=reply)
                assert await thief.client.request(subject, A_REQUEST, SECONDS)
                await thief.settled()
            assert heard == []

            for rightful in (OPENED, subjects.LAST_SEEN):
                assert (await stream.publish(rightful, b"rightful")).seq == 1
            queue = await stream.stream_info(subjects.SIGNALS_STREAM, subjects.SIGNALS)
            assert A_FORGED_SIGNAL not in (queue.state.subjects or {})

    run(story())


@asynccontextmanager
async def heard_by_others(
    bus: Bus, user: str
) -> AsyncIterator[tuple[list[str], list[str]]]:
    """Give what all services but `user` hear, and the subjects they hear it on."""
    heard: list[str] = []
    subscribed: list[str] = []

    async def remember(message: Msg) -> None:
        if message.data:  # no idle heartbeat
            heard.append(message.subject)

    async with AsyncExitStack() as others:
        for name in HEARD_BY.keys() - {user}:
            other = await others.enter_async_context(line(bus, name))
            own = [*HEARD_BY[name], f"{subjects.inbox_prefix(name)}.>"]
            for subject in own:
                await other.client.subscribe(subject, cb=remember)
            await other.settled()
            others.push_async_callback(other.settled)
            subscribed += own
        yield heard, subscribed


@pytest.mark.parametrize("user", ["sla_watcher", "escalation", "monitor"])
def test_only_the_api_and_the_operator_give_commands(bus: Bus, user: str) -> None:
    async def story() -> None:
        async with line(bus, user) as other:
            await other.client.publish(A_COMMAND, b"forged")
            assert "permissions violation for publish" in await other.denied()

    run(story())


def test_intake_gives_no_command_but_the_one_of_a_reply_to_a_page(bus: Bus) -> None:
    async def story() -> None:
        async with line(bus, "intake") as intake:
            taking = subjects.command("escalation", "take_page")
            await intake.client.publish(taking, b"a reply")
            await intake.settled()
            await intake.client.publish(subjects.command("escalation", "accept"), b"")
            assert "permissions violation for publish" in await intake.denied()

    run(story())


@pytest.mark.parametrize("user", [*READERS, "monitor", "admin"])
def test_only_intake_hears_commands(bus: Bus, user: str) -> None:
    async def story() -> None:
        async with line(bus, user) as other:
            await other.client.subscribe(INCIDENTS)
            assert "permissions violation for subscription" in await other.denied()

    run(story())


@pytest.mark.parametrize(
    "wished", [subjects.COMMANDS, subjects.commands_about("escalation")]
)
def test_intake_hears_no_commands_but_its_own(bus: Bus, wished: str) -> None:
    async def story() -> None:
        async with line(bus, "intake") as intake:
            for aggregate in ("incident", "problem", "change"):
                await intake.client.subscribe(subjects.commands_about(aggregate))
            await intake.settled()
            await intake.client.subscribe(wished)
            assert "permissions violation for subscription" in await intake.denied()

    run(story())


@pytest.mark.parametrize(
    ("user", "own", "other"),
    [("sla_watcher", "sla", "escalation"), ("escalation", "escalation", "sla")],
)
def test_each_owner_hears_the_commands_about_its_own(
    bus: Bus, user: str, own: str, other: str
) -> None:
    async def story() -> None:
        async with line(bus, user) as owner:
            await owner.client.subscribe(subjects.commands_about(own), user)
            await owner.settled()
            await owner.client.subscribe(subjects.commands_about(other))
            assert "permissions violation for subscription" in await owner.denied()

    run(story())


@pytest.mark.parametrize("user", [*READERS, "monitor"])
@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.STREAM.DELETE.DESK_EVENTS",
        "$JS.API.STREAM.PURGE.DESK_EVENTS",
        "$JS.API.STREAM.UPDATE.DESK_EVENTS",
        "$JS.API.CONSUMER.CREATE.DESK_EVENTS",
        "$JS.API.CONSUMER.CREATE.DESK_EVENTS.another.desk.event.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.DESK_EVENTS.another",
        "$JS.API.CONSUMER.DELETE.DESK_EVENTS.another",
        "$JS.API.CONSUMER.MSG.NEXT.DESK_SIGNALS.intake",
    ],
)
def test_only_intake_and_the_operator_change_what_is_kept(
    bus: Bus, user: str, subject: str
) -> None:
    async def story() -> None:
        async with line(bus, user) as other:
            await other.client.publish(subject, b"")
            assert "permissions violation for publish" in await other.denied()

    run(story())


@pytest.mark.parametrize("user", [*READERS, "intake", "monitor"])
def test_no_service_reads_the_answers_to_another_user(bus: Bus, user: str) -> None:
    other = "projections" if user == "intake" else "intake"

    async def story() -> None:
        async with line(bus, user) as thief:
            await thief.client.subscribe(f"{subjects.inbox_prefix(other)}.>")
            assert "permissions violation for subscription" in await thief.denied()

    run(story())


def test_a_monitor_reads_nobodys_replies_and_events(bus: Bus) -> None:
    async def story() -> None:
        await provide_streams(bus)
        async with line(bus, "monitor") as monitor, line(bus, "intake") as intake:
            overheard = await monitor.client.subscribe("_INBOX.>")
            await monitor.settled()
            await intake.client.jetstream().publish(OPENED, b"private")
            await intake.settled()
            await monitor.settled()
            assert overheard.pending_msgs == 0

    run(story())


def test_no_user_means_no_entry(bus: Bus) -> None:
    """Also while nobody answers the server about clients it does not know."""
    with socket.create_connection(("127.0.0.1", bus.port), timeout=SECONDS) as stranger:
        stranger.recv(4096)  # its greeting
        stranger.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')

        said = b"".join(iter(lambda: stranger.recv(4096), b""))
        assert b"-ERR 'Auth" in said


def test_every_user_comes_in(bus: Bus) -> None:
    async def story() -> None:
        for user in USERS:
            async with line(bus, user) as own:
                await own.settled()

    run(story())


def test_a_password_is_changed_by_a_reload_that_ends_nobody_elses_connection(
    servers_folder: Path,
) -> None:
    folder = servers_folder / "nats-reloaded"
    folder.mkdir()

    async def story(server: NatsServer) -> None:
        present = server.bus
        changed = replace(
            present, passwords={**present.passwords, "projections": "another"}
        )
        async with line(present, "admin") as other, line(present, "intake") as intake:
            await provision(intake.client.jetstream())
            write_config(changed)
            os.kill(server.pid, SIGHUP)
            await eventually(lambda: comes_in(changed, "projections"))

            await other.client.jetstream().publish(A_SIGNAL, b"{}", timeout=SECONDS)
            await other.settled()
            assert not comes_in(present, "projections")

    with running_nats(folder) as server:
        run(story(server))


def comes_in(bus: Bus, user: str) -> bool:
    """Tell whether the server lets a user in; on a socket, as nats-py leaks one."""
    with socket.create_connection(("127.0.0.1", bus.port), timeout=SECONDS) as client:
        login = json.dumps(
            {"user": user, "pass": bus.passwords[user], "verbose": False}
        )
        client.sendall(f"CONNECT {login}\r\nPING\r\n".encode())
        said = iter(client.makefile("rb"))
        told = (line for line in said if line[:4] in {b"PONG", b"-ERR"})
        return next(told, b"")[:1] == b"P"
