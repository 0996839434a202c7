"""The desk of the demo: real servers and services, each of which it may kill.

Its folder is created again each time, and never takes the place of another desk. It is
filled with the policy, the people and the tokens of Valmont.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from signal import SIGKILL
from typing import Any

from psycopg import Cursor

from demo.cast import PEOPLE, SOURCES, STAFF
from services.intake.directory.address_facts import Author, import_recorded
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.contact_methods.store import put_value, values_of, verify_value
from shared.domain.events.contact_method import (
    DIRECTORY_MAIL,
    PersonContactMethodVerified,
)
from shared.domain.identifiers import person_stream
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.security.access import create
from standalone.credentials import Credentials, own_credentials, vault_key_file
from standalone.folder import (
    Account,
    lock_file,
    only_one,
    open_home,
    witness_folder,
)
from standalone.ports import free_port
from standalone.postgres import migrate_desk
from standalone.readiness import wait_until_ready
from standalone.servers import NATS, POSTGRES, own_nats, own_postgres
from standalone.services import SERVICES, Service, environment_of, url_as
from standalone.settings import UpSettings
from standalone.startup_error import Exit, StartupError
from standalone.supervisor import (
    Process,
    Supervisor,
    end_leftovers,
    register,
    signal_group,
)

TWINS = ("sla_watcher",)
"""Services with a second process: promises are watched twice."""


@dataclass
class Running:
    """A desk whose processes can be killed and started again."""

    home: Path
    settings: UpSettings
    supervisor: Supervisor
    credentials: Credentials
    account: Account | None
    services: Mapping[str, Service]
    given: Mapping[str, str]
    owner: str = ""
    users: Mapping[str, str] | None = None

    @property
    def api_url(self) -> str:
        """Where people read and send commands, and where the page is."""
        return f"http://127.0.0.1:{self.settings.api_port}"

    @property
    def intake_url(self) -> str:
        """Where signals are posted."""
        return f"http://127.0.0.1:{self.settings.intake_port}"

    @property
    def has_own_postgres(self) -> bool:
        """Whether we started PostgreSQL ourselves, so that we may stop it."""
        return self.settings.database_url is None

    async def serve_servers(self) -> None:
        """Start PostgreSQL and NATS, and bring the database up to date."""
        self.owner = await own_postgres(
            self.supervisor, self.home, self.settings, self.credentials, self.account
        )
        await asyncio.to_thread(
            migrate_desk, self.owner, self.credentials.roles, "lever"
        )
        self.users = await own_nats(
            self.supervisor, self.home, self.settings, self.credentials
        )

    async def start(self, names: Iterable[str]) -> None:
        """Start these services, and return once they are ready."""
        chosen = list(names)
        for name in chosen:
            self.supervisor.add(self._process(name))
        await asyncio.gather(*map(self._ready, chosen))

    async def kill(self, names: Iterable[str]) -> None:
        """End these services by SIGKILL; they stay down."""
        chosen = list(names)
        for name in chosen:
            signal_group(self.supervisor.pids[name], SIGKILL)
        await self._stop(chosen)

    async def without_postgres(self) -> None:
        """Make PostgreSQL unavailable."""
        await self._stop([POSTGRES])

    async def with_postgres(self, except_for: Iterable[str] = ()) -> None:
        """Make PostgreSQL available again, with its data."""
        self.owner = await own_postgres(
            self.supervisor, self.home, self.settings, self.credentials, self.account
        )
        down = set(except_for)
        await asyncio.gather(*(self._ready(n) for n in self.services if n not in down))

    async def end(self) -> None:
        """Stop everything, the servers last."""
        for names in (list(self.services), [NATS], [POSTGRES]):
            await self._stop(names)

    async def _stop(self, names: Iterable[str]) -> None:
        await self.supervisor.stop(names, hurry=asyncio.Event())

    def _process(self, name: str) -> Process:
        service = self.services[name]
        password = self.credentials.roles[service.role]
        given = {
            **self.given,
            "DATABASE_URL": url_as(self.owner, service.role, password),
            "NATS_URL": (self.users or {})[service.user],
            "PERMANENCE_PUBLIC_URL": self.api_url,
            "PERMANENCE_STATE_DIR": str(witness_folder(self.home)),
        }
        if service.reads_personal_words:
            given["PERMANENCE_VAULT_KEY_FILE"] = str(vault_key_file(self.home))
        environment = environment_of(service, self.settings, os.environ, given)
        return Process(name, (sys.executable, *service.command), environment)

    async def _ready(self, name: str) -> None:
        await wait_until_ready(
            name,
            self.services[name].port(self.settings),
            lambda: self.supervisor.pids.get(name),
            lambda: self.supervisor.may_come_up(name),
        )


@asynccontextmanager
async def running(
    home: Path, account: Account | None, given: Mapping[str, str]
) -> AsyncIterator[Running]:
    """Yield a desk whose servers run, without services; ends everything afterwards."""
    log = (home / "demo.log").open("a", encoding="utf-8")

    def write(name: str, line: str) -> None:
        log.write(f"{name} | {line}\n")
        log.flush()

    desk = Running(
        home=home,
        settings=_settings(home),
        supervisor=Supervisor(write, lambda pids: register(home, pids)),
        credentials=own_credentials(home, has_data=False),
        account=account,
        services=_services(),
        given=given,
    )
    try:
        await desk.serve_servers()
        yield desk
    finally:
        await desk.end()
        log.close()


def _settings(home: Path) -> UpSettings:
    """Return the usual settings with free ports, since another desk may be running."""
    return UpSettings(
        home=home,
        api_port=free_port(),
        intake_port=free_port(),
        sla_watcher_port=free_port(),
        escalation_port=free_port(),
    )


def _services() -> Mapping[str, Service]:
    services = {service.name: service for service in SERVICES}
    for name in TWINS:
        twin = replace(services[name], name=f"{name}_2", port=_always(free_port()))
        services[twin.name] = twin
    return services


def _always(port: int) -> Callable[[UpSettings], int]:
    return lambda _: port


MARK = "demo"
"""The file that marks the folder of a demo; the log's first event does too."""


@contextmanager
def fresh_home(home: Path, account: Account | None) -> Iterator[Path]:
    """Yield `home`, empty except for its lock and its mark.

    A log cannot be emptied: the folder of the last demo is deleted as a whole.
    StartupError: a demo is running there, or its contents are not a demo's.
    """
    home = open_home(home, account)
    with only_one(home):
        _demand_a_demos(home)
        end_leftovers(home)
        for path in home.iterdir():
            if path in {lock_file(home), home / MARK}:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield home


def _demand_a_demos(home: Path) -> None:
    """Mark `home` as a demo's. StartupError: it has a desk that must not be deleted."""
    mark = home / MARK
    others = {path.name for path in home.iterdir()} - {lock_file(home).name, MARK}
    if others and not mark.exists():
        raise StartupError(
            f"The folder {home} holds a desk that is not a demo, and the demo would "
            "delete it: give it a folder of its own with `permanence demo --home …`",
            Exit.FOLDER,
        )
    mark.touch()


POLICY = Path(__file__).parents[1] / "deploy" / "valmont.yaml"


@dataclass(frozen=True)
class Tokens:
    """Bearer tokens by person, keys by source."""

    people: dict[str, str]
    sources: dict[str, str]


def fill(log: EventLog, now: datetime) -> Tokens:
    """Fill an empty log. StartupError: it is not empty, so not this demo's."""
    if log.head().position:
        raise StartupError(
            "The database named by DATABASE_URL holds a log already, and a log cannot "
            "be cleaned: give the demo an empty database, or leave DATABASE_URL out.",
            Exit.MIGRATION,
        )
    text = POLICY.read_text(encoding="utf-8")
    signature = Signature(by="sylvie", reason="the desk opens", approved_by="sylvie")
    applied = policy_store.apply(log, text, signature, now, "demo")
    if not isinstance(applied, Applied):
        raise StartupError(
            f"{POLICY} cannot be applied: {applied[0]}", Exit.INSTALLATION
        )
    import_recorded(log, PEOPLE, Author("system:demo", now))
    with log.transaction() as cursor:
        people = {
            who: create(cursor, now, f"person:{who}", scopes, label="demo").token
            for who, scopes in STAFF.items()
        }
        sources = {
            name: create(cursor, now, f"source:{name}", ("source",), label="demo").token
            for name in SOURCES
        }
        verify_addresses(log, cursor, sorted(STAFF), now)
    return Tokens(people, sources)


def verify_addresses(
    log: EventLog, cursor: Cursor[Any], people: Sequence[str], at: datetime
) -> None:
    """Record that people proved their addresses in the directory.

    Nothing may be written in the same transaction afterwards.
    """
    found = values_of(cursor, people)
    known = [who for who in people if DIRECTORY_MAIL in found[who]]
    for who in known:
        address = found[who][DIRECTORY_MAIL].value
        put_value(cursor, who, DIRECTORY_MAIL, "mail", address, at)
        verify_value(cursor, who, DIRECTORY_MAIL, at)
    log.append(cursor, [_verified(log, cursor, who, at) for who in known])


def _verified(
    log: EventLog, cursor: Cursor[Any], person: str, at: datetime
) -> AppendUnit:
    stream = person_stream(person)
    version = len(log.stored_histories(cursor, [stream])) + 1
    event = PersonContactMethodVerified(
        at=at, by=f"person:{person}", person=person, method=DIRECTORY_MAIL
    )
    return AppendUnit((log.stored(stream, version, event),))
