"""Tables for a terminal of any width: lines end between words, and nothing is cut off.

If the words of all columns do not fit side by side, or a column would have one word a
line, each row becomes a list of its fields.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from cli.shell.local_time import localised
from cli.shell.output import plain_text

GAP = "  "
WORDS_MAX = (40, 24)
"""Longer words may be broken: digests and addresses, and if need be paths and keys."""
PHRASE_MIN = 12
"""The least width of a column of several words, so that no line holds only one."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under the names of their columns; markup is not interpreted."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]] = ()
    """Cells: rich text, or any value; None is an empty cell."""
    title: str | None = None
    empty: str | None = None
    """Shown instead of a table without rows; if None, nothing is."""

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Text]:
        """Yield the lines in the form that rich expects."""
        if self.title:
            yield Text(self.title, style="italic")
        if not self.rows:
            if self.empty:
                yield Text(self.empty)
            return
        heads = [Text(name, style="bold") for name in self.columns]
        rows = [[_text(cell) for cell in row] for row in self.rows]
        widths = _widths(list(zip(heads, *rows, strict=True)), options.max_width)
        if widths is None:
            yield from _fields(console, heads, rows, options.max_width)
            return
        for row in (heads, *rows):
            yield from _lines(console, row, widths)


def _text(cell: object) -> Text:
    match cell:
        case Text():
            return cell
        case None:
            return Text()
        case _:
            return Text(localised(plain_text(cell)))


def _widths(columns: Sequence[Sequence[Text]], width: int) -> list[int] | None:
    words = [_widest(w for cell in col for w in cell.plain.split()) for col in columns]
    lines = [
        _widest(line for cell in column for line in cell.plain.splitlines())
        for column in columns
    ]
    phrases = [min(line, PHRASE_MIN) for line in lines]
    room = width - len(GAP) * (len(columns) - 1)
    for most in WORDS_MAX:
        needed = [
            max(min(word, most), phrase)
            for word, phrase in zip(words, phrases, strict=True)
        ]
        widths = shared_out(needed, lines, room)
        if widths is not None:
            return widths
    return None


def shared_out(
    words: Sequence[int], lines: Sequence[int], room: int
) -> list[int] | None:
    """Return a width for each column; None if not even the words fit.

    The remaining width goes to the columns that need it for their lines.
    """
    if sum(lines) <= room:
        return list(lines)
    widths = [min(word, line) for word, line in zip(words, lines, strict=True)]
    left = room - sum(widths)
    if left < 0:
        return None
    missing = [line - width for line, width in zip(lines, widths, strict=True)]
    return [
        width + left * each // sum(missing)
        for width, each in zip(widths, missing, strict=True)
    ]


def _fields(
    console: Console, heads: Sequence[Text], rows: Sequence[Sequence[Text]], width: int
) -> Iterator[Text]:
    names = _widest(head.plain for head in heads)
    widths = (names, max(1, width - names - len(GAP)))
    for number, row in enumerate(rows):
        if number:
            yield Text()
        for head, cell in zip(heads, row, strict=True):
            if cell.plain:
                yield from _lines(console, (head, cell), widths)


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


def _widest(texts: Iterator[str]) -> int:
    return max(map(cell_len, texts), default=0)
