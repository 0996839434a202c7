"""`permanence up`: from an empty folder to a desk that serves, and a clean end."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

from shared.machine.account import Account, server_account
from shared.machine.credentials import (
    Credentials,
    keep_credentials,
    own_credentials,
    vault_key_file,
)
from shared.machine.data_place import linked
from shared.machine.home import open_home
from shared.machine.leftovers import end_leftovers, register, register_file
from shared.machine.lock import only_one
from shared.machine.migration import demand_lever, migrate_desk
from shared.machine.own_servers import NATS, POSTGRES, own_nats, own_postgres
from shared.machine.ports import HOST
from shared.machine.process import Process
from shared.machine.ready import wait_until_ready
from shared.machine.roster import (
    ADMIN_ROLE,
    Service,
    demand_ports,
    environment_of,
    url_as,
)
from shared.machine.run_file import Run, remove_run, run_file, write_run
from shared.machine.settings import UpSettings
from shared.machine.supervisor import Supervisor
from shared.machine.terminal import Terminal

Bootstrap = Callable[[str, Path | None, Credentials], Credentials]
"""Fills a migrated desk with what nobody can start without, once: a first policy, an
administrator's token, a source key. Gets the owner's database URL, the file that moves
time and the credentials; returns them with `token` and `source_key`. Idempotent."""

BeginEpoch = Callable[[str, str, Path | None], str]
"""Begins a new epoch of a log that was restored, while no service runs yet.

Gets the owner's database URL, the URL of NATS and the file that moves time; returns
what to say."""


@dataclass(frozen=True)
class Plan:
    """All that `up` is told."""

    settings: UpSettings
    services: tuple[Service, ...]
    bootstrap: Bootstrap
    terminal: Terminal
    begin_epoch: BeginEpoch | None = None
    """None unless somebody said that the data was restored."""


def up(plan: Plan) -> None:
    """Run a desk until SIGINT, SIGTERM or SIGHUP. Raises `Trouble`."""
    account = None if plan.settings.database_url else server_account()
    home = open_home(plan.settings.home, account)
    if where := linked(plan.settings.home):
        plan.terminal.say(where)
    with only_one(home):
        remove_run(home)  # of a desk that was killed
        if count := end_leftovers(home):
            plan.terminal.say(f"Ended {count} processes a killed desk had left.")
        demand_ports(plan.services, plan.settings)
        credentials = own_credentials(home, has_data=(home / "postgres/data").exists())
        asyncio.run(_Desk(plan, home, account, credentials).serve())


class _Desk:
    def __init__(
        self, plan: Plan, home: Path, account: Account | None, credentials: Credentials
    ) -> None:
        self._plan = plan
        self._home = home
        self._account = account
        self._credentials = credentials
        self._run: Run | None = None
        self._supervisor = Supervisor(plan.terminal.line, self._changed)
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        for signal in (SIGINT, SIGTERM, SIGHUP):
            loop.add_signal_handler(signal, self._told_to_stop)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when="FIRST_COMPLETED")
            if starting.done():
                starting.result()
                await stopping
        finally:
            starting.cancel()
            stopping.cancel()
            await self._end()

    def _told_to_stop(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
            return
        self._plan.terminal.say("Stopping; once more to kill.")
        self._stop.set()

    async def _start(self) -> None:
        plan, home = self._plan, self._home
        owner = await own_postgres(
            self._supervisor, home, plan.settings, self._credentials, self._account
        )
        await asyncio.to_thread(_migrate, owner, self._credentials.roles, plan.settings)
        users = await own_nats(self._supervisor, home, plan.settings, self._credentials)
        lever = plan.settings.clock_lever
        if plan.begin_epoch:
            said = await asyncio.to_thread(
                plan.begin_epoch, owner, users["admin"], lever
            )
            plan.terminal.say(said)
        self._credentials = await asyncio.to_thread(
            plan.bootstrap, owner, lever, self._credentials
        )
        keep_credentials(home, self._credentials)
        for service in plan.services:
            self._supervisor.add(self._process(service, owner, users))
        waits_for = await asyncio.gather(*map(self._ready, plan.services))
        self._serving(owner, users)
        for why in sorted(set(filter(None, waits_for))):
            plan.terminal.say(f"Nothing is taken yet: {why}.", "red")

    def _process(
        self, service: Service, owner: str, users: Mapping[str, str]
    ) -> Process:
        password = self._credentials.roles[service.role]
        given = {
            "DATABASE_URL": url_as(owner, service.role, password),
            "NATS_URL": users[service.user],
        }
        if service.reads_personal_words:
            given["PERMANENCE_VAULT_KEY_FILE"] = str(vault_key_file(self._home))
        if service.admits_sources:
            given["PERMANENCE_NATS_ISSUER_SEED"] = self._credentials.nats_issuer
        environment = environment_of(service, self._plan.settings, os.environ, given)
        return Process(service.name, (sys.executable, *service.command), environment)

    async def _ready(self, service: Service) -> str:
        return await wait_until_ready(
            service.name,
            service.port(self._plan.settings),
            lambda: self._supervisor.pids.get(service.name),
            lambda: self._supervisor.may_come_up(service.name),
        )

    def _serving(self, owner: str, users: Mapping[str, str]) -> None:
        plan, settings = self._plan, self._plan.settings
        self._run = Run(
            intake_url=f"http://{HOST}:{settings.intake_port}",
            api_url=f"http://{HOST}:{settings.api_port}",
            nats_url=users["admin"],
            database_url=owner,
            admin_database_url=url_as(
                owner, ADMIN_ROLE, self._credentials.roles[ADMIN_ROLE]
            ),
            token=self._credentials.token,
            source_key=self._credentials.source_key,
            pids={},
            ports={service.name: service.port(settings) for service in plan.services},
        )
        self._changed(self._supervisor.pids)
        plan.terminal.say("Permanence is up; Ctrl-C stops it.")
        shown = plan.terminal.shows_to_a_person
        for line in where_to_go(self._run, run_file(self._home), with_keys=shown):
            plan.terminal.say(f"  {line}", "")

    def _changed(self, pids: Mapping[str, int]) -> None:
        try:
            register(self._home, pids)
            if self._run:
                known = {"supervisor": os.getpid(), **pids}
                self._run = Run(**{**vars(self._run), "pids": known})
                write_run(self._home, self._run)
        except OSError as reason:  # the desk goes on without its notes
            self._plan.terminal.say(f"{self._home}: {reason.strerror}", "red")

    async def _end(self) -> None:
        self._run = None
        remove_run(self._home)
        services = [service.name for service in self._plan.services]
        for names in (services, [NATS], [POSTGRES]):
            await self._supervisor.stop(names, hurry=self._hurry)
        register_file(self._home).unlink(missing_ok=True)


def where_to_go(run: Run, file: Path, *, with_keys: bool) -> Sequence[str]:
    """Return what to show of a desk that serves; keys only where nothing keeps them."""
    unseen = "not shown: not a terminal"
    return [
        f"API         {run.api_url}",
        f"Intake      {run.intake_url}",
        f"Form        {run.api_url}/report, or {run.intake_url}/report",
        f"Token       {run.token if with_keys else unseen}",
        f"Source key  {run.source_key if with_keys else unseen}",
        f"All of it   {file}",
    ]


def _migrate(owner: str, roles: Mapping[str, str], settings: UpSettings) -> None:
    migrate_desk(owner, roles, settings.clock)
    if settings.clock_lever is not None:
        demand_lever(owner, settings.clock_lever)
