"""From the command line to what it is about: a file, and the database of a desk."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from shared.clock import Clock, clock_from
from shared.command_line.answers import Exit, refused
from shared.command_line.desk import HOME, Database, Home, clock_at, database_of, log_at
from shared.eventlog.log import EventLog
from shared.machine.run_file import read_run


@dataclass(frozen=True, slots=True)
class Address:
    """Where the desk is that the commands are about."""

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
    """Return the text of `file` (`-`: standard input), or end with a sentence."""
    if str(file) != "-" and file.exists() and not file.is_file():
        # A pipe with a name would be waited for without end.
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
    """Give the log of a desk; None if no desk runs here and none is named."""
    address = ctx.find_object(Address) or Address(None, HOME, None)
    run = read_run(address.home)
    if url := address.database or (run and run.admin_database_url):
        with closing(EventLog.open(url, pool_size=1)) as log:
            yield log
    else:
        yield None


@contextmanager
def log_of(ctx: typer.Context, *, as_json: bool) -> Iterator[tuple[EventLog, Clock]]:
    """Give the log and the clock of a desk; end with a sentence where it is away."""
    address = ctx.find_object(Address) or Address(None, HOME, None)
    url = database_of(address.database, address.home, as_json=as_json)
    with (
        clock_at(url, address.lever, as_json=as_json) as clock,
        log_at(url, clock=clock, as_json=as_json) as log,
    ):
        yield log, clock
