"""A whole desk for tests: real PostgreSQL, nats-server and the four services.

Each is a process that a test may kill, freeze and start again; files and ports stay.
"""

import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM
from time import monotonic, sleep

import httpx

from services.intake import policy_store
from services.intake.policy_store import Applied, Signature
from shared.access import create
from shared.command import Scope
from shared.event_log import EventLog
from shared.machine.ports import free_port
from tests.support.server import Server
from tests.support.servers import (
    Database,
    NatsServer,
    PostgresServer,
    running_nats,
    running_postgres,
)

SERVICES = ("intake", "sla_watcher", "escalation", "projections")
MASTER = bytes(range(32))
POLICY = Path(__file__).parents[2] / "deploy" / "permanence.yaml"
UP_SECONDS = 60


@dataclass
class Desk:
    """A running desk and what is needed to talk to it."""

    folder: Path
    postgres: PostgresServer
    nats: NatsServer
    database: Database
    services: Mapping[str, Server]
    ports: Mapping[str, int]
    tokens: Mapping[str, str]

    @property
    def intake_url(self) -> str:
        """Where signals go."""
        return f"http://127.0.0.1:{self.ports['intake']}"

    @property
    def api_url(self) -> str:
        """Where agents read and command."""
        return f"http://127.0.0.1:{self.ports['projections']}"

    def bearer(self, who: str) -> dict[str, str]:
        """Return the headers of `source`, `agent`, `manager`, `auditor` or `admin`."""
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def log(self) -> EventLog:
        """Open the event log as its owner, with the vault's key."""
        return EventLog.open(self.database.owner_dsn, master=MASTER)

    def wait_ready(self, names: Sequence[str] = SERVICES) -> None:
        """Return once these services say that they are ready."""
        for name in names:
            until(lambda name=name: self._ready(name), f"{name} is ready", UP_SECONDS)

    def _ready(self, name: str) -> bool:
        try:
            url = f"http://127.0.0.1:{self.ports[name]}/health/ready"
            return httpx.get(url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def output(self, name: str) -> str:
        """Return what a service wrote, of all its starts."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace")


def until(holds: object, what: str, seconds: float = 30.0) -> None:
    """Poll until `holds()` is true; fail with `what` after `seconds`."""
    assert callable(holds)
    deadline = monotonic() + seconds
    while not holds():
        assert monotonic() < deadline, f"not in {seconds} s: {what}"
        sleep(0.02)


@contextmanager
def running_desk(
    folder: Path, *, durable: bool = False, start: Sequence[str] = SERVICES
) -> Iterator[Desk]:
    """Run a desk with its files in `folder`, which `nobody` can pass."""
    with (
        running_postgres(folder, durable=durable) as postgres,
        running_nats(folder, durable=durable) as nats,
    ):
        database = postgres.fresh_database()
        desk = Desk(
            folder, postgres, nats, database, {}, {n: free_port() for n in SERVICES}, {}
        )
        desk.tokens = _prepared(desk)
        desk.services = {name: _service(desk, name) for name in SERVICES}
        try:
            for name in start:
                desk.services[name].start()
            desk.wait_ready(start)
            yield desk
        finally:
            for server in desk.services.values():
                server.stop()


def _prepared(desk: Desk) -> dict[str, str]:
    """Apply the starter policy and make a token for each scope."""
    now = datetime.now(UTC)
    log = desk.log()
    applied = policy_store.apply(
        log,
        POLICY.read_text(encoding="utf-8"),
        Signature(by="root", reason="a desk for a test"),
        now,
        "test",
    )
    assert isinstance(applied, Applied), applied
    scopes: dict[str, tuple[str, Sequence[Scope]]] = {
        "source": ("source:demo", ["source"]),
        "alertmanager": ("source:prometheus", ["source"]),
        "agent": ("person:nadia", ["agent"]),
        "manager": ("person:sylvie", ["agent", "manager"]),
        "auditor": ("person:ida", ["auditor"]),
        "admin": ("person:root", ["admin"]),
    }
    with log.transaction() as cursor:
        tokens = {
            who: create(cursor, now, actor, given).token
            for who, (actor, given) in scopes.items()
        }
    log.close()
    return tokens


def _service(desk: Desk, name: str) -> Server:
    key_file = desk.folder / "vault.key"
    key_file.write_text(b64encode(MASTER).decode(), encoding="ascii")
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": desk.database.dsn(f"desk_{name}"),
        "NATS_URL": desk.nats.bus.url(name),
        "PERMANENCE_HTTP_PORT": str(desk.ports[name]),
        "PERMANENCE_VAULT_KEY_FILE": str(key_file),
        "PERMANENCE_INTAKE_URL": desk.intake_url,
    }
    command = ["/usr/bin/env", *(f"{k}={v}" for k, v in environment.items())]
    command += [sys.executable, "-m", f"services.{name}"]
    return Server(command, None, desk.folder / f"{name}.log", SIGTERM)
