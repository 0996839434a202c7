"""`permanence parked`: events that readers have parked; retry or skip them.

A retry or a skip is requested from the reader, which does it with its own rules and
rights.
"""

import getpass
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import monotonic, sleep
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.shell.desk import HOME, Database, Home, database_of, log_at
from cli.shell.output import AsJson, Exit, answer, counted, refused, table_of
from services.projections.generations import find_live
from services.projections.read_models import MODELS
from shared.database.roles import only_tables
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_commands import (
    Answer,
    Conflict,
    ParkedRequest,
    answer_of,
    ask,
    home_of,
    skipped_events,
)
from shared.eventlog.readers.parked_events import ParkedStream, parked_streams
from shared.eventlog.readers.position import Bookmark, bookmarks


@dataclass(frozen=True, slots=True)
class ParkedAnswer:
    """A request, and its answer if there is one; `refused` says why it was not sent."""

    wanted: ParkedRequest
    answer: Answer | None = None
    refused: str | None = None

    @property
    def code(self) -> Exit:
        """The exit code that follows from the answer."""
        if self.refused is not None:
            return Exit.OUTRUN
        if self.answer is None:
            return Exit.UNREACHABLE
        return Exit.DIFFERS if self.answer.error else Exit.OK

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        known: dict[str, Any] = {
            "reader": self.wanted.bookmark.reader,
            "stream": self.wanted.stream,
        }
        if self.refused is not None:
            return known | {"outcome": "refused", "error": self.refused}
        if self.answer is None:
            return known | {"outcome": "waiting"}
        known["outcome"] = self.answer.outcome
        if self.wanted.action == "skip":
            known["skipped"] = self.answer.skipped
        if self.answer.error:
            return known | {"error": self.answer.error}
        return known | {"events": self.answer.applied}

    @property
    def sentence(self) -> str:
        """Return it as a sentence."""
        return f"{self.wanted.bookmark.reader}: {self._about()}"

    def _about(self) -> str:
        stream, found = self.wanted.stream, self.answer
        if self.refused is not None:
            return self.refused
        if found is None:
            return (
                f"no answer about {stream} yet; it is done as soon as the reader runs: "
                "see `permanence parked list`"
            )
        match found.outcome:
            case "applied":
                return f"{stream} is applied, {counted(found.applied, 'event')}"
            case "still parked":
                return f"{stream} is still parked: {found.error}"
            case "nothing parked":
                return f"nothing of {stream} is parked"
            case "skipped":
                return self._skipped(found)

    def _skipped(self, found: Answer) -> str:
        said = f"{counted(found.skipped, 'event')} of {self.wanted.stream} skipped"
        if found.error:
            return f"{said}; the next one is still parked: {found.error}"
        if found.applied:
            return f"{said}, {counted(found.applied, 'event')} behind applied"
        return said


LISTED_MAX = 1_000
LOOK_SECONDS = 0.1
WAIT_SECONDS = 30.0
READERS = (*MODELS, "sla_watcher", "escalation", "closing")
"""All readers; a reader that has read nothing yet has parked nothing."""

Only = Annotated[
    str | None, typer.Option("--reader", help=f"Only this one: {', '.join(READERS)}.")
]
Wait = Annotated[
    float, typer.Option(help="Seconds to wait for the reader's answer.", min=0)
]
By = Annotated[
    str | None, typer.Option("--by", help="Who asks; else the user of this machine.")
]
Unused = Annotated[
    str | None,
    typer.Option("--vault-key", hidden=True, help="Named by scripts of version 0."),
]

parked = typer.Typer(
    name="parked",
    help="What readers have set aside: try it again, or skip it.",
    no_args_is_help=True,
)


@parked.command("list")
def list_parked(
    reader: Only = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """List the streams that are parked, why, and how many events wait."""
    _demand_known(reader, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    with log_at(url, as_json=as_json) as log:
        found = [
            (bookmark.reader, stream)
            for bookmark in _readers(log, reader)
            for stream in _streams(log, bookmark)
        ]
    plain = [{"reader": name, **asdict(each)} for name, each in found]
    table = table_of("reader", "stream", "since", "events", "error")
    for name, each in found:
        since, events = str(each.position), str(each.events)
        table.add_row(name, each.stream, since, events, Text(each.error))
    answer(as_json, plain, table if found else "nothing is parked")


@parked.command("retry")
def retry_parked(  # noqa: PLR0913, PLR0917 # each is an option
    stream: Annotated[
        str | None, typer.Argument(help="Only this stream, else all.")
    ] = None,
    reader: Only = None,
    wait: Wait = WAIT_SECONDS,
    by: By = None,
    database: Database = None,
    home: Home = HOME,
    vault_key: Unused = None,
    as_json: AsJson = False,
) -> None:
    """Have parked events applied, in order, by the reader that parked them.

    Exit codes: 0 applied, 1 something is still parked, 3 the database is unavailable,
    or the reader does not answer: the request is kept until the reader runs.
    """
    del vault_key
    _demand_known(reader, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    asked_by = by or getpass.getuser()
    with log_at(url, as_json=as_json) as log:
        wanted = [
            ParkedRequest(bookmark, each.stream, "retry", asked_by)
            for bookmark in _readers(log, reader)
            for each in _streams(log, bookmark)
            if stream in {None, each.stream}
        ]
        said = _asked(log, wanted, wait)
    _answer(said, as_json=as_json)


@parked.command("skip")
def skip_parked(  # noqa: PLR0913 # each is an option
    stream: Annotated[str, typer.Argument(help="The stream: incident-INC-000042.")],
    *,
    reader: Annotated[
        str, typer.Option(help=f"Whose: {', '.join(READERS)}.", show_default=False)
    ],
    reason: Annotated[
        str, typer.Option(help="Why; it is kept for ever.", show_default=False)
    ],
    whole: Annotated[
        bool,
        typer.Option("--all", help="Skip all that waits, not the first event alone."),
    ] = False,
    wait: Wait = WAIT_SECONDS,
    by: By = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Have the first parked event of a stream skipped, and those behind it applied.

    The reader never applies a skipped event; the log keeps it. Who skipped it, when and
    why is recorded. Exit codes: 0 done, 1 the events behind it cannot be applied either
    and are still parked, 2 wrong arguments, 3 the database is unavailable, or the
    reader does not answer: the request is kept until the reader runs.
    """
    _demand_known(reader, as_json=as_json)
    if not reason.strip():
        raise refused(as_json, "say why with --reason", Exit.INVALID)
    url = database_of(database, home, as_json=as_json)
    with log_at(url, as_json=as_json) as log:
        asked_by = by or getpass.getuser()
        wanted = [
            ParkedRequest(bookmark, stream, "skip", asked_by, whole, reason.strip())
            for bookmark in _readers(log, reader)
            if any(each.stream == stream for each in _streams(log, bookmark))
        ]
        _demand_parked(wanted, reader, stream, as_json=as_json)
        said = _asked(log, wanted, wait)
    _answer(said, as_json=as_json)


@parked.command("skipped")
def list_skipped(
    reader: Only = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """List the events that were skipped, by whom and why, the latest first."""
    _demand_known(reader, as_json=as_json)
    url = database_of(database, home, as_json=as_json)
    with log_at(url, as_json=as_json) as log, log.transaction() as cursor:
        homes = sorted({home_of(each) for each in bookmarks(cursor)})
        found = [
            each
            for schema in homes
            for each in skipped_events(cursor, schema, LISTED_MAX)
            if reader in {None, each.reader}
        ]
    table = table_of("reader", "stream", "position", "at", "by", "reason", "error")
    for each in found:
        at, position = f"{each.skipped_at:%Y-%m-%d %H:%M}", str(each.position)
        words = (Text(each.skipped_by), Text(each.reason), Text(each.error))
        table.add_row(each.reader, each.stream, position, at, *words)
    plain = [each._asdict() for each in found]
    answer(as_json, plain, table if found else "nothing was skipped")


def _demand_parked(
    wanted: Sequence[ParkedRequest], reader: str, stream: str, *, as_json: bool
) -> None:
    if not wanted:
        sentence = f"{reader} has not parked {stream}: see `permanence parked list`"
        raise refused(as_json, sentence, Exit.INVALID)


def _readers(log: EventLog, only: str | None) -> list[Bookmark]:
    """Return all readers; of read models, the live generation."""
    with log.transaction() as cursor:
        live = {name: find_live(cursor, name) for name in MODELS}
        schemas = {found.schema for found in live.values() if found}
        return [
            each
            for each in bookmarks(cursor)
            if only in {None, each.reader}
            and (each.schema in schemas or each.schema == home_of(each))
        ]


def _streams(log: EventLog, bookmark: Bookmark) -> Sequence[ParkedStream]:
    with log.transaction() as cursor, only_tables(cursor):
        return parked_streams(cursor, bookmark, LISTED_MAX)


def _asked(
    log: EventLog, wanted: Sequence[ParkedRequest], seconds: float
) -> list[ParkedAnswer]:
    """Send a request, and return what was answered within a number of seconds."""
    said = [ParkedAnswer(each) for each in wanted]
    asked: dict[int, int] = {}
    for n, each in enumerate(wanted):
        try:
            with log.transaction() as cursor:
                asked[n] = ask(cursor, each)
        except Conflict as error:
            said[n] = ParkedAnswer(each, refused=str(error))
    deadline = monotonic() + seconds
    while asked:
        with log.transaction() as cursor:
            for n, request in tuple(asked.items()):
                if found := answer_of(cursor, wanted[n].bookmark, request):
                    said[n] = ParkedAnswer(wanted[n], found)
                    del asked[n]
        if not asked or monotonic() > deadline:
            break
        sleep(LOOK_SECONDS)
    return said


def _answer(said: Sequence[ParkedAnswer], *, as_json: bool) -> None:
    plain: list[dict[str, Any]] = [each.plain() for each in said]
    sentences = [each.sentence for each in said] or ["nothing is parked"]
    answer(as_json, plain, *sentences)
    code = max((each.code for each in said), default=Exit.OK)
    if code:
        raise typer.Exit(code)


def _demand_known(reader: str | None, *, as_json: bool) -> None:
    if reader is not None and reader not in READERS:
        sentence = f"no reader {reader}: there are {', '.join(READERS)}"
        raise refused(as_json, sentence, Exit.INVALID)
