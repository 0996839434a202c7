"""What follows from the class of a table's rows."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

import pytest

from shared.database.table import Column, Int4, Table, columns_of


class Colour(StrEnum):
    RED = "red"


class Row(NamedTuple):
    name: Annotated[str, "any other mark"]
    colour: Colour
    kind: Literal["a", "b"] | None
    at: datetime
    n: int
    few: Annotated[Int4 | None, "any other mark"]
    is_red: bool
    what: dict[str, object]


TABLE = Table("things", columns_of(Row), key=("name", "kind"), fillfactor=85)


def test_types_follow_from_annotations() -> None:
    assert columns_of(Row) == (
        Column("name", "text"),
        Column("colour", "text"),
        Column("kind", "text", nullable=True),
        Column("at", "timestamptz"),
        Column("n", "int8"),
        Column("few", "int4", nullable=True),
        Column("is_red", "bool"),
        Column("what", "jsonb"),
    )


def test_a_field_that_no_column_can_hold_is_an_error_at_once() -> None:
    class Odd(NamedTuple):
        parts: tuple[str, ...]

    with pytest.raises(TypeError, match="not the type of a column"):
        columns_of(Odd)


def test_it_is_created_with_what_is_not_a_field() -> None:
    table = Table(
        "pairs", (Column("a", "text"), Column("b", "int8", nullable=True)), ()
    )

    assert table.create_statement("s", "c tsvector", "PRIMARY KEY (a)") == (
        'CREATE TABLE s.pairs (a text COLLATE "C" NOT NULL, b int8, c tsvector,'
        " PRIMARY KEY (a))"
    )
    assert TABLE.create_statement("s").endswith(" WITH (fillfactor = 85)")
    assert TABLE.key_statement("s") == (
        "ALTER TABLE s.things ADD PRIMARY KEY (name, kind)"
    )


@pytest.mark.parametrize(
    ("repeated", "does"),
    [
        ("replaces", "UPDATE SET n = excluded.n"),
        ("is_added", "UPDATE SET n = held.n + excluded.n"),
        ("is_ignored", "NOTHING"),
    ],
)
def test_what_a_repeated_row_does(
    repeated: Literal["replaces", "is_added", "is_ignored"], does: str
) -> None:
    columns = (Column("name", "text"), Column("n", "int8"))
    table = Table("counts", columns, ("name",), repeated)

    assert table.insert_statement.format(schema="s") == (
        "INSERT INTO s.counts AS held (name, n)"
        " SELECT * FROM unnest(%b::text[], %b::int8[])"
        f" ON CONFLICT (name) DO {does}"
    )
