"""`permanence up` and `down`: starts a desk in a folder, shows it, and stops it.

The terminal shows each process's lines behind its name, and the addresses of the desk.
A terminal that is stopped (Ctrl-S), or a pipe nobody reads, must not stop the desk: a
separate thread writes, and lines it cannot write are dropped and counted.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from queue import Full, Queue
from signal import SIGHUP, SIGINT, SIGTERM
from threading import Thread
from time import monotonic, sleep

from rich.console import Console
from rich.text import Text

from standalone.credentials import (
    Credentials,
    keep_credentials,
    own_credentials,
    vault_key_file,
)
from standalone.folder import (
    Account,
    Run,
    holder,
    linked,
    only_one,
    open_home,
    remove_run,
    run_file,
    server_account,
    witness_folder,
    write_run,
)
from standalone.ports import HOST
from standalone.postgres import demand_lever, migrate_desk
from standalone.readiness import Answer, wait_until_ready
from standalone.servers import (
    NATS,
    POSTGRES,
    ServersLog,
    own_nats,
    own_postgres,
)
from standalone.services import (
    ADMIN_ROLE,
    PROJECTIONS_ROLE,
    Service,
    demand_ports,
    environment_of,
    url_as,
)
from standalone.settings import UpSettings
from standalone.startup_error import Exit, StartupError
from standalone.supervisor import (
    Process,
    Supervisor,
    end_leftovers,
    register,
    register_file,
)

_WIDTH = 11  # of the longest name, sla_watcher
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")
_LINES_WAITING = 10_000
_LAST_WORDS_SECONDS = 2.0
_UNWITNESSED = (
    "Nothing outside the database had seen its log: if it was restored, run "
    "`permanence restored --force`, before anything is recorded."
)


class Terminal:
    """Writes lines for a person. Call `close` at the end to flush the last ones."""

    def __init__(self) -> None:
        self._console = Console(soft_wrap=True, highlight=False)
        self._colours = cycle(_COLOURS)
        self._style: dict[str, str] = {}
        self._waiting: Queue[bytes | None] = Queue(_LINES_WAITING)
        self._dropped = 0
        self._writer = Thread(target=self._write, daemon=True, name="terminal")
        self._writer.start()

    @property
    def shows_to_a_person(self) -> bool:
        """Whether a person sees the output and it is not stored: no file, no pipe."""
        return sys.stdout.isatty()

    def line(self, name: str, text: str) -> None:
        """Write one line of the process `name`."""
        style = self._style.setdefault(name, "") or next(self._colours)
        self._style[name] = style
        # Text, not markup: the processes' output is not trusted.
        prefix = Text(f"{name:>{_WIDTH}} │ ", style=style)
        self._show(prefix + Text(text, style="default"))

    def say(self, text: str, style: str = "bold") -> None:
        """Write a line of our own."""
        self._show(Text(text, style=style))

    def close(self) -> None:
        """Wait a moment for the remaining output."""
        try:
            self._waiting.put(None, timeout=_LAST_WORDS_SECONDS)
        except Full:
            return
        self._writer.join(_LAST_WORDS_SECONDS)

    def _show(self, text: Text) -> None:
        if self._dropped:
            text = Text(f"({self._dropped} lines are not shown)\n") + text
        with self._console.capture() as shown:
            self._console.print(text)
        try:
            self._waiting.put_nowait(shown.get().encode())
        except Full:
            self._dropped += 1
        else:
            self._dropped = 0

    def _write(self) -> None:
        stdout = sys.stdout.fileno()
        while (line := self._waiting.get()) is not None:
            try:
                while line:
                    line = line[os.write(stdout, line) :]
            except (
                OSError
            ):  # `make up | head`, or a closed terminal: nobody reads any more
                continue


_PATIENCE_SECONDS = 120
_LOOK_EVERY = 0.1


def down(home: Path) -> str:
    """Stop the desk and return what happened. StartupError: not ours, or it stays."""
    pid = holder(home)
    if pid is None:
        if not home.is_dir():
            return f"No desk runs in {home}."
        count = end_leftovers(home)
        remove_run(home)
        ended = f" Ended {count} processes a killed one had left." if count else ""
        return f"No desk runs in {home}.{ended}"
    try:
        os.kill(pid, SIGTERM)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError:
        raise StartupError(
            f"The desk in {home} (process {pid}) belongs to another user: stop it "
            "as that user, or as root.",
            Exit.FOLDER,
        ) from None
    # Check the lock, not the process: it may remain as a zombie for a while.
    deadline = monotonic() + _PATIENCE_SECONDS
    while holder(home) == pid:
        if monotonic() > deadline:
            raise StartupError(
                f"The desk in {home} has not stopped after {_PATIENCE_SECONDS} s: see "
                f"what it says, or end it with: kill -9 {pid} (the next `make up` "
                "tidies up)."
            )
        sleep(_LOOK_EVERY)
    return f"The desk in {home} has stopped."


Bootstrap = Callable[[str, Path | None, Credentials], Credentials]
"""Fills a migrated desk once with a policy, an administrator's token and a source key.

Gets the owner's database URL, the lever's file and the credentials; returns them with
`token` and `source_key`. Idempotent.
"""

FirstLink = Callable[[str, Path | None, str, Path], str | None]
"""Makes the link that signs the administrator in once.

Gets the owner's database URL, the lever's file, the administrator's token and the file
of the vault's master key; returns the link's secret, None if the token is not valid.
"""

BeginEpoch = Callable[[str, str, Path | None, Path], str]
"""Begins a new epoch of a restored log, before any service runs.

Gets the owner's database URL, the URL of NATS, the lever's file and the folder of what
the services have seen; returns the message to show.
"""


@dataclass(frozen=True)
class Plan:
    """The arguments of `up`."""

    settings: UpSettings
    services: tuple[Service, ...]
    bootstrap: Bootstrap
    terminal: Terminal
    begin_epoch: BeginEpoch | None = None
    """None unless somebody said that the data was restored."""
    first_link: FirstLink | None = None


def up(plan: Plan) -> None:
    """Run a desk until SIGINT, SIGTERM or SIGHUP. Raises `StartupError`."""
    account = None if plan.settings.database_url else server_account()
    home = open_home(plan.settings.home, account)
    if where := linked(plan.settings.home):
        plan.terminal.say(where)
    with only_one(home):
        remove_run(home)  # left by a desk that was killed
        if count := end_leftovers(home):
            plan.terminal.say(f"Ended {count} processes a killed desk had left.")
        demand_ports(plan.services, plan.settings)
        has_data = (home / "postgres/data").exists()
        credentials = own_credentials(home, has_data=has_data)
        desk = _Desk(plan, home, account, credentials, has_data=has_data)
        asyncio.run(desk.serve())


class _Desk:
    def __init__(
        self,
        plan: Plan,
        home: Path,
        account: Account | None,
        credentials: Credentials,
        *,
        has_data: bool,
    ) -> None:
        self._plan = plan
        self._may_be_restored = has_data and plan.begin_epoch is None
        self._home = home
        self._account = account
        self._credentials = credentials
        self._run: Run | None = None
        self._servers_log = ServersLog(home)
        self._supervisor = Supervisor(
            self._said, self._changed, report=plan.terminal.line
        )
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

    def _said(self, name: str, line: str) -> None:
        if name in (POSTGRES, NATS):
            self._servers_log.write(name, line)
        else:
            self._plan.terminal.line(name, line)

    @asynccontextmanager
    async def _step(self, doing: str, done: str, name: str = "") -> AsyncIterator[None]:
        """Write a line when a step begins and one when it is done.

        With the last words of the server `name` if it does not start.
        """
        self._plan.terminal.say(f"{doing} …", "dim")
        try:
            yield
        except StartupError as error:
            said = self._servers_log.last_of(name)
            raise StartupError(f"{error}{said}", error.code) from error
        self._plan.terminal.say(f"{done}.", "green")

    async def _start(self) -> None:
        plan, home = self._plan, self._home
        given, roles = plan.settings, self._credentials.roles
        async with self._step("Starting PostgreSQL", "PostgreSQL is ready", POSTGRES):
            owner = await own_postgres(
                self._supervisor, home, given, self._credentials, self._account
            )
        async with self._step("Migrating the database", "The database is migrated"):
            await asyncio.to_thread(_migrate, owner, roles, given)
        async with self._step("Starting NATS", "NATS is ready", NATS):
            users = await own_nats(self._supervisor, home, given, self._credentials)
        lever = plan.settings.clock_lever
        if plan.begin_epoch:
            outcome = await asyncio.to_thread(
                plan.begin_epoch, owner, users["admin"], lever, witness_folder(home)
            )
            plan.terminal.say(outcome)
        self._credentials = await asyncio.to_thread(
            plan.bootstrap, owner, lever, self._credentials
        )
        keep_credentials(home, self._credentials)
        async with self._step("Starting the services", "The services are ready"):
            for service in plan.services:
                self._supervisor.add(self._process(service, owner, users))
            answers = await asyncio.gather(*map(self._ready, plan.services))
        self._serving(owner, users, await asyncio.to_thread(self._link, owner))
        for why in sorted({each.waits_for for each in answers} - {""}):
            plan.terminal.say(f"Nothing is taken yet: {why}.", "red")
        if self._may_be_restored and any(each.unwitnessed for each in answers):
            plan.terminal.say(_UNWITNESSED)
        for service, answer in zip(plan.services, answers, strict=True):
            for part, alarm in answer.alarms.items():
                plan.terminal.say(f"Alarm of {service.name}, {part}: {alarm}.", "red")

    def _link(self, owner: str) -> str | None:
        """Return a new link for the person at the terminal, None without one."""
        plan = self._plan
        if plan.first_link is None or not plan.terminal.shows_to_a_person:
            return None
        lever, key = plan.settings.clock_lever, vault_key_file(self._home)
        return plan.first_link(owner, lever, self._credentials.token, key)

    def _process(
        self, service: Service, owner: str, users: Mapping[str, str]
    ) -> Process:
        password = self._credentials.roles[service.role]
        given = {
            "DATABASE_URL": url_as(owner, service.role, password),
            "NATS_URL": users[service.user],
            "PERMANENCE_STATE_DIR": str(witness_folder(self._home)),
        }
        if service.reads_personal_words:
            given["PERMANENCE_VAULT_KEY_FILE"] = str(vault_key_file(self._home))
        if service.admits_sources:
            given["PERMANENCE_NATS_ISSUER_SEED"] = self._credentials.nats_issuer
        environment = environment_of(service, self._plan.settings, os.environ, given)
        return Process(service.name, (sys.executable, *service.command), environment)

    async def _ready(self, service: Service) -> Answer:
        return await wait_until_ready(
            service.name,
            service.port(self._plan.settings),
            lambda: self._supervisor.pids.get(service.name),
            lambda: self._supervisor.may_come_up(service.name),
            tell=partial(self._plan.terminal.line, service.name),
        )

    def _serving(self, owner: str, users: Mapping[str, str], link: str | None) -> None:
        plan, settings = self._plan, self._plan.settings

        def url_of(role: str) -> str:
            return url_as(owner, role, self._credentials.roles[role])

        self._run = Run(
            intake_url=f"http://{HOST}:{settings.intake_port}",
            api_url=f"http://{HOST}:{settings.api_port}",
            nats_url=users["admin"],
            database_url=owner,
            admin_database_url=url_of(ADMIN_ROLE),
            projections_database_url=url_of(PROJECTIONS_ROLE),
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
        if link:
            plan.terminal.say("Open this to sign in, once, within an hour:")
            plan.terminal.say(f"  {self._run.api_url}/sign-in/link/{link}", "")

    def _changed(self, pids: Mapping[str, int]) -> None:
        try:
            register(self._home, pids)
            if self._run:
                known = {"supervisor": os.getpid(), **pids}
                self._run = Run(**{**vars(self._run), "pids": known})
                write_run(self._home, self._run)
        except OSError as reason:  # the desk continues without its run file
            self._plan.terminal.say(f"{self._home}: {reason.strerror}", "red")

    async def _end(self) -> None:
        self._run = None
        remove_run(self._home)
        services = [service.name for service in self._plan.services]
        for names in (services, [NATS], [POSTGRES]):
            await self._supervisor.stop(names, hurry=self._hurry)
        register_file(self._home).unlink(missing_ok=True)


def where_to_go(run: Run, file: Path, *, with_keys: bool) -> Sequence[str]:
    """Return the addresses to show; keys only if the output is not stored."""
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
