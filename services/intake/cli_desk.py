"""From the command line to what it is about: a file, and the database of a desk."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from services.intake.cli_answers import Exit, refused
from shared.clock import Clock, clock_from
from shared.event_log import EventLog, Unavailable
from shared.machine.run_file import read_run


@dataclass(frozen=True, slots=True)
class Address:
    """Where the desk is that the commands are about."""

    database: str | None
    home: Path
    lever: Path | None


def remember(
    ctx: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="DATABASE_URL",
            show_envvar=True,
            show_default=False,
            help="URL of the desk's database; else of the one `make up` runs.",
        ),
    ] = None,
    home: Annotated[
        Path,
        typer.Option(envvar="PERMANENCE_HOME", help="Where `make up` keeps its desk."),
    ] = Path(".permanence"),
    lever: Annotated[
        Path | None, typer.Option(envvar="PERMANENCE_CLOCK_LEVER", hidden=True)
    ] = None,
) -> None:
    """Remember the options all commands of a group share."""
    ctx.obj = Address(database, home, lever)


def text_of(file: Path, bytes_max: int, *, as_json: bool) -> str:
    """Return the text of `file` (`-`: standard input), or end with a sentence."""
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            raw = opened.read(bytes_max + 1)
    except OSError as error:
        sentence = f"{file}: {error.strerror}: name a file that can be read"
        raise refused(as_json, sentence, Exit.INVALID) from error
    if len(raw) > bytes_max:
        sentence = f"{file}: over {bytes_max // 1024} KB: make it shorter"
        raise refused(as_json, sentence, Exit.INVALID)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        sentence = f"{file}: line {line}: not UTF-8: save the file in this encoding"
        raise refused(as_json, sentence, Exit.INVALID) from error


@contextmanager
def log_of(ctx: typer.Context, *, as_json: bool) -> Iterator[tuple[EventLog, Clock]]:
    """Give the log and the clock of a desk; end with a sentence where it is away."""
    address = ctx.find_object(Address) or Address(None, Path(".permanence"), None)
    run = read_run(address.home)
    url = address.database or (run and run.database_url)
    if not url:
        sentence = "no desk here: start one with `make up`, or set DATABASE_URL"
        raise refused(as_json, sentence, Exit.UNREACHABLE)
    clock = clock_from(address.lever)
    try:
        with closing(EventLog.open(url, clock=clock, pool_size=1)) as log:
            yield log, clock
    except Unavailable as error:
        sentence = f"the database is not reachable ({error}): is the desk running?"
        raise refused(as_json, sentence, Exit.UNREACHABLE) from error
    except psycopg.Error as error:
        if error.sqlstate is None:  # not the server's word: the address is malformed
            sentence = (
                "DATABASE_URL is no address: write postgresql://role:…@host:5432/name"
            )
            raise refused(as_json, sentence, Exit.INVALID) from error
        sentence = f"the database cannot be used: {error}; try `permanence migrate`"
        raise refused(as_json, sentence, Exit.UNREACHABLE) from error
