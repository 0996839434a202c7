"""Finds the desk a command is about: its database, its log, its clock, its vault's key.

These commands work without the API, as the administrator of the database. Also reads
the files that commands take.
"""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli.shell.output import Exit, refused
from shared.clock import Clock, LeverClock, clock_from, real_clock
from shared.database.clock_mode import LeverRefused
from shared.database.copied_rows import ReplacedTable
from shared.database.server_clock import server_clock_at
from shared.domain.incident import BrokenHistory
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.documents import UnreadableDocument
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.vault.master_keys import MasterKeys
from shared.vault.vault import VaultError, read_master_keys
from standalone.credentials import vault_key_file
from standalone.folder import read_run

Database = Annotated[
    str | None,
    typer.Option(
        envvar="DATABASE_URL",
        show_default=False,
        help="URL of the desk's database; else of the one `make up` runs.",
    ),
]
ProjectionsDatabase = Annotated[
    str | None,
    typer.Option(
        envvar="PERMANENCE_PROJECTIONS_DATABASE_URL",
        show_default=False,
        help="The same database as the role desk_projections, which owns what is "
        "changed; else that of the desk `make up` runs.",
    ),
]
Home = Annotated[
    Path, typer.Option(envvar="PERMANENCE_HOME", help="Where `make up` keeps its desk.")
]
Lever = Annotated[
    Path | None, typer.Option(envvar="PERMANENCE_CLOCK_LEVER", hidden=True)
]
VaultKey = Annotated[
    Path | None,
    typer.Option(
        envvar="PERMANENCE_VAULT_KEY_FILE",
        show_default=False,
        help="File with the vault's master key; else that of the desk `make up` runs.",
    ),
]
HOME = Path(".permanence")


@dataclass(frozen=True, slots=True)
class DeskAddress:
    """The desk that a command is about, as its options name it."""

    database: str | None = None
    home: Path = HOME
    lever: Path | None = None
    projections: str | None = None
    """The URL of its database as the role of projections."""

    def url_if_any(self) -> str | None:
        """Return the URL of its database; None if no desk runs here or is named.

        For a desk of `make up`, as an administrator: no command needs the owner.
        """
        if self.database:
            return _by_full_names(self.database)
        run = read_run(self.home)
        if run is None:
            return None
        return _by_full_names(run.admin_database_url or run.database_url)

    def url(self) -> str:
        """Return the URL of its database, or exit with a message."""
        if url := self.url_if_any():
            return url
        sentence = "no desk here: start one with `make up`, or set DATABASE_URL"
        raise refused(sentence, Exit.UNREACHABLE)

    def projections_url(self) -> str:
        """Return the URL for what the role of projections owns, or exit.

        If none is named, it is the URL of the database: who builds refuses another
        role.
        """
        if named := self.projections or self.database:
            return named
        run = read_run(self.home)
        return (run.projections_database_url if run else "") or self.url()

    def master(self, vault_key: Path | None) -> MasterKeys | None:
        """Return the vault's master keys; None if no file is named or exists."""
        file = vault_key or vault_key_file(self.home)
        if vault_key is None and not file.is_file():
            return None
        return master_in(file)

    @contextmanager
    def log(
        self, master: MasterKeys | None = None, clock: Clock = real_clock
    ) -> Iterator[EventLog]:
        """Open its log, or exit with a message."""
        url = self.url()
        with (
            reachable(),
            closing(EventLog.open(url, clock=clock, master=master, pool_size=2)) as log,
        ):
            yield log

    @contextmanager
    def clock(self) -> Iterator[Clock]:
        """Return its clock: PostgreSQL's, or the lever's if the log has one.

        Exits with a message if the database is unavailable or the lever is refused.
        """
        url = self.url()
        with reachable():
            if self.lever is None:
                with server_clock_at(url) as clock:
                    yield clock
                return
            with self.log() as log:
                mode = log.clock_mode()
            if mode != "lever":
                raise refused(str(LeverRefused()), Exit.INVALID)
            yield LeverClock(self.lever)

    @contextmanager
    def log_and_clock(
        self, master: MasterKeys | None = None
    ) -> Iterator[tuple[EventLog, Clock]]:
        """Open its log, which uses its clock; exit with a message on failure."""
        with self.clock() as clock, self.log(master, clock) as log:
            yield log, clock

    def local_clock(self) -> Clock:
        """Return the clock of this machine, or the lever: no database is needed."""
        return clock_from(self.lever)


def _by_full_names(url: str) -> str:
    """Return `url` for sessions that find nothing in schemas where others may create.

    A database that was upgraded from PostgreSQL 14 lets every role create in `public`.
    """
    try:
        options = conninfo_to_dict(url).get("options") or ""
    except psycopg.ProgrammingError:
        return url  # no address: `reachable` says so
    path = "-c search_path=pg_catalog,pg_temp"
    return make_conninfo(url, options=f"{options} {path}".strip())


def remember(
    ctx: typer.Context,
    database: Database = None,
    home: Home = HOME,
    lever: Lever = None,
) -> None:
    """Remember the options that all commands of a group share."""
    ctx.obj = DeskAddress(database, home, lever)


def desk_of(ctx: typer.Context) -> DeskAddress:
    """Return the desk that the options of the group name."""
    return ctx.find_object(DeskAddress) or DeskAddress()


def master_in(file: Path) -> MasterKeys:
    """Return the master keys in a file, or exit with a message."""
    try:
        return read_master_keys(file)
    except VaultError as error:
        raise refused(str(error), Exit.INVALID) from error


@contextmanager
def reachable() -> Iterator[None]:
    """Exit with a message if the database is unavailable or is not one of ours."""
    try:
        yield
    except UnreadableDocument as error:
        raise refused(str(error), Exit.UNREACHABLE) from error
    except (UnknownEvent, VaultError, BrokenHistory) as error:
        sentence = (
            f"a record cannot be read ({type(error).__name__}: {error}): upgrade, or "
            "put its key back, see docs/how-to/parked-events.md"
        )
        raise refused(sentence, Exit.UNREACHABLE) from error
    except ReplacedTable as error:
        sentence = f"{error}: change that password, then rebuild"
        raise refused(sentence, Exit.UNREACHABLE) from error
    except Unavailable as error:
        sentence = f"the database is not reachable ({error}): is the desk running?"
        raise refused(sentence, Exit.UNREACHABLE) from error
    except psycopg.Error as error:
        if error.sqlstate is None:  # not the server's word: the address is malformed
            sentence = (
                "DATABASE_URL, or an option that names a database, is not an address: "
                "write postgresql://role:…@host:5432/name"
            )
            raise refused(sentence, Exit.INVALID) from error
        reason = str(error).partition("\n")[0]
        sentence = f"the database cannot be used ({reason}): try `permanence migrate`"
        raise refused(sentence, Exit.UNREACHABLE) from error


def text_of(file: Path, bytes_max: int) -> str:
    """Return the text of `file` (`-`: standard input), or exit with a message."""
    if str(file) != "-" and file.exists() and not file.is_file():
        # opening a named pipe would wait for ever
        sentence = f"{file}: not a regular file: name a file that can be read"
        raise refused(sentence, Exit.INVALID)
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            raw = opened.read(bytes_max + 1)
    except OSError as error:
        sentence = f"{file}: {error.strerror}: name a file that can be read"
        raise refused(sentence, Exit.INVALID) from error
    if len(raw) > bytes_max:
        sentence = f"{file}: over {bytes_max // 1024 // 1024} MB: make it shorter"
        raise refused(sentence, Exit.INVALID)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        sentence = f"{file}: line {line}: not UTF-8: save the file in this encoding"
        raise refused(sentence, Exit.INVALID) from error
