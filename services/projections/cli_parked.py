"""`permanence parked`: what the read models have set aside, and another try for it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import psycopg
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.projections.following import applying
from services.projections.generations import find_live
from services.projections.models import MODELS
from shared.applying import Apply
from shared.event_log import EventLog, Unavailable
from shared.machine.credentials import vault_key_file
from shared.machine.run_file import read_run
from shared.parked import ParkedStream, StillPoison, parked_streams, retry
from shared.tracking import Bookmark
from shared.vault import VaultError, read_master_key

LISTED_MAX = 1_000


class Exit(IntEnum):
    """Exit codes of `permanence parked`."""

    OK = 0
    STILL_PARKED = 1
    INVALID = 2
    UNREACHABLE = 3


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
        help="File with the vault's master key: read models show words it opens.",
    ),
]
Only = Annotated[
    str | None, typer.Option("--reader", help="Only this read model: queue, timeline.")
]

app = typer.Typer(name="parked", help=__doc__, no_args_is_help=True)


Result = dict[str, object]


class _Reader(NamedTuple):
    bookmark: Bookmark
    apply: Apply


@app.command("list")
def list_parked(
    reader: Only = None,
    database: Database = None,
    home: Home = Path(".permanence"),
    as_json: AsJson = False,
) -> None:
    """List the streams that are set aside, why, and how many events wait."""
    with _log(database, home, None) as log:
        found = {
            each.bookmark.reader: _parked(log, each) for each in _readers(log, reader)
        }
    if as_json:
        plain = [
            {"reader": name, **asdict(each)}
            for name, all_ in found.items()
            for each in all_
        ]
        typer.echo(json.dumps(plain, default=str, indent=1))
        return
    table = Table("reader", "stream", "since", "events", "error")
    for name, streams in found.items():
        for each in streams:
            since, events = str(each.position), str(each.events)
            table.add_row(name, each.stream, since, events, Text(each.error))
    Console().print(table if table.row_count else "nothing is parked")


@app.command("retry")
def retry_parked(
    stream: Annotated[
        str | None, typer.Argument(help="Only this stream, else all.")
    ] = None,
    reader: Only = None,
    database: Database = None,
    home: Home = Path(".permanence"),
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Apply what is set aside, in order. What fails again stays: exit code 1."""
    key = vault_key or _key_of(home)
    with _log(database, home, key) as log:
        tries = [
            (each, parked)
            for each in _readers(log, reader)
            for parked in _parked(log, each)
            if stream in {None, parked.stream}
        ]
        _demand_key(key, {each.bookmark.reader for each, _ in tries})
        results = [_retry(log, each, parked) for each, parked in tries]
    if as_json:
        typer.echo(json.dumps(results, indent=1))
    else:
        for result in results:
            Console().print(Text(" ".join(str(part) for part in result.values())))
        Console().print(Text(f"{len(results)} streams were tried"))
    if any(result["outcome"] == "still parked" for result in results):
        raise typer.Exit(Exit.STILL_PARKED)


def _readers(log: EventLog, only: str | None) -> list[_Reader]:
    """Return the read models that are live, or the one of that name."""
    if only is not None and only not in MODELS:
        raise _refused(f"no read model {only}: there are {', '.join(MODELS)}")
    readers: list[_Reader] = []
    for name, model in MODELS.items():
        with log.transaction() as cursor:
            live = find_live(cursor, name)
        if live is not None and only in {None, name}:
            apply = applying(model, live.schema, lambda: None)
            readers.append(_Reader(Bookmark(live.schema, name), apply))
    return readers


def _parked(log: EventLog, reader: _Reader) -> Sequence[ParkedStream]:
    with log.transaction() as cursor:
        return parked_streams(cursor, reader.bookmark, LISTED_MAX)


def _retry(log: EventLog, reader: _Reader, parked: ParkedStream) -> Result:
    """Try a parked stream again; return what became of it."""
    result: Result = {"reader": reader.bookmark.reader, "stream": parked.stream}
    try:
        events = retry(log, reader.bookmark, reader.apply, parked.stream)
    except StillPoison as error:
        return result | {"outcome": "still parked", "error": str(error)}
    return result | {"outcome": "applied", "events": events}


def _demand_key(key: Path | None, readers: set[str]) -> None:
    """Refuse where words would be written as forgotten for want of the key."""
    wanting = sorted(name for name in readers if MODELS[name].opens_words)
    if key is None and wanting:
        raise _refused(
            f"{', '.join(wanting)} shows personal words: name the vault's master key "
            "with --vault-key"
        )


def _key_of(home: Path) -> Path | None:
    file = vault_key_file(home)
    return file if file.is_file() else None


@contextmanager
def _log(
    database: str | None, home: Path, vault_key: Path | None
) -> Iterator[EventLog]:
    """Give the log of the desk; end with a sentence where it is away."""
    run = read_run(home)
    url = database or (run and run.database_url)
    if not url:
        raise _refused(
            "no desk here: start one with `make up`, or set DATABASE_URL",
            Exit.UNREACHABLE,
        )
    try:
        master = read_master_key(vault_key) if vault_key else None
        with closing(EventLog.open(url, master=master, pool_size=2)) as log:
            yield log
    except VaultError as error:
        raise _refused(str(error)) from error
    except (Unavailable, psycopg.Error) as error:
        sentence = f"the database cannot be used ({error}): is the desk running?"
        raise _refused(sentence, Exit.UNREACHABLE) from error


def _refused(sentence: str, code: Exit = Exit.INVALID) -> typer.Exit:
    Console(stderr=True, soft_wrap=True).print(Text(sentence, style="red"))
    return typer.Exit(code)
