"""A file of people, CSV or YAML, as rows that may be imported, or all its mistakes.

CSV: a header of column names, then a row a person, separated by commas or semicolons.
YAML: a mapping from each id to that person's columns. One wrong row refuses the file.
"""

import csv
import io
from collections.abc import Iterator
from difflib import get_close_matches

from services.intake.people import Columns
from services.intake.people_row import COLUMNS, checked
from shared import yaml12
from shared.mistake import Mistake
from shared.yaml12 import Plain

ROWS_MAX = 100_000
CSV_BYTES_MAX = 32 * 1024 * 1024

Rows = tuple[Columns, ...]


def read_yaml(text: str) -> Rows | list[Mistake]:
    """Return the people of a YAML mapping, or its mistakes with their lines."""
    written = yaml12.read(text)
    if isinstance(written, list):
        return written
    if not isinstance(written.value, dict):
        return [Mistake("", 1, "write a mapping from each id to a person's columns")]
    rows: list[Columns] = []
    mistakes: list[Mistake] = []
    for id_, columns in written.value.items():
        row = _yaml_row(id_, columns)
        if isinstance(row, list):
            mistakes += [
                Mistake(f"{id_}.{column}", written.line((id_, column)), sentence)
                for column, sentence in row
            ]
        else:
            rows.append(row)
    return mistakes or tuple(rows)


def _yaml_row(id_: str, columns: Plain) -> Columns | list[tuple[str, str]]:
    if not isinstance(columns, dict):
        return [("name", "missing: write the columns as {name: …}")]
    if "id" in columns:
        return [("id", "given by the key already: take it out")]
    return checked({**columns, "id": id_})


def read_csv(text: str) -> Rows | list[Mistake]:
    """Return the people of a CSV text, or its mistakes by row; the header is row 1."""
    header_line = text.partition("\n")[0]
    delimiter = ";" if header_line.count(";") > header_line.count(",") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        return _header_mistakes(header) or _rows(header, list(lines))
    except csv.Error as error:
        row = f"row {lines.line_num}"
        return [Mistake(row, None, f"no CSV: {error}; correct the quotes")]


def _rows(header: list[str], lines: list[list[str]]) -> Rows | list[Mistake]:
    if len(lines) > ROWS_MAX:
        return [Mistake("", None, f"more than {ROWS_MAX} rows: import it in parts")]
    rows: list[Columns] = []
    mistakes: list[Mistake] = []
    first_row_of: dict[str | None, int] = {}
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = _row(header, cells)
        if not isinstance(row, list):
            rows.append(row)
            first = first_row_of.setdefault(row["id"], number)
            row = [] if first == number else [("id", f"also in row {first}: keep one")]
        mistakes += [Mistake(f"row {number}: {c}", None, s) for c, s in row]
    return mistakes or tuple(rows)


def _row(header: list[str], cells: list[str]) -> Columns | list[tuple[str, str]]:
    if len(cells) != len(header):
        return [(f"{len(cells)} cells", f"the header has {len(header)}: make them one")]
    return checked(
        {c: cell.strip() or None for c, cell in zip(header, cells, strict=True)}
    )


def _header_mistakes(header: list[str]) -> list[Mistake]:
    return [Mistake(f"row 1: {c}", None, s) for c, s in _wrong_columns(header)]


def _wrong_columns(header: list[str]) -> Iterator[tuple[str, str]]:
    for column in ("id", "name"):
        if column not in header:
            yield column, "missing: add this column"
    for at, column in enumerate(header):
        if column in header[:at]:
            yield column, "given twice: keep one of them"
        if column not in COLUMNS:
            near = get_close_matches(column, COLUMNS, 1)
            hint = f"did you mean `{near[0]}`?" if near else "take it out"
            yield column or "(blank)", f"no such column: {hint}"
