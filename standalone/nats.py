"""Configures and runs a private nats-server with JetStream, on 127.0.0.1 only.

Also defines what each user of NATS may do: one user per service, with the fewest
subjects.

Services that only read are each in an account of their own. NATS checks where a client
publishes, but not where a request says that the answer goes, and JetStream may publish
everywhere in the account of the request: in the account of intake, its answers could
pass for events and signals.

Sources of signals connect with keys of their own: the server asks intake about every
client whose name it does not know here (auth callout). They are in a separate account
and share only `desk.signal.>` with the desk: in one account, a mistake in their rights
would let them read every reply. The user `monitor`, which they all used before, is kept
separate from them: the server marks the subjects of its signals.
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from shared.messaging import subjects
from shared.messaging.address import nats_address
from shared.messaging.subjects import SYSTEM_ACCOUNT
from standalone.ports import HOST
from standalone.startup_error import StartupError

_API = "$JS.API"
_INBOX = "_INBOX.>"
"""The inbox prefix of clients that set none: only people and monitoring systems."""
# A reader may not create a consumer: a consumer can deliver to any subject.
_FLOW_CONTROL = (
    f"$JS.FC.{subjects.EVENTS_STREAM}.{subjects.READERS_CONSUMER}.*"  # the answer to it
)
_READS_LAST_SEEN = f"{_API}.STREAM.MSG.GET.{subjects.LAST_SEEN_STREAM}"
_LAST_SEEN = "desk.last_seen"
"""What such a request is called in the account of a reader.

Under its own name, that account would answer as well: that it has no JetStream.
"""
_READERS = ("sla_watcher", "escalation", "projections")
_OWNERS = {
    "intake": ("incident", "problem", "change", "contact", "person", "on_call"),
    "escalation": ("escalation", "handover"),
    "sla_watcher": ("sla",),
}
"""Who takes the commands about what."""
_MAY_PUBLISH: dict[str, list[str]] = {
    "intake": [
        subjects.EVENTS,
        subjects.LAST_SEEN,
        subjects.CONNECTIONS,
        subjects.END_CONNECTIONS,
        f"{_API}.>",
        f"$JS.ACK.{subjects.SIGNALS_STREAM}.>",
        subjects.command("escalation", "take_page"),  # by a reply to a page
    ],
    "sla_watcher": [_FLOW_CONTROL, _LAST_SEEN],
    "escalation": [_FLOW_CONTROL, _LAST_SEEN],
    "projections": [
        _FLOW_CONTROL,
        _LAST_SEEN,
        subjects.COMMANDS,
        subjects.PRESENCE,
    ],
    "admin": [subjects.COMMANDS, subjects.SIGNALS, f"{_API}.>", "$JS.FC.>"],
}
_MAY_SUBSCRIBE: dict[str, list[str]] = {
    "intake": [subjects.AUTHORIZATION],
    "sla_watcher": [subjects.FEED],
    "escalation": [subjects.FEED],
    "projections": [subjects.FEED, subjects.PRESENCE],
    "admin": [_INBOX, subjects.EVENTS],
}
# A vanished or frozen client loses its share of the commands after three pings.
VANISHED: Mapping[str, object] = {"ping_interval": "2s", "ping_max": 2}
_MONITOR = "monitor"
_DESK = "DESK"
_OF_THE_SYSTEM = {
    "$SYS.REQ.SERVER.PING.CONNZ": subjects.CONNECTIONS,
    "$SYS.REQ.SERVER.*.KICK": subjects.END_CONNECTIONS,
}
"""Subjects on which intake asks the servers, and their names in its account."""
_MARKED_SIGNALS = f"desk.signal.{subjects.SHARED_USER}.>"
USERS = (*_MAY_PUBLISH, _MONITOR)


_GREETING_BYTES_MAX = 65_536
_CALLOUT_SECONDS = 5
"""How long a client may wait for intake's answer."""
_CONNECTIONS_MAX = 10_000


def authorization(issuer: str) -> dict[str, object]:
    """Return the `authorization` of a server's configuration.

    `issuer` is the public key that signs who else may connect. Reloading a server does
    not change these settings: restart it.
    """
    return {
        "timeout": _CALLOUT_SECONDS,
        "auth_callout": {
            "issuer": issuer,
            "account": _DESK,
            "auth_users": list(USERS),
        },
    }


def accounts(passwords: Mapping[str, str]) -> dict[str, object]:
    """Return the `accounts` of a server's configuration; a password for each user."""
    return {
        _DESK: {
            "jetstream": "enabled",
            "users": [
                _user(name, passwords[name])
                for name in _MAY_PUBLISH
                if name not in _READERS
            ],
            "exports": [
                {"stream": subjects.FEED},
                *_services(subjects.SIGNALS, _FLOW_CONTROL, _READS_LAST_SEEN),
                *_services(*_taken_by("intake")),
            ],
            # Only intake may publish there: it ends connections whose key was revoked.
            "imports": [
                *(
                    _imported(subjects.SYSTEM_ACCOUNT, theirs, ours)
                    for theirs, ours in _OF_THE_SYSTEM.items()
                ),
                *_commands_to_others(_DESK),
            ],
        },
        **{_account_of(name): _reader(name, passwords[name]) for name in _READERS},
        subjects.SYSTEM_ACCOUNT: {
            "exports": [
                {"service": theirs, "response_type": "stream"}
                for theirs in _OF_THE_SYSTEM
            ]
        },
        subjects.SOURCES_ACCOUNT: {
            "limits": {"max_connections": _CONNECTIONS_MAX},
            "imports": [_imported(_DESK, subjects.SIGNALS, subjects.SIGNALS)],
        },
        "MONITORS": {
            "users": [_monitor(passwords[_MONITOR])],
            "imports": [_imported(_DESK, _MARKED_SIGNALS, subjects.SIGNALS)],
        },
    }


def _reader(name: str, password: str) -> dict[str, object]:
    """Return the account of a service that reads the log and owns no stream of NATS.

    What it makes NATS or the owner of a command answer arrives there, and nowhere else.
    """
    account = _account_of(name)
    gives_commands = subjects.COMMANDS in _MAY_PUBLISH[name]
    return {
        "users": [_user(name, password)],
        "mappings": {_READS_LAST_SEEN: _LAST_SEEN},
        "exports": _services(*_taken_by(name)),
        "imports": [
            {"stream": {"account": _DESK, "subject": subjects.FEED}},
            _imported(_DESK, _FLOW_CONTROL, _FLOW_CONTROL),
            _imported(_DESK, _READS_LAST_SEEN, _LAST_SEEN),
            *(_commands_to_others(account) if gives_commands else ()),
        ],
    }


def _account_of(user: str) -> str:
    return user.upper() if user in _READERS else _DESK


def _taken_by(user: str) -> list[str]:
    """Return the subjects of the commands that `user` takes."""
    return [subjects.commands_about(each) for each in _OWNERS.get(user, ())]


def _commands_to_others(account: str) -> list[dict[str, object]]:
    """Return the imports with which commands are given to owners in other accounts."""
    return [
        _imported(_account_of(owner), command, command)
        for owner in _OWNERS
        if _account_of(owner) != account
        for command in _taken_by(owner)
    ]


def _services(*exported: str) -> list[dict[str, object]]:
    return [{"service": subject} for subject in exported]


def _imported(account: str, theirs: str, ours: str) -> dict[str, object]:
    """Return the import of a service of `account`, and how it is called here."""
    return {"service": {"account": account, "subject": theirs}, "to": ours}


def _monitor(password: str) -> dict[str, object]:
    return {
        "user": _MONITOR,
        "password": password,
        "permissions": {
            "publish": {"allow": [subjects.SIGNALS]},
            "subscribe": {"allow": [_INBOX, _answers_to(_MONITOR)]},
        },
    }


def _answers_to(user: str) -> str:
    return f"{subjects.inbox_prefix(user)}.>"


def _user(name: str, password: str) -> dict[str, object]:
    return {
        "user": name,
        "password": password,
        "permissions": {
            "publish": {"allow": _MAY_PUBLISH[name]},
            "subscribe": {
                "allow": [*_taken_by(name), *_MAY_SUBSCRIBE[name], _answers_to(name)]
            },
            # Owners answer the commands they received, and write to no other inbox.
            "allow_responses": name in _OWNERS,
        },
    }


def jetstream(store: str, *, durable: bool) -> dict[str, object]:
    """Return the `jetstream` part of a server's configuration, kept in `store`."""
    return {
        "store_dir": store,
        # Acknowledged means on disk: the default flushes every two minutes.
        "sync_interval": "always" if durable else "2m",
        # Nothing is kept in memory, unless an operator adds such a stream.
        "max_memory_store": 256 << 20,
        # Room for the limits of our streams, whatever the disk has free today.
        "max_file_store": 2 << 30,
    }


@dataclass(frozen=True)
class Bus:
    """A nats-server of our own. `passwords` has one for each of `USERS`.

    `issuer` is the public key of the service that decides which sources may connect.
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
    """Write the server's configuration, readable by its owner only."""
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

    StartupError: the server is no longer `alive`, or takes longer than `patience` s.
    """
    deadline = monotonic() + patience
    while not greets_at(f"nats://{HOST}:{port}"):
        if not alive() or monotonic() > deadline:
            raise StartupError("nats-server did not come up; its own lines say why.")
        sleep(0.02)


def greets_at(url: str) -> bool:
    """Tell whether a NATS server greets at `url`, or one of several listed there."""
    return payload_at(url) is not None


def payload_at(url: str) -> int | None:
    """Return the bytes of the largest message that NATS takes at `url`.

    None if none of the servers listed there greets.
    """
    greetings = map(_greeting, nats_address(url).endpoints)
    return next((told for told in greetings if told is not None), None)


def _greeting(endpoint: tuple[str, int]) -> int | None:
    try:
        with (
            socket.create_connection(endpoint, timeout=2) as connection,
            connection.makefile("rb") as heard,
        ):
            said = heard.readline(_GREETING_BYTES_MAX)
        word, _, told = said.partition(b" ")
        return int(json.loads(told)["max_payload"]) if word == b"INFO" else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
