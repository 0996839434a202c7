"""A table described once: its columns follow from the class of its rows.

From a `Table` follow the statement that creates it, the columns to select, and how many
rows are written at once. Columns are always named, so their physical order in a table
that already exists does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import UnionType
from typing import (
    Annotated,
    Literal,
    Union,
    assert_never,
    get_args,
    get_origin,
    get_type_hints,
)

from shared.database.cursors import Cursors


@dataclass(frozen=True)
class Stored:
    """Marks a field whose PostgreSQL type does not follow from its Python type."""

    type: str


Int2 = Annotated[int, Stored("int2")]
Int4 = Annotated[int, Stored("int4")]
_TYPES: Mapping[type, str] = {
    bool: "bool",
    int: "int8",
    str: "text",
    datetime: "timestamptz",
    dict: "jsonb",
}


@dataclass(frozen=True)
class Column:
    """A column with its PostgreSQL type."""

    name: str
    type: str
    nullable: bool = False

    @property
    def definition(self) -> str:
        """The column as `CREATE TABLE` defines it; text is compared byte by byte."""
        collation = ' COLLATE "C"' if self.type == "text" else ""
        return (
            f"{self.name} {self.type}{collation}{'' if self.nullable else ' NOT NULL'}"
        )


def columns_of(*rows: type) -> tuple[Column, ...]:
    """Return the columns for the annotated fields of these classes, in their order."""
    return tuple(
        Column(name, *_stored_as(hint))
        for row in rows
        for name, hint in get_type_hints(row, include_extras=True).items()
    )


def _stored_as(hint: object) -> tuple[str, bool]:
    """Return the PostgreSQL type of a type hint, and whether it may be NULL."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        inner, *marks = parts
        stored = next((mark.type for mark in marks if isinstance(mark, Stored)), None)
        type_, nullable = _stored_as(inner)
        return stored or type_, nullable
    if origin in {Union, UnionType}:
        (inner,) = (part for part in parts if part is not type(None))
        return _stored_as(inner)[0], True
    kind = type(parts[0]) if origin is Literal else origin or hint
    for base, name in _TYPES.items():
        if isinstance(kind, type) and issubclass(kind, base):
            return name, False
    raise TypeError(f"{hint} is not the type of a column")


@dataclass(frozen=True)
class Table:
    """A table of a schema that is chosen later, and the key of its rows.

    `repeated` says what becomes of a row that is written again: it replaces the earlier
    one, that one is kept, or its other columns are added to it.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    repeated: Literal["replaces", "is_ignored", "is_added"] = "replaces"
    fillfactor: int | None = None
    """How full a page is at first, in percent: free space keeps updates cheap."""

    @cached_property
    def names(self) -> str:
        """The names of its columns, as in a select list."""
        return ", ".join(column.name for column in self.columns)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The PostgreSQL types of its columns."""
        return tuple(column.type for column in self.columns)

    @cached_property
    def primary_key(self) -> str:
        """The clause that makes `key` the primary key."""
        return f"PRIMARY KEY ({', '.join(self.key)})"

    def create_statement(self, schema: str, *more: str) -> str:
        """Return the statement that creates it, with `more` columns or constraints."""
        parts = ", ".join([*(column.definition for column in self.columns), *more])
        storage = f" WITH (fillfactor = {self.fillfactor})" if self.fillfactor else ""
        return f"CREATE TABLE {schema}.{self.name} ({parts}){storage}"

    def key_statement(self, schema: str) -> str:
        """Return the statement that adds the primary key, once rows were copied."""
        return f"ALTER TABLE {schema}.{self.name} ADD {self.primary_key}"

    def query(self, schema: str = "{schema}") -> str:
        """Return the query of all rows."""
        return f"SELECT {self.names} FROM {schema}.{self.name}"  # noqa: S608 # our own names

    def write(
        self, cursor: Cursors, schema: str, rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert rows, each with the values of its columns, in one statement.

        Rows are locked in the given order. Without rows nothing is executed.
        """
        arrays = [list(values) for values in zip(*rows, strict=True)]
        if arrays:
            cursor.execute(self.insert_statement.format(schema=schema), arrays)

    def copy(
        self, cursor: Cursors, schema: str, rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert rows into a table that has none of them, as fast as possible."""
        into = f"COPY {schema}.{self.name} ({self.names}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(into) as copy:
            copy.set_types(self.types)
            for row in rows:
                copy.write_row(row)

    @cached_property
    def insert_statement(self) -> str:
        """The statement that writes rows, with a placeholder `{schema}`."""
        arrays = ", ".join(f"%b::{type_}[]" for type_ in self.types)
        return (
            f"INSERT INTO {{schema}}.{self.name} AS held ({self.names})"  # noqa: S608 # our own names
            f" SELECT * FROM unnest({arrays})"
            f" ON CONFLICT ({', '.join(self.key)}) DO {self._on_conflict}"
        )

    @property
    def _on_conflict(self) -> str:
        others = [each.name for each in self.columns if each.name not in self.key]
        match self.repeated:
            case "is_ignored":
                return "NOTHING"
            case "replaces":
                changes = (f"{name} = excluded.{name}" for name in others)
            case "is_added":
                changes = (f"{name} = held.{name} + excluded.{name}" for name in others)
            case _:
                assert_never(self.repeated)
        return f"UPDATE SET {', '.join(changes)}"
