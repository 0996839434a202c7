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

from cli.shell.desk import HOME, Database, DeskAddress, Home
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from cli.shell.table import Table
from services.projections.generations import find_live
from services.projections.read_models import MODELS
from shared.database.copied_rows import ReplacedTable
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
from shared.eventlog.readers.position import Bookmark, stored_positions

LISTED_MAX = 1_000
LOOK_SECONDS = 0.1
WAIT_SECONDS = 30.0
READERS = (*MODELS, "sla_watcher", "escalation", "closing")
"""All readers; a reader that has read nothing yet has parked nothing."""
_SCHEMAS = {"sla_watcher": "sla", "closing": "intake"}
"""Of readers whose schema has another name."""

Only = Annotated[
    str | None, typer.Option("--reader", help=f"Only this one: {', '.join(READERS)}.")
]
Wait = Annotated[
    float, typer.Option(help="Seconds to wait for the reader's answer.", min=0)
]
Whose = Annotated[
    str, typer.Option(help=f"Whose: {', '.join(READERS)}.", show_default=False)
]
Reason = Annotated[
    str, typer.Option(help="Why; it is kept for ever.", show_default=False)
]
Whole = Annotated[
    bool,
    typer.Option("--all", help="Skip all that waits, not the first event alone."),
]
By = Annotated[
    str | None, typer.Option("--by", help="Who asks; else the user of this machine.")
]
Unused = Annotated[
    str | None,
    typer.Option("--vault-key", hidden=True, help="Named by scripts of version 0."),
]

_NOTHING_PARKED = "Nothing is parked."

app = typer.Typer()
parked = typer.Typer(
    help="What readers have set aside: try it again, or skip it.",
    no_args_is_help=True,
)
app.add_typer(parked, name="parked")


@parked.command("list")
def list_parked(
    reader: Only = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """List the streams that are parked, why, and how many events wait.

    Exit codes: 0 listed, 2 no such reader, 3 the database is unavailable, or a table
    of a reader was replaced.
    """
    _demand_known(reader)
    with DeskAddress(database, home).log() as log:
        found, replaced = _parked(log, reader)
    plain = [{"reader": each.reader, **asdict(stream)} for each, stream in found]
    rows = [
        (each.reader, stream.stream, stream.position, stream.events, stream.error)
        for each, stream in found
    ]
    columns = ("reader", "stream", "since", "events", "error")
    empty = _NOTHING_PARKED if not replaced else "Nothing else is parked."
    answer(plain, Table(columns, rows, empty=empty))
    _demand_whole(replaced)


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
    _demand_known(reader)
    with DeskAddress(database, home).log() as log:
        found, replaced = _parked(log, reader)
        requests = [
            ParkedRequest(bookmark, each.stream, "retry", by or getpass.getuser())
            for bookmark, each in found
            if stream in {None, each.stream}
        ]
        replies = _replies(log, requests, wait)
    _answer(replies)
    _demand_whole(replaced)


@parked.command("skip")
def skip_parked(  # noqa: PLR0913 # each is an option
    stream: Annotated[str, typer.Argument(help="The stream: incident-INC-000042.")],
    *,
    reader: Whose,
    reason: Reason,
    whole: Whole = False,
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
    _demand_known(reader)
    if not reason.strip():
        raise refused("say why with --reason", Exit.INVALID)
    with DeskAddress(database, home).log() as log:
        asks = by or getpass.getuser()
        found, replaced = _parked(log, reader)
        requests = [
            ParkedRequest(bookmark, stream, "skip", asks, whole, reason.strip())
            for bookmark, each in found
            if each.stream == stream
        ]
        replies = _replies(log, requests, wait)
    if not replies:
        _demand_whole(replaced)
        sentence = f"{reader} has not parked {stream}: see `permanence parked list`"
        raise refused(sentence, Exit.INVALID)
    _answer(replies)


@parked.command("skipped")
def list_skipped(
    reader: Only = None,
    database: Database = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """List the events that were skipped, by whom and why, the latest first.

    Exit codes: 0 listed, 2 no such reader, 3 the database is unavailable.
    """
    _demand_known(reader)
    with DeskAddress(database, home).log() as log, log.transaction() as cursor:
        stored = stored_positions(cursor).found
        homes = sorted({home_of(each.bookmark) for each in stored})
        found = [
            each
            for schema in homes
            for each in skipped_events(cursor, schema, LISTED_MAX)
            if reader in {None, each.reader}
        ]
    rows = [
        (
            each.reader,
            each.stream,
            each.position,
            f"{each.skipped_at:%Y-%m-%d %H:%M}",
            each.skipped_by,
            each.reason,
            each.error,
        )
        for each in found
    ]
    columns = ("reader", "stream", "position", "at", "by", "reason", "error")
    plain = [each._asdict() for each in found]
    answer(plain, Table(columns, rows, empty="Nothing was skipped."))


def _demand_known(reader: str | None) -> None:
    if reader is not None and reader not in READERS:
        sentence = f"no reader {reader}: choose one of {', '.join(READERS)}"
        raise refused(sentence, Exit.INVALID)


def _readers(log: EventLog, only: str | None) -> tuple[list[Bookmark], list[str]]:
    """Return all readers, of read models the live generation; and what was replaced."""
    with log.transaction() as cursor:
        live = {name: find_live(cursor, name) for name in MODELS}
        schemas = {found.schema for found in live.values() if found}
        stored = stored_positions(cursor)
    readers = [
        each
        for each, _, _ in stored.found
        if only in {None, each.reader}
        and (each.schema in schemas or each.schema == home_of(each))
    ]
    concerned = (
        sentence
        for schema, sentence in stored.replaced.items()
        if only is None
        or schema == _SCHEMAS.get(only, only)
        or schema.startswith(f"rm_{only}_v")
    )
    return readers, [*concerned]


def _parked(
    log: EventLog, only: str | None
) -> tuple[list[tuple[Bookmark, ParkedStream]], list[str]]:
    """Return what is parked of readers, and whose tables were replaced, in words."""
    readers, replaced = _readers(log, only)
    found: list[tuple[Bookmark, ParkedStream]] = []
    for each in readers:
        try:
            found += ((each, stream) for stream in _streams(log, each))
        except ReplacedTable as error:
            replaced.append(str(error))
    return found, replaced


def _demand_whole(replaced: Sequence[str]) -> None:
    if replaced:
        sentence = f"{'; '.join(replaced)}: change that password, then rebuild"
        raise refused(sentence, Exit.UNREACHABLE)


def _streams(log: EventLog, bookmark: Bookmark) -> Sequence[ParkedStream]:
    with log.transaction() as cursor:
        return parked_streams(cursor, bookmark, LISTED_MAX)


@dataclass(frozen=True, slots=True)
class ParkedReply:
    """A request, and the reader's answer if there is one.

    `refused` says why the request was not sent.
    """

    request: ParkedRequest
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
        plain: dict[str, Any] = {
            "reader": self.request.bookmark.reader,
            "stream": self.request.stream,
        }
        if self.refused is not None:
            return plain | {"outcome": "refused", "error": self.refused}
        if self.answer is None:
            return plain | {"outcome": "waiting"}
        plain["outcome"] = self.answer.outcome
        if self.request.action == "skip":
            plain["skipped"] = self.answer.skipped
        if self.answer.error:
            return plain | {"error": self.answer.error}
        return plain | {"events": self.answer.applied}

    @property
    def sentence(self) -> str:
        """Return it as a sentence."""
        return f"{self.request.bookmark.reader}: {self._outcome()}"

    def _outcome(self) -> str:
        stream, reply = self.request.stream, self.answer
        if self.refused is not None:
            return self.refused
        if reply is None:
            return (
                f"no answer about {stream} yet; it is done as soon as the reader runs: "
                "see `permanence parked list`"
            )
        match reply.outcome:
            case "applied":
                return f"{stream} is applied, {counted(reply.applied, 'event')}"
            case "still parked":
                return f"{stream} is still parked: {reply.error}"
            case "nothing parked":
                return f"nothing of {stream} is parked"
            case "skipped":
                return self._skipped(reply)

    def _skipped(self, reply: Answer) -> str:
        skipped = f"{counted(reply.skipped, 'event')} of {self.request.stream} skipped"
        if reply.error:
            return f"{skipped}; the next one is still parked: {reply.error}"
        if reply.applied:
            return f"{skipped}, {counted(reply.applied, 'event')} behind applied"
        return skipped


def _replies(
    log: EventLog, requests: Sequence[ParkedRequest], seconds: float
) -> list[ParkedReply]:
    """Send requests, and return what was answered within a number of seconds."""
    replies = [ParkedReply(each) for each in requests]
    sent: dict[int, int] = {}
    for n, each in enumerate(requests):
        try:
            with log.transaction() as cursor:
                sent[n] = ask(cursor, each)
        except Conflict as error:
            replies[n] = ParkedReply(each, refused=str(error))
    deadline, total = monotonic() + seconds, len(sent)
    with bar({"replies": "streams"}) as report:
        while sent:
            report("replies", total - len(sent), total)
            with log.transaction() as cursor:
                for n, request in tuple(sent.items()):
                    if reply := answer_of(cursor, requests[n].bookmark, request):
                        replies[n] = ParkedReply(requests[n], reply)
                        del sent[n]
            if not sent or monotonic() > deadline:
                break
            sleep(LOOK_SECONDS)
    return replies


def _answer(replies: Sequence[ParkedReply]) -> None:
    sentences = [each.sentence for each in replies] or [_NOTHING_PARKED]
    answer([each.plain() for each in replies], *sentences)
    if code := max((each.code for each in replies), default=Exit.OK):
        raise typer.Exit(code)
