"""Reads a file of people, CSV or YAML, into rows to import, or lists all mistakes.

CSV: a header of column names, then one row for each person, separated by commas or
semicolons. YAML: a mapping from each id to that person's columns. One invalid row makes
the whole file invalid.
"""

import csv
import io
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from services.intake.directory.store import Columns
from shared import yaml12
from shared.domain.policy.clause import Language, Name, Person
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.validation import explained
from shared.mistake import Mistake
from shared.yaml12 import Plain

_EMAIL = re.compile(r"[^\s@<>,;:\"()]{1,64}@[^\s@<>,;:\"()]{1,180}\.[A-Za-z]{2,63}")
_PHONE = re.compile(r"\+[1-9][0-9 ().-]{5,30}")


def _email(written: str) -> str:
    if not _EMAIL.fullmatch(written):
        raise ValueError("no e-mail address: write one such as nadia@example.org")
    return written


def _phone(written: str) -> str:
    if not _PHONE.fullmatch(written):
        raise ValueError("write the number from its + on, such as +33 1 23 45 67 89")
    return written


def _zone(written: str) -> str:
    if not is_zone(written):
        raise ValueError("no time zone: write one such as Europe/Paris")
    return written


def _printable(written: str) -> str:
    if any(category(letter) in ("Cc", "Cs") for letter in written):
        raise ValueError("remove the control characters and line breaks")
    return written


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Person
    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_printable),
    ]
    email: Annotated[str, AfterValidator(_email)] | None = None
    phone: Annotated[str, AfterValidator(_phone)] | None = None
    language: Language | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    client: Name | None = None


COLUMNS = tuple(_Row.model_fields)
"""All columns; `id` and `name` are required in every row."""


def checked(columns: dict[str, object]) -> Columns | list[tuple[str, str]]:
    """Return the given columns, or the mistakes: column and sentence."""
    given = {
        column: value
        for column, value in columns.items()
        if value is not None or column not in ("id", "name")
    }
    try:
        return _Row.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [(str(one["loc"][0]), explained(one, _Row)) for one in found]


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
