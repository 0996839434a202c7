"""Finds the desk a command is about: its database, its log and its vault's key.

Also reads the files that commands take.
"""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from cli.shell.output import Exit, refused
from shared.clock import Clock, clock_from, lever_clock, real_clock
from shared.database.clock_mode import LeverRefused
from shared.database.server_clock import server_clock_at
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
Home = Annotated[
    Path, typer.Option(envvar="PERMANENCE_HOME", help="Where `make up` keeps its desk.")
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


def database_of(database: str | None, home: Path, *, as_json: bool) -> str:
    """Return the URL of the desk's database, or exit with a message.

    For a desk of `make up`, connects as an administrator: no command needs the owner.
    """
    run = read_run(home)
    url = database or (run and (run.admin_database_url or run.database_url))
    if not url:
        sentence = "no desk here: start one with `make up`, or set DATABASE_URL"
        raise refused(as_json, sentence, Exit.UNREACHABLE)
    return url


def master_of(
    home: Path, vault_key: Path | None, *, as_json: bool
) -> MasterKeys | None:
    """Return the vault's master keys; None if no file is named or found."""
    file = vault_key or vault_key_file(home)
    if vault_key is None and not file.is_file():
        return None
    try:
        return read_master_keys(file)
    except VaultError as error:
        raise refused(as_json, str(error), Exit.INVALID) from error


@contextmanager
def reachable(*, as_json: bool) -> Iterator[None]:
    """Exit with a message if the database is unavailable or is not one of ours."""
    try:
        yield
    except UnreadableDocument as error:
        raise refused(as_json, str(error), Exit.UNREACHABLE) from error
    except (UnknownEvent, VaultError) as error:
        sentence = (
            f"a record cannot be read ({type(error).__name__}: {error}): upgrade, or "
            "put its key back, see docs/how-to/parked-events.md"
        )
        raise refused(as_json, sentence, Exit.UNREACHABLE) from error
    except Unavailable as error:
        sentence = f"the database is not reachable ({error}): is the desk running?"
        raise refused(as_json, sentence, Exit.UNREACHABLE) from error
    except psycopg.Error as error:
        if error.sqlstate is None:  # not the server's word: the address is malformed
            sentence = (
                "DATABASE_URL is no address: write postgresql://role:…@host:5432/name"
            )
            raise refused(as_json, sentence, Exit.INVALID) from error
        told = str(error).partition("\n")[0]
        sentence = f"the database cannot be used ({told}): try `permanence migrate`"
        raise refused(as_json, sentence, Exit.UNREACHABLE) from error


@contextmanager
def log_at(
    url: str,
    master: MasterKeys | None = None,
    clock: Clock = real_clock,
    *,
    as_json: bool,
) -> Iterator[EventLog]:
    """Open the log of a desk, or exit with a message."""
    with (
        reachable(as_json=as_json),
        closing(EventLog.open(url, clock=clock, master=master, pool_size=2)) as log,
    ):
        yield log


@contextmanager
def clock_at(url: str, lever: Path | None, *, as_json: bool) -> Iterator[Clock]:
    """Return the clock of a desk: PostgreSQL's, or the lever's if the log has one.

    Exits with a message if the database is unavailable, or the lever is refused.
    """
    with reachable(as_json=as_json):
        if lever is None:
            with server_clock_at(url) as clock:
                yield clock
            return
        with log_at(url, as_json=as_json) as log:
            mode = log.clock_mode()
        if mode != "lever":
            raise refused(as_json, str(LeverRefused()), Exit.INVALID)
        yield lever_clock(lever)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of the desk that the commands are about."""

    database: str | None
    home: Path
    lever: Path | None


def remember(
    ctx: typer.Context,
    database: Database = None,
    home: Home = HOME,
    lever: Annotated[
        Path | None, typer.Option(envvar="PERMANENCE_CLOCK_LEVER", hidden=True)
    ] = None,
) -> None:
    """Remember the options all commands of a group share."""
    ctx.obj = Address(database, home, lever)


def text_of(file: Path, bytes_max: int, *, as_json: bool) -> str:
    """Return the text of `file` (`-`: standard input), or exit with a message."""
    if str(file) != "-" and file.exists() and not file.is_file():
        # opening a named pipe would wait for ever
        sentence = f"{file}: no regular file: name a file that can be read"
        raise refused(as_json, sentence, Exit.INVALID)
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            raw = opened.read(bytes_max + 1)
    except OSError as error:
        sentence = f"{file}: {error.strerror}: name a file that can be read"
        raise refused(as_json, sentence, Exit.INVALID) from error
    if len(raw) > bytes_max:
        sentence = f"{file}: over {bytes_max // 1024 // 1024} MB: make it shorter"
        raise refused(as_json, sentence, Exit.INVALID)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        sentence = f"{file}: line {line}: not UTF-8: save the file in this encoding"
        raise refused(as_json, sentence, Exit.INVALID) from error


def clock_of(ctx: typer.Context) -> Clock:
    """Return the clock of a desk."""
    address = ctx.find_object(Address)
    return clock_from(address.lever if address else None)


@contextmanager
def log_if_any(ctx: typer.Context) -> Iterator[EventLog | None]:
    """Open the log of a desk; None if no desk runs here and none is named."""
    address = ctx.find_object(Address) or Address(None, HOME, None)
    run = read_run(address.home)
    if url := address.database or (run and run.admin_database_url):
        with closing(EventLog.open(url, pool_size=1)) as log:
            yield log
    else:
        yield None


@contextmanager
def log_of(ctx: typer.Context, *, as_json: bool) -> Iterator[tuple[EventLog, Clock]]:
    """Open the log and the clock of a desk; exit with a message on failure."""
    address = ctx.find_object(Address) or Address(None, HOME, None)
    url = database_of(address.database, address.home, as_json=as_json)
    with (
        clock_at(url, address.lever, as_json=as_json) as clock,
        log_at(url, clock=clock, as_json=as_json) as log,
    ):
        yield log, clock
