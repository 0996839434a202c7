"""A whole desk for tests: real PostgreSQL, nats-server and the four services.

Each is a process that a test may kill, freeze and start again; files and ports stay.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from shared.clock import clock_from, set_lever
from shared.database.clock_mode import ClockMode
from shared.eventlog.log import EventLog
from shared.messaging.commands import Scope
from shared.security.access import create
from shared.vault.master_keys import MasterKeys, text_of
from tests.support import key_ring
from tests.support.patience import BUSY, SECONDS, answered, awaited, pause_after, until
from tests.support.ports import reserved_port
from tests.support.read_models import connected, until_applied
from tests.support.servers.forked_services import Program
from tests.support.servers.nats_cluster import NatsCluster
from tests.support.servers.servers import (
    ISSUER_SEED,
    Database,
    NatsServer,
    PostgresServer,
    running_nats,
    running_postgres,
)
from tests.support.servers.service import Service

SERVICES = ("intake", "sla_watcher", "escalation", "projections")
TWIN = "_twin"
"""`intake_twin` is a second process of intake, and so on."""
MASTER = key_ring.MASTER
POLICY = Path(__file__).parents[3] / "deploy" / "permanence.yaml"


@dataclass
class Desk:
    """A running desk and what is needed to talk to it."""

    folder: Path
    postgres: PostgresServer
    nats: NatsServer | NatsCluster
    database: Database
    services: dict[str, Service] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    lever: Path | None = None
    master: MasterKeys = MASTER
    """The vault's master keys."""

    def move_to(self, instant: datetime, speed: float = 0.0) -> None:
        """Let all clocks of the desk show `instant`; they stand unless told to run."""
        assert self.lever is not None, "the desk runs on real time"
        set_lever(self.lever, instant, speed)

    @property
    def intake_url(self) -> str:
        """Where signals go."""
        return f"http://127.0.0.1:{self.ports['intake']}"

    @property
    def intake_urls(self) -> list[str]:
        """Where signals go, its twin included where there is one."""
        names = [name for name in self.ports if name.startswith("intake")]
        return [f"http://127.0.0.1:{self.ports[name]}" for name in names]

    @property
    def api_url(self) -> str:
        """Where agents read and command."""
        return f"http://127.0.0.1:{self.ports['projections']}"

    def bearer(self, who: str) -> dict[str, str]:
        """Return the headers of `source`, `agent`, `manager`, `auditor` or `admin`."""
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def log(self) -> EventLog:
        """Open the event log as its owner, with the vault's key."""
        clock = clock_from(self.lever)
        return EventLog.open(
            self.database.owner_dsn, master=self.master, clock=clock, pool_size=2
        )

    def until_applied(self) -> None:
        """Return once every read model has applied what the log holds now."""
        with connected(self.database) as ask:
            until_applied(ask)

    def get(
        self,
        path: str,
        who: str | None = "agent",
        headers: Mapping[str, str] | None = None,
        **given: Any,  # as httpx takes it
    ) -> httpx.Response:
        """Ask the API, or for a page, once the read models have applied the log."""
        self.until_applied()
        sent = dict(headers or {}) | (self.bearer(who) if who else {})
        url = f"{self.api_url}{path}"
        return answered(lambda: httpx.get(url, headers=sent, timeout=SECONDS, **given))

    def post(
        self,
        path: str,
        body: object = None,
        who: str = "agent",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a command to the API, again while the desk is too busy for an answer.

        What is sent again has the same key: it may have been done.
        """
        key = {"Idempotency-Key": uuid4().hex}
        sent = {**key, **self.bearer(who), **(headers or {})}
        url = f"{self.api_url}{path}"
        return answered(
            lambda: httpx.post(url, json=body or {}, headers=sent, timeout=SECONDS)
        )

    def ask_reader(
        self,
        path: str,
        body: object,
        who: str = "admin",
        key: str = "",
        retry_on: Collection[int] = BUSY,
    ) -> httpx.Response:
        """Send a command to a reader, again until it has come to it."""
        headers = self.bearer(who) | {"Idempotency-Key": key or uuid4().hex}
        url = f"{self.api_url}{path}"
        return awaited(
            lambda: answered(
                partial(httpx.post, url, json=body, headers=headers, timeout=SECONDS),
                retry_on,
            ),
            lambda told: not told.is_success or told.json()["outcome"] != "waiting",
            "the reader has come to the command",
        )

    def send_form(
        self,
        path: str,
        who: str = "agent",
        *,
        headers: Any = None,  # as httpx takes it
        **form: str,
    ) -> httpx.Response:
        """Send a form of a page, signed in, and follow to the page it leads to."""
        token = self.tokens[who]
        with httpx.Client(cookies={COOKIE: token}, timeout=SECONDS) as browser:
            sent = {"csrf": token_for(token), "key": uuid4().hex, **form}
            url = f"{self.api_url}{path}"
            answer = answered(lambda: browser.post(url, data=sent, headers=headers))
            while onward := answer.next_request:
                answer = answered(partial(browser.send, onward))
            return answer

    def until_commands_are_taken(self) -> None:
        """Return once a command reaches intake: it is ready without NATS before."""
        self.wait_ready(["projections", "intake"])
        answer = self.post("/v1/incidents/INC-999999/close")
        assert answer.status_code == 404, answer.text

    def wait_ready(self, names: Sequence[str] = SERVICES) -> None:
        """Return once these services say that they are ready."""
        for name in names:
            started = monotonic()
            while (said := self._health(name)) is not None:
                assert monotonic() - started < SECONDS, (
                    f"{name} is not ready: {said}\n{self.output(name)[-3000:]}"
                )
                sleep(pause_after(started))

    def _health(self, name: str) -> str | None:
        """Return why a service is not ready; None if it is."""
        try:
            url = f"http://127.0.0.1:{self.ports[name]}/health/ready"
            response = httpx.get(url, timeout=SECONDS)
        except httpx.HTTPError as error:
            return repr(error)
        return None if response.status_code == 200 else response.text

    def checks(self, name: str) -> dict[str, dict[str, Any]]:
        """Return what a service says of its parts, by kind, ready or not."""
        url = f"http://127.0.0.1:{self.ports[name]}/health/ready"
        found: list[dict[str, Any]] = httpx.get(url, timeout=SECONDS).json()["checks"]
        return {check["kind"]: check for check in found}

    def check(
        self,
        name: str,
        kind: str,
        holds: Callable[[dict[str, Any]], object] = lambda _: True,
    ) -> dict[str, Any]:
        """Return what a service says of a part of it, once that holds.

        A slow probe is listed as kind `probe`, and a part that cannot reach its
        database leaves values out.
        """
        return awaited(
            lambda: self.checks(name).get(kind, {}),
            lambda said: said and holds(said),
            f"what {name} says of {kind}",
        )

    def leader(self, schema: str, lease: str) -> str:
        """Return the service that holds a lease, once one of those here does."""
        pids = {f":{s.pid}/": name for name, s in self.services.items() if s.alive()}
        found: list[str] = []

        def held() -> bool:
            query = f"""SELECT holder FROM {schema}.leases
                        WHERE name = %s AND expires_at > clock_timestamp()"""
            with psycopg.connect(self.database.owner_dsn) as connection:
                row = connection.execute(query, (lease,)).fetchone()
            found[:] = [name for pid, name in pids.items() if row and pid in row[0]]
            return bool(found)

        until(held, f"the lease {schema}.{lease} is held")
        return found[0]

    def output(self, name: str) -> str:
        """Return what a service wrote, of all its starts."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace")


def other(name: str) -> str:
    """Return the twin of a service, or the one whose twin it is."""
    return name.removesuffix(TWIN) if name.endswith(TWIN) else name + TWIN


@dataclass(frozen=True)
class Setting:
    """How a desk differs from the usual one.

    `at` puts it on a lever clock that shows this instant, else it goes by that of
    PostgreSQL; `environment` and `limits` are for all services (see `Program`);
    `people` are ids that get tokens of their own.
    """

    policy: Path = POLICY
    at: datetime | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)


USUAL = Setting()


@contextmanager
def running_desk(
    folder: Path,
    *,
    durable: bool = False,
    start: Sequence[str] = SERVICES,
    setting: Setting = USUAL,
    nats: NatsCluster | None = None,
) -> Iterator[Desk]:
    """Run a desk with its files in `folder`, which `nobody` can pass.

    `nats` is a cluster that runs already; without one the desk gets a server.
    """
    bus: AbstractContextManager[NatsServer | NatsCluster] = (
        nullcontext(nats) if nats else running_nats(folder, durable=durable)
    )
    with (
        running_postgres(folder, durable=durable) as postgres,
        bus as running,
    ):
        clock: ClockMode = "server" if setting.at is None else "lever"
        desk = Desk(folder, postgres, running, postgres.fresh_database(clock))
        if setting.at is not None:
            desk.lever = folder / "lever.json"
            desk.move_to(setting.at)
        _apply_policy(desk, setting.policy)
        give_tokens(desk, setting.people)
        with serving(desk, start, setting):
            yield desk


@contextmanager
def serving(
    desk: Desk, start: Sequence[str], setting: Setting = USUAL
) -> Iterator[None]:
    """Run the services of a desk whose servers run, until they are ready and longer."""
    for name in (*SERVICES, *start):
        desk.ports[name] = reserved_port()
    for name in (*SERVICES, *start):
        desk.services[name] = _service(desk, name, setting)
    try:
        for name in start:
            desk.services[name].start()
        desk.wait_ready(start)
        yield
    finally:
        for server in desk.services.values():
            server.ask_to_stop()  # all at once, then wait for each
        for server in desk.services.values():
            server.stop()


def _apply_policy(desk: Desk, policy: Path) -> None:
    now = clock_from(desk.lever)()
    log = desk.log()
    applied = policy_store.apply(
        log,
        policy.read_text(encoding="utf-8"),
        Signature(by="root", reason="a desk for a test"),
        now,
        "test",
    )
    assert isinstance(applied, Applied), applied
    log.close()


def give_tokens(desk: Desk, people: Sequence[str] = ()) -> None:
    """Make a token for each scope, and for each of these people."""
    now = clock_from(desk.lever)()
    scopes: dict[str, tuple[str, Sequence[Scope]]] = {
        "source": ("source:demo", ["source"]),
        "alertmanager": ("source:prometheus", ["source"]),
        "agent": ("person:nadia", ["agent"]),
        "manager": ("person:sylvie", ["agent", "manager"]),
        "auditor": ("person:ida", ["auditor"]),
        "admin": ("person:root", ["admin"]),
    }
    scopes |= {who: (f"person:{who}", ["agent", "manager"]) for who in people}
    log = desk.log()
    with log.transaction() as cursor:
        for who, (actor, given) in scopes.items():
            desk.tokens[who] = create(cursor, now, actor, given).token
    log.close()


def _service(desk: Desk, name: str, setting: Setting) -> Service:
    service = name.removesuffix(TWIN)
    key_file = desk.folder / "vault.key"
    key_file.write_text(text_of(desk.master.keys), encoding="ascii")
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": desk.database.dsn(f"desk_{service}"),
        "NATS_URL": desk.nats.bus.url(service),
        "PERMANENCE_HTTP_PORT": str(desk.ports[name]),
        "PERMANENCE_INTAKE_URL": desk.intake_url,
    }
    if service == "intake":
        environment["PERMANENCE_NATS_ISSUER_SEED"] = ISSUER_SEED
    environment |= setting.environment
    if desk.lever is not None:
        environment["PERMANENCE_CLOCK_LEVER"] = str(desk.lever)
    environment["PERMANENCE_VAULT_KEY_FILE"] = str(key_file)
    program = Program(f"services.{service}", environment, setting.limits)
    return Service(program, desk.folder / f"{name}.log")
