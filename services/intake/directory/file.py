"""Reads a file of people, CSV or YAML, into rows to import, or lists all mistakes.

CSV: a header of column names, then one row for each person, separated by commas or
semicolons; a heading may be in French. YAML: a mapping from each id to that person's
columns. One invalid row makes the whole file invalid.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Self, get_args
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.intake.directory.store import Columns
from shared import yaml12
from shared.domain.bounded_text import MAIL_ADDRESS
from shared.domain.events.person import Role
from shared.domain.policy.clause import NAME, Language, Name, Person
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.validation import explained
from shared.domain.refusal import Refused, require_in_policy
from shared.mistake import Mistake
from shared.yaml12 import Plain

_EMAIL = re.compile(MAIL_ADDRESS)
_PHONE = re.compile(r"\+[1-9][0-9 ().-]{5,30}")


def _email(written: str) -> str:
    if not _EMAIL.fullmatch(written):
        raise ValueError("not an e-mail address: write one such as nadia@example.org")
    return written


def _phone(written: str) -> str:
    if not _PHONE.fullmatch(written):
        raise ValueError("write the number from its + on, such as +33 1 23 45 67 89")
    return written


def _zone(written: str) -> str:
    if not is_zone(written):
        raise ValueError("not a time zone: write one such as Europe/Paris")
    return written


def _printable(written: str) -> str:
    if any(category(letter) in ("Cc", "Cs") for letter in written):
        raise ValueError("remove the control characters and line breaks")
    return written


def _spaced(written: object) -> object:
    """Return a list of names as it is written in a cell."""
    is_list = isinstance(written, list) and all(isinstance(n, str) for n in written)
    return " ".join(written) if is_list else written  # type: ignore[arg-type] # checked


def _names(written: str) -> str:
    for name in written.split():
        if not re.fullmatch(NAME, name):
            raise ValueError(f"not a name: `{name}`; separate names by spaces")
    return written


def _roles(written: str) -> str:
    for role in written.split():
        if role not in get_args(Role):
            roles = ", ".join(get_args(Role))
            raise ValueError(f"there is no role `{role}`: write {roles}")
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
    role: Annotated[str, AfterValidator(_roles)] | None = None
    teams: Annotated[str, BeforeValidator(_spaced), AfterValidator(_names)] | None = (
        None
    )
    services: (
        Annotated[str, BeforeValidator(_spaced), AfterValidator(_names)] | None
    ) = None
    clients: Annotated[str, BeforeValidator(_spaced), AfterValidator(_names)] | None = (
        None
    )

    @model_validator(mode="after")
    def _has_a_role(self) -> Self:
        limited = next((n for n in RIGHTS[1:] if getattr(self, n) is not None), None)
        if limited is not None and self.role is None:
            raise PydanticCustomError(
                "no_role",
                "name the `role` that is limited to `{name}`",
                {"name": limited},
            )
        return self


RIGHTS = ("role", "teams", "services", "clients")
"""The columns about what a person may do; several names are separated by spaces."""
_ALL = tuple(_Row.model_fields)
COLUMNS = tuple(name for name in _ALL if name not in RIGHTS)
"""The columns of the directory; `id` and `name` are required in every row."""


HEADINGS: Mapping[str, str] = {
    "identifiant": "id",
    "nom": "name",
    "courriel": "email",
    "e-mail": "email",
    "téléphone": "phone",
    "langue": "language",
    "fuseau horaire": "zone",
    "rôle": "role",
    "équipe": "teams",
    "équipes": "teams",
    "team": "teams",
    "service": "services",
}
"""Other headings of a CSV file that are understood, besides the columns themselves."""
Known = Mapping[str, Collection[str]]
"""The names of the policy that a column may have, by column."""
ANY_NAME: Known = {}


def names_in(cell: str | None) -> tuple[str, ...] | None:
    """Return the names in a cell of `RIGHTS`, each once; None for an empty one."""
    return tuple(dict.fromkeys(cell.split())) if cell else None


def checked(
    columns: dict[str, object], known: Known = ANY_NAME
) -> Columns | list[tuple[str, str]]:
    """Return the given columns, or the mistakes: column and sentence."""
    given = {
        column: value
        for column, value in columns.items()
        if value is not None or column not in ("id", "name")
    }
    unknown = list(_unknown_names(given, known))
    try:
        row = _Row.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return unknown + [
            (str(one["loc"][0]) if one["loc"] else "role", explained(one, _Row))
            for one in found
        ]
    return unknown or row


def _unknown_names(
    columns: dict[str, object], known: Known
) -> Iterator[tuple[str, str]]:
    for column, names in known.items():
        written = _spaced(columns.get(column))
        for name in written.split() if isinstance(written, str) else ():
            try:
                require_in_policy(column.removesuffix("s"), name, names)
            except Refused as no:
                yield column, no.reason


ROWS_MAX = 100_000
CSV_BYTES_MAX = 32 * 1024 * 1024

Rows = tuple[Columns, ...]


def read_yaml(text: str, known: Known = ANY_NAME) -> Rows | list[Mistake]:
    """Return the people of a YAML mapping, or its mistakes with their lines."""
    written = yaml12.read(text)
    if isinstance(written, list):
        return written
    if not isinstance(written.value, dict):
        return [Mistake("", 1, "write a mapping from each id to a person's columns")]
    rows: list[Columns] = []
    mistakes: list[Mistake] = []
    for id_, columns in written.value.items():
        row = _yaml_row(id_, columns, known)
        if isinstance(row, list):
            mistakes += [
                Mistake(f"{id_}.{column}", written.line((id_, column)), sentence)
                for column, sentence in row
            ]
        else:
            rows.append(row)
    return mistakes or tuple(rows)


def _yaml_row(
    id_: str, columns: Plain, known: Known
) -> Columns | list[tuple[str, str]]:
    if not isinstance(columns, dict):
        return [("name", "missing: write the columns as {name: …}")]
    if "id" in columns:
        return [("id", "given by the key already: take it out")]
    return checked({**columns, "id": id_}, known)


def read_csv(text: str, known: Known = ANY_NAME) -> Rows | list[Mistake]:
    """Return the people of a CSV text, or its mistakes by row; the header is row 1."""
    text = text.removeprefix("\ufeff")  # spreadsheets begin a file with it
    header_line = text.partition("\n")[0]
    delimiter = ";" if header_line.count(";") > header_line.count(",") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [_column(name.strip()) for name in next(lines, [])]
        return _header_mistakes(header) or _rows(header, list(lines), known)
    except csv.Error as error:
        row = f"row {lines.line_num}"
        return [Mistake(row, None, f"no CSV: {error}; correct the quotes")]


def _column(heading: str) -> str:
    """Return the column that a heading means; the heading itself if it means none."""
    plain = heading.lower()
    column = HEADINGS.get(plain, plain)
    return column if column in _ALL else heading


def _rows(
    header: list[str], lines: list[list[str]], known: Known
) -> Rows | list[Mistake]:
    if len(lines) > ROWS_MAX:
        return [Mistake("", None, f"more than {ROWS_MAX} rows: import it in parts")]
    rows: list[Columns] = []
    mistakes: list[Mistake] = []
    first_row_of: dict[str | None, int] = {}
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = _row(header, cells, known)
        if not isinstance(row, list):
            rows.append(row)
            first = first_row_of.setdefault(row["id"], number)
            row = [] if first == number else [("id", f"also in row {first}: keep one")]
        mistakes += [Mistake(f"row {number}: {c}", None, s) for c, s in row]
    return mistakes or tuple(rows)


def _row(
    header: list[str], cells: list[str], known: Known
) -> Columns | list[tuple[str, str]]:
    if len(cells) != len(header):
        return [(f"{len(cells)} cells", f"the header has {len(header)}: make them one")]
    return checked(
        {c: cell.strip() or None for c, cell in zip(header, cells, strict=True)}, known
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
        if column not in _ALL:
            near = get_close_matches(column, _ALL, 1)
            hint = f"did you mean `{near[0]}`?" if near else "take it out"
            yield column or "(blank)", f"no such column: {hint}"
