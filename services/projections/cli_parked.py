"""`permanence parked`: what the read models have set aside, and another try for it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, NamedTuple

import typer
from rich.text import Text

from services.projections.following import applying
from services.projections.generations import find_live
from services.projections.read_models import MODELS
from shared.applying import Apply
from shared.command_line.answers import AsJson, Exit, answer, counted, refused, table_of
from shared.command_line.desk import (
    HOME,
    Database,
    Home,
    VaultKey,
    database_of,
    log_at,
    master_of,
)
from shared.event_log import EventLog
from shared.parked import ParkedStream, StillPoison, parked_streams, retry
from shared.tracking import Bookmark

LISTED_MAX = 1_000


Only = Annotated[
    str | None,
    typer.Option("--reader", help=f"Only this read model: {', '.join(MODELS)}."),
]

parked = typer.Typer(
    name="parked",
    help="What the read models have set aside, and another try for it.",
    no_args_is_help=True,
)


class _Reader(NamedTuple):
    bookmark: Bookmark
    apply: Apply


class _Tried(NamedTuple):
    """What became of a stream: the `events` that were applied, or the `error`."""

    reader: str
    stream: str
    events: int = 0
    error: str = ""

    def plain(self) -> dict[str, object]:
        known: dict[str, object] = {"reader": self.reader, "stream": self.stream}
        if self.error:
            return known | {"outcome": "still parked", "error": self.error}
        return known | {"outcome": "applied", "events": self.events}

    @property
    def sentence(self) -> str:
        if self.error:
            return f"{self.reader}: {self.stream} is still parked: {self.error}"
        return (
            f"{self.reader}: {self.stream} is applied, {counted(self.events, 'event')}"
        )


@parked.command("list")
def list_parked(
    reader: Only = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """List the streams that are set aside, why, and how many events wait."""
    _demand_known(reader, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    with log_at(url, as_json=as_json) as log:
        found = [
            (each.bookmark.reader, stream)
            for each in _readers(log, reader)
            for stream in _streams(log, each)
        ]
    plain = [{"reader": name, **asdict(each)} for name, each in found]
    table = table_of("reader", "stream", "since", "events", "error")
    for name, each in found:
        since, events = str(each.position), str(each.events)
        table.add_row(name, each.stream, since, events, Text(each.error))
    answer(as_json, plain, table if found else "nothing is parked")


@parked.command("retry")
def retry_parked(
    stream: Annotated[
        str | None, typer.Argument(help="Only this stream, else all.")
    ] = None,
    reader: Only = None,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Apply what is set aside, in order. What fails again stays: exit code 1."""
    _demand_known(reader, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    master = master_of(home, vault_key, as_json=as_json)
    with log_at(url, master, as_json=as_json) as log:
        tries = [
            (each, one.stream)
            for each in _readers(log, reader)
            for one in _streams(log, each)
            if stream in {None, one.stream}
        ]
        if master is None:
            _demand_no_words({each.bookmark.reader for each, _ in tries}, as_json)
        tried = [_try_again(log, each, name) for each, name in tries]
    said = [each.sentence for each in tried] or ["nothing is parked"]
    answer(as_json, [each.plain() for each in tried], *said)
    if any(each.error for each in tried):
        raise typer.Exit(Exit.DIFFERS)


def _readers(log: EventLog, only: str | None) -> list[_Reader]:
    """Return the read models that are live, or the one of that name."""
    readers: list[_Reader] = []
    for name, model in MODELS.items():
        with log.transaction() as cursor:
            live = find_live(cursor, name)
        if live is not None and only in {None, name}:
            apply = applying(model, live.schema, lambda: None)
            readers.append(_Reader(Bookmark(live.schema, name), apply))
    return readers


def _streams(log: EventLog, reader: _Reader) -> Sequence[ParkedStream]:
    with log.transaction() as cursor:
        return parked_streams(cursor, reader.bookmark, LISTED_MAX)


def _try_again(log: EventLog, reader: _Reader, stream: str) -> _Tried:
    name = reader.bookmark.reader
    try:
        events = retry(log, reader.bookmark, reader.apply, stream)
    except StillPoison as error:
        return _Tried(name, stream, error=str(error))
    return _Tried(name, stream, events=events)


def _demand_known(reader: str | None, *, as_json: bool) -> None:
    if reader is not None and reader not in MODELS:
        sentence = f"no read model {reader}: there are {', '.join(MODELS)}"
        raise refused(as_json, sentence, Exit.INVALID)


def _demand_no_words(readers: set[str], as_json: bool) -> None:
    """Refuse where words would be written as forgotten for want of the key."""
    wanting = sorted(name for name in readers if MODELS[name].opens_words)
    if wanting:
        sentence = (
            f"{', '.join(wanting)} shows personal words: name the vault's master key "
            "with --vault-key"
        )
        raise refused(as_json, sentence, Exit.INVALID)
