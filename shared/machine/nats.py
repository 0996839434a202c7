"""Configures a private nats-server: JetStream, one user a service, least subjects.

Whoever only monitors sits in an account of its own and meets the desk at
`desk.signal.>` alone: in one account it could read every reply that passes.
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from shared import subjects
from shared.machine.ports import HOST
from shared.machine.trouble import Trouble

_PORT = 4222
_API = "$JS.API"
_INBOX = "_INBOX.>"
_READS_EVENTS = [
    f"{_API}.INFO",
    f"{_API}.STREAM.NAMES",
    f"{_API}.STREAM.INFO.{subjects.EVENTS_STREAM}",
    f"{_API}.STREAM.MSG.GET.{subjects.EVENTS_STREAM}",
    f"{_API}.DIRECT.GET.{subjects.EVENTS_STREAM}",
    f"{_API}.DIRECT.GET.{subjects.EVENTS_STREAM}.>",
    f"{_API}.CONSUMER.CREATE.{subjects.EVENTS_STREAM}",
    f"{_API}.CONSUMER.CREATE.{subjects.EVENTS_STREAM}.>",
    f"{_API}.CONSUMER.INFO.{subjects.EVENTS_STREAM}.*",
    f"{_API}.CONSUMER.DELETE.{subjects.EVENTS_STREAM}.*",
    f"{_API}.CONSUMER.MSG.NEXT.{subjects.EVENTS_STREAM}.*",
    f"$JS.ACK.{subjects.EVENTS_STREAM}.>",
    f"$JS.FC.{subjects.EVENTS_STREAM}.>",  # the reader's answer to flow control
]
_MAY_PUBLISH: dict[str, list[str]] = {
    "intake": [
        subjects.EVENTS,
        f"{_API}.>",
        f"$JS.ACK.{subjects.SIGNALS_STREAM}.>",
        *_READS_EVENTS[-2:],
    ],
    "sla_watcher": _READS_EVENTS,
    "escalation": _READS_EVENTS,
    "projections": [*_READS_EVENTS, subjects.COMMANDS],
    "admin": [subjects.COMMANDS, subjects.SIGNALS, f"{_API}.>", "$JS.FC.>"],
}
_MAY_SUBSCRIBE: dict[str, list[str]] = {
    "intake": [subjects.COMMANDS, _INBOX],
    "sla_watcher": [_INBOX],
    "escalation": [_INBOX],
    "projections": [_INBOX],
    "admin": [_INBOX, subjects.EVENTS],
}
_ANSWERS_COMMANDS = {"intake"}
_MONITOR = "monitor"
USERS = (*_MAY_PUBLISH, _MONITOR)


@dataclass(frozen=True)
class Bus:
    """A nats-server of our own. `passwords` has one for each of `USERS`."""

    home: Path
    port: int
    passwords: Mapping[str, str]
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
    # Every JSON document is a valid configuration of nats-server.
    fresh.write_text(json.dumps(_config(bus), indent=1), encoding="utf-8")
    os.replace(fresh, bus.config_file)  # noqa: PTH105 - atomic, and says so


def _config(bus: Bus) -> dict[str, object]:
    return {
        "listen": f"{HOST}:{bus.port}",
        "server_name": "permanence",
        "logtime": False,
        "jetstream": {
            "store_dir": str(bus.home / "jetstream"),
            # Acknowledged means on disk: the default flushes every two minutes.
            "sync_interval": "always" if bus.durable else "2m",
            # Readers' ephemeral consumers live in memory; nothing else does.
            "max_memory_store": 256 << 20,
            # Room for our streams' bounds, whatever the disk has free today.
            "max_file_store": 2 << 30,
        },
        "accounts": {
            "DESK": {
                "jetstream": "enabled",
                "users": [_user(bus, name) for name in _MAY_PUBLISH],
                "exports": [{"service": subjects.SIGNALS}],
            },
            "MONITORS": {
                "users": [
                    {
                        "user": _MONITOR,
                        "password": bus.passwords[_MONITOR],
                        "permissions": {
                            "publish": {"allow": [subjects.SIGNALS]},
                            "subscribe": {"allow": [_INBOX]},
                        },
                    }
                ],
                "imports": [
                    {"service": {"account": "DESK", "subject": subjects.SIGNALS}}
                ],
            },
        },
    }


def _user(bus: Bus, name: str) -> dict[str, object]:
    return {
        "user": name,
        "password": bus.passwords[name],
        "permissions": {
            "publish": {"allow": _MAY_PUBLISH[name]},
            "subscribe": {"allow": _MAY_SUBSCRIBE[name]},
            # The owner of commands answers those it got, and writes to no other inbox.
            "allow_responses": name in _ANSWERS_COMMANDS,
        },
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
    """Tell whether a NATS server greets at `url`."""
    address = urlsplit(url)
    try:
        where = (address.hostname or HOST, address.port or _PORT)
        with socket.create_connection(where, timeout=2) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False
