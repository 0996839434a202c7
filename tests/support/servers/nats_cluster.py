"""Three real nats-servers that form a cluster, each killed and started on its own."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nats.errors import Error
from nats.js.api import StreamInfo

from shared.messaging import subjects
from standalone.nats import Bus
from standalone.ports import HOST
from tests.support.patience import until
from tests.support.ports import reserved_port
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.servers import NatsServer, delete_streams

SIZE = 3
STREAMS = (subjects.EVENTS_STREAM, subjects.SIGNALS_STREAM)


@dataclass(frozen=True)
class ClusterBus(Bus):
    """The bus of a cluster: its URLs name every server."""

    ports: Sequence[int] = ()

    def url(self, user: str) -> str:
        """Return the URLs of the servers for `user`, with commas between them."""
        login = f"{user}:{self.passwords[user]}"
        return ",".join(f"nats://{login}@{HOST}:{port}" for port in self.ports)


class Member(NatsServer):
    """One server of the cluster; it knows the others by their route ports."""

    def __init__(
        self, folder: Path, number: int, routes: Sequence[int], *, durable: bool
    ) -> None:
        folder.mkdir()
        super().__init__(folder, durable=durable)
        config = json.loads(self.bus.config_file.read_text(encoding="utf-8"))
        config["server_name"] = f"server-{number}"
        config["cluster"] = {
            "name": "permanence",
            "listen": f"{HOST}:{routes[number]}",
            "routes": [f"nats://{HOST}:{port}" for port in routes],
        }
        self.bus.config_file.write_text(json.dumps(config), encoding="utf-8")


class NatsCluster:
    """A running cluster. `bus` has the URLs, `members` are its servers."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        routes = [reserved_port() for _ in range(SIZE)]
        self.members = [
            Member(folder / f"server-{number}", number, routes, durable=durable)
            for number in range(SIZE)
        ]
        first = self.members[0].bus
        ports = [member.bus.port for member in self.members]
        self.bus = ClusterBus(
            first.home, first.port, first.passwords, first.issuer, durable, ports
        )

    def start(self) -> "NatsCluster":
        """Start all servers; the caller waits until they serve."""
        for member in self.members:
            member.start()
        return self

    def wait(self) -> None:
        """Return once all serve and JetStream has a leader."""
        for member in self.members:
            member.wait()
        until(lambda: asyncio.run(self._led()), "JetStream of the cluster has a leader")

    @property
    def pid(self) -> int:
        """The process id of the first server, which stands for all in a measurement."""
        return self.members[0].pid

    def kill(self) -> None:
        """End all servers as a power cut would."""
        for member in self.members:
            member.kill()

    def stop(self) -> None:
        """Stop all servers."""
        for member in self.members:
            member.stop()

    def wipe(self) -> None:
        """Delete every stream."""
        asyncio.run(delete_streams(self.bus.url("admin")))

    def whole(self, replicas: int = SIZE) -> bool:
        """Tell whether both streams have so many copies, each up to date."""
        return asyncio.run(self._whole(replicas))

    async def _led(self) -> bool:
        async with connected_to(self.bus.url("admin")) as client:
            try:
                await client.jetstream(timeout=2).account_info()
            except (Error, TimeoutError):
                return False
        return True

    async def _whole(self, replicas: int) -> bool:
        async with connected_to(self.bus.url("admin")) as client:
            jetstream = client.jetstream(timeout=2)
            try:
                infos = [await jetstream.stream_info(stream) for stream in STREAMS]
            except (Error, TimeoutError):
                return False
        return all(_current(info) == replicas for info in infos)


def _current(info: StreamInfo) -> int:
    """Return how many servers hold all of a stream, its leader among them."""
    cluster = info.cluster
    if cluster is None or not cluster.leader:
        return 0
    return 1 + sum(bool(peer.current) for peer in cluster.replicas or ())


@contextmanager
def running_cluster(folder: Path, *, durable: bool = True) -> Iterator[NatsCluster]:
    """Run a cluster with its files in `folder`."""
    cluster = NatsCluster(folder, durable=durable)
    try:
        cluster.start().wait()
        yield cluster
    finally:
        cluster.stop()
