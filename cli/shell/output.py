"""How commands answer: sentences for people, JSON for programs, an exit code for both.

Progress bars go to standard error, so that answers and logs stay clean. Tables fit a
terminal of any width: lines end between words. If the words of all columns do not fit
side by side, each row becomes a list of its fields.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from itertools import zip_longest
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.text import Text

from shared.mistake import Mistake


@contextmanager
def bar(
    stages: Mapping[str, str], *, hidden: bool
) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that moves the bar of a stage: its key, done, total."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        disable=hidden or not console.is_terminal,
    ) as progress:
        tasks = {
            stage: progress.add_task(text, total=None, visible=False)
            for stage, text in stages.items()
        }

        def told(stage: str, done: int, of: int) -> None:
            progress.update(tasks[stage], completed=done, total=of, visible=True)

        yield told


GAP = "  "
WORDS_MAX = (40, 24)
"""Longer words may be broken: digests and addresses, and if need be paths and keys."""


@dataclass
class Sheet:
    """A table that grows; nothing in it is cut off, and markup is not interpreted."""

    columns: Sequence[str]
    title: str | None = None
    rows: list[tuple[Text, ...]] = field(default_factory=list)

    def add_row(self, *cells: Text | str) -> None:
        """Add a row, a cell for each column."""
        texts = (Text(each) if isinstance(each, str) else each for each in cells)
        self.rows.append(tuple(texts))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Text]:
        """Yield the lines in the form that rich expects."""
        if self.title:
            yield Text(self.title, style="italic")
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._listed(console, options.max_width)
            return
        yield from _lines(console, self._heads(), widths)
        for row in self.rows:
            yield from _lines(console, row, widths)

    def _heads(self) -> tuple[Text, ...]:
        return tuple(Text(name, style="bold") for name in self.columns)

    def _widths(self, width: int) -> list[int] | None:
        words, whole = self._needs()
        room = width - len(GAP) * (len(self.columns) - 1)
        for most in WORDS_MAX:
            kept = [min(word, most) for word in words]
            widths = shared_out(kept, whole, room)
            if widths is not None:
                return widths
        return None

    def _needs(self) -> tuple[list[int], list[int]]:
        """Return the width of each column's longest word, and of its longest line."""
        held = list(zip(self._heads(), *self.rows, strict=True))
        words = [
            _widest(word for cell in col for word in cell.plain.split()) for col in held
        ]
        lines = [
            _widest(line for cell in col for line in cell.plain.splitlines())
            for col in held
        ]
        return words, lines

    def _listed(self, console: Console, room: int) -> Iterator[Text]:
        name_width = _widest(self.columns)
        widths = (name_width, max(1, room - name_width - len(GAP)))
        for number, row in enumerate(self.rows):
            if number:
                yield Text()
            for head, cell in zip(self._heads(), row, strict=True):
                if cell.plain:
                    yield from _lines(console, (head, cell), widths)


def shared_out(
    words: Sequence[int], whole: Sequence[int], room: int
) -> list[int] | None:
    """Return a width for each column; None if not even the words fit.

    The remaining width goes to the columns that need it for their lines.
    """
    if sum(whole) <= room:
        return list(whole)
    widths = [min(word, line) for word, line in zip(words, whole, strict=True)]
    left = room - sum(widths)
    if left < 0:
        return None
    wanted = [line - width for line, width in zip(whole, widths, strict=True)]
    share = [left * want // sum(wanted) for want in wanted]
    return [width + more for width, more in zip(widths, share, strict=True)]


def _lines(
    console: Console, cells: Sequence[Text], widths: Sequence[int]
) -> Iterator[Text]:
    wrapped = [
        cell.wrap(console, max(1, width), overflow="fold", no_wrap=False)
        for cell, width in zip(cells, widths, strict=True)
    ]
    for pieces in zip_longest(*wrapped, fillvalue=Text()):
        line = Text()
        for piece, width in zip(pieces, widths, strict=True):
            piece.rstrip()
            line.append_text(piece)
            line.append(" " * (width - cell_len(piece.plain)) + GAP)
        line.rstrip()
        yield line


def _widest(texts: Iterator[str] | Sequence[str]) -> int:
    return max(map(cell_len, texts), default=0)


AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Exit(IntEnum):
    """Exit codes of the commands about a running desk."""

    OK = 0
    DIFFERS = 1  # done, with an unwelcome result: a different policy, chain or digest
    INVALID = 2
    UNREACHABLE = 3
    OUTRUN = 4  # somebody else does or did the same; nothing was done


def answer(as_json: bool, plain: object, *human: RenderableType | str) -> None:
    """Print `plain` as JSON, or `human` for a person to read."""
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1, default=plain_text))
        return
    console = Console(soft_wrap=True)
    for part in human:
        # The text may come from others: do not interpret markup in it.
        console.print(Text(part) if isinstance(part, str) else part)


def refused(as_json: bool, sentence: str, code: int) -> typer.Exit:
    """Print why not; return the exception that ends the command."""
    if as_json:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False))
    else:
        Console(stderr=True, soft_wrap=True).print(Text(sentence, style="red"))
    return typer.Exit(code)


def refused_for(as_json: bool, name: str, mistakes: Sequence[Mistake]) -> typer.Exit:
    """Print all mistakes in the file `name`; return the exception that ends it."""
    if as_json:
        plain = {"ok": False, "mistakes": [asdict(each) for each in mistakes]}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1))
        return typer.Exit(Exit.INVALID)
    console = Console(stderr=True, soft_wrap=True)
    for mistake in mistakes:
        console.print(Text(f"{name}: {mistake}"))
    number = counted(len(mistakes), "mistake")
    console.print(Text(f"{number}; nothing was done.", style="red"))
    return typer.Exit(Exit.INVALID)


def plain_text(value: object) -> str:
    """Return a value as text; an instant in the format of all answers."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def table_of(*columns: str, title: str | None = None) -> Sheet:
    """Return an empty table; nothing in it is cut off, however narrow the terminal."""
    return Sheet(columns, title)


def counted(number: int, what: str) -> str:
    """Return `1 event`, `2 events`; `what` is a word with a plural in s."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
