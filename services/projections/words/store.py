"""Reads and writes the rows of hashes, many at a time."""

from collections.abc import Iterable, Mapping, Sequence

from services.projections.words.hashes import WordHashes
from services.projections.words.projection import project, record_of
from services.projections.words.row import KINDS, Kind, Rows, WordRow
from services.projections.words.tables import HASHES, RECORDS
from shared.database.cursors import Cursors
from shared.eventlog.entry import Entry

_WRITE = (
    f"INSERT INTO {{schema}}.{RECORDS.name} ({RECORDS.names}) VALUES ("  # noqa: S608 # our own names
    + ", ".join(f"%b::{type_}" for type_ in RECORDS.types)
    + f") ON CONFLICT ({', '.join(RECORDS.key)}) DO UPDATE SET "
    + ", ".join(
        f"{each.name} = excluded.{each.name}"
        for each in RECORDS.columns
        if each.name not in RECORDS.key
    )
)
_LOAD = RECORDS.query() + " WHERE kind = ANY(%b) AND ref = ANY(%b)"
_DELETE = "DELETE FROM {schema}.records WHERE owners @> ARRAY[%s]"


def apply(
    hashes: WordHashes, cursor: Cursors, schema: str, entries: Sequence[Entry]
) -> None:
    """Apply `entries` to the rows of `schema`."""
    records = {entry.stream: record_of(entry.stream) for entry in entries}
    held = load(cursor, schema, {each[1] for each in records.values() if each})
    rows: dict[str, Rows] = dict(held)
    for entry in entries:
        if record := records[entry.stream]:
            ref = record[1]
            rows[ref] = project(hashes, rows.get(ref), entry) or {}
    changed = [
        row
        for ref, kinds in sorted(rows.items())
        for kind, row in sorted(kinds.items())
        if row is not held.get(ref, {}).get(kind)
    ]
    if changed:
        query = _WRITE.format(schema=schema)
        cursor.executemany(query, [columns(row) for row in changed])


def insert(cursor: Cursors, schema: str, states: Iterable[Rows]) -> None:
    """Insert the rows of records of which `schema` has none."""
    rows = (row for state in states for row in state.values())
    RECORDS.copy(cursor, schema, map(columns, rows))


def load(
    cursor: Cursors, schema: str, refs: Iterable[str]
) -> Mapping[str, Mapping[Kind, WordRow]]:
    """Return the rows of these records by reference."""
    query = _LOAD.format(schema=schema)
    found: dict[str, dict[Kind, WordRow]] = {}
    for kind, ref, is_open, position, owners, *hashes in cursor.execute(
        query, (list(KINDS), sorted(refs)), binary=True
    ):
        arrays = dict(zip(HASHES, map(frozenset, hashes), strict=True))
        row = WordRow(
            kind,
            ref,
            is_open=is_open,
            position=position,
            owners=frozenset(owners),
            **arrays,
        )
        found.setdefault(ref, {})[kind] = row
    return found


def columns(row: WordRow) -> tuple[object, ...]:
    """Return the values of the columns of a row; sorted, so that equal ones are one."""
    arrays = (sorted(getattr(row, name)) for name in HASHES)
    first = (row.kind, row.ref, row.is_open, row.position, sorted(row.owners))
    return (*first, *arrays)


def delete_words_of(cursor: Cursors, schema: str, owner: str) -> int:
    """Delete every row with words of `owner`; return how many there were.

    Words of others in them are found again once the read model is rebuilt.
    """
    return cursor.execute(_DELETE.format(schema=schema), (owner,)).rowcount
