"""Configures and runs a private nats-server with JetStream, on 127.0.0.1 only."""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from shared.machine.nats_rights import VANISHED, accounts, authorization, jetstream
from shared.machine.ports import HOST
from shared.machine.trouble import Trouble
from shared.messaging.connection import nats_address
from shared.messaging.subjects import SYSTEM_ACCOUNT


@dataclass(frozen=True)
class Bus:
    """A nats-server of our own. `passwords` has one for each of `USERS`.

    `issuer` is the public key of the service that says which sources may connect.
    """

    home: Path
    port: int
    passwords: Mapping[str, str]
    issuer: str
    durable: bool = True

    @property
    def config_file(self) -> Path:
        """The file the server reads; it holds the passwords."""
        return self.home / "nats.conf"

    def url(self, user: str) -> str:
        """Return the URL of the server for `user`."""
        return f"nats://{user}:{self.passwords[user]}@{HOST}:{self.port}"


def write_config(bus: Bus) -> None:
    """Write the server's configuration, for our eyes only."""
    bus.home.mkdir(mode=0o700, exist_ok=True)
    fresh = bus.config_file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    # JSON is a valid configuration of nats-server, except `\u00e9` and the like.
    fresh.write_text(
        json.dumps(_config(bus), indent=1, ensure_ascii=False), encoding="utf-8"
    )
    os.replace(fresh, bus.config_file)  # noqa: PTH105 - atomic, and says so


def _config(bus: Bus) -> dict[str, object]:
    return {
        "listen": f"{HOST}:{bus.port}",
        "server_name": "permanence",
        "logtime": False,
        **VANISHED,
        "jetstream": jetstream(str(bus.home / "jetstream"), durable=bus.durable),
        "system_account": SYSTEM_ACCOUNT,
        "authorization": authorization(bus.issuer),
        "accounts": accounts(bus.passwords),
    }


def server_command(bus: Bus, program: Path) -> list[str]:
    """Return the command that serves `bus` until SIGTERM or SIGINT."""
    return [str(program), "--config", str(bus.config_file)]


def wait_until_serving(
    port: int, alive: Callable[[], bool], patience: float = 60
) -> None:
    """Return once the server greets; it listens only after JetStream has recovered.

    Trouble: the server is not `alive` any more, or takes longer than `patience` s.
    """
    deadline = monotonic() + patience
    while not greets_at(f"nats://{HOST}:{port}"):
        if not alive() or monotonic() > deadline:
            raise Trouble("nats-server did not come up; its own lines above say why.")
        sleep(0.02)


def greets_at(url: str) -> bool:
    """Tell whether a NATS server greets at `url`, or one of several named there."""
    return any(map(_greets, nats_address(url).endpoints))


def _greets(endpoint: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(endpoint, timeout=2) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False
