"""What the commands of projections share: their options, and the log they are about."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Annotated, NoReturn

import psycopg
import typer
from rich.console import Console
from rich.text import Text

from shared.event_log import EventLog, Unavailable
from shared.machine.credentials import vault_key_file
from shared.machine.run_file import read_run
from shared.vault import VaultError, read_master_key


class Exit(IntEnum):
    """Exit codes of `permanence rebuild`, `replay` and `audit`."""

    OK = 0
    DIFFERS = 1
    INVALID = 2
    UNREACHABLE = 3
    BUSY = 4


AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
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


@dataclass(frozen=True, slots=True)
class Address:
    """A desk's database and the key of its vault, where there is one at hand."""

    dsn: str
    master: bytes | None


def address(
    database: str | None, home: Path, vault_key: Path | None, *, as_json: bool
) -> Address:
    """Return where the desk is, or end with a sentence."""
    run = read_run(home)
    url = database or (run and run.database_url)
    if not url:
        sentence = "no desk here: start one with `make up`, or set DATABASE_URL"
        refuse(as_json, sentence, Exit.UNREACHABLE)
    file = vault_key or vault_key_file(home)
    if vault_key is None and not file.is_file():
        return Address(url, None)
    try:
        return Address(url, read_master_key(file))
    except VaultError as error:
        refuse(as_json, str(error), Exit.INVALID)


@contextmanager
def reachable(*, as_json: bool) -> Iterator[None]:
    """End with a sentence where the database is away or is none of ours."""
    try:
        yield
    except Unavailable as error:
        sentence = f"the database is not reachable ({error}): is the desk running?"
        refuse(as_json, sentence, Exit.UNREACHABLE)
    except psycopg.Error as error:
        if error.sqlstate is None:  # not the server's word: the address is malformed
            sentence = (
                "DATABASE_URL is no address: write postgresql://role:…@host:5432/name"
            )
            refuse(as_json, sentence, Exit.INVALID)
        told = str(error).partition("\n")[0]
        sentence = f"the database cannot be used ({told}): try `permanence migrate`"
        refuse(as_json, sentence, Exit.UNREACHABLE)


@contextmanager
def log_at(desk: Address, *, as_json: bool) -> Iterator[EventLog]:
    """Give the log of a desk, or end with a sentence."""
    with (
        reachable(as_json=as_json),
        closing(EventLog.open(desk.dsn, master=desk.master, pool_size=2)) as log,
    ):
        yield log


def refuse(as_json: bool, sentence: str, code: Exit) -> NoReturn:
    """Say why not, and end the command."""
    if as_json:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False))
    else:
        Console(stderr=True, soft_wrap=True).print(Text(sentence, style="red"))
    raise typer.Exit(code)
