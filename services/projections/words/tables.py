"""The table of hashes, and the indexes that find the records of a search.

Open and ended incidents have an index each, as in the queue: most incidents are ended,
and most searches are about open ones.
"""

from collections.abc import Sequence

from shared.database.table import Column, Table

HASHES = ("title", "description", "topic", "said")
"""The columns in which words are found."""
RECORDS = Table(
    "records",
    columns=(
        Column("kind", "text"),
        Column("ref", "text"),
        Column("is_open", "bool"),
        Column("position", "int8"),
        Column("owners", "text[]"),
        *(Column(name, "int8[]") for name in HASHES),
    ),
    key=("kind", "ref"),
)
FOUND_BY = f"({' || '.join(HASHES)})"
"""All hashes of a row, as the indexes have them."""
OPEN = "kind = 'incident' AND is_open"
ENDED = "kind = 'incident' AND NOT is_open"
OTHERS = "kind <> 'incident'"
_PENDING_KB = 256
"""The size of an index's list of pending hashes, which every search scans."""
# No samples of the hashes of somebody who is forgotten later; and nothing to compress.
_PLAIN = "ALTER TABLE {}.records " + ", ".join(
    f"ALTER {name} SET STATISTICS 0, ALTER {name} SET STORAGE EXTERNAL"
    for name in HASHES
)
_INDEXES = {"open_words": OPEN, "ended_words": ENDED, "other_words": OTHERS}


def tables(schema: str) -> Sequence[str]:
    """Return the statements that create the table, to run before inserting rows."""
    return (RECORDS.create_statement(schema), _PLAIN.format(schema))


def indexes(schema: str) -> Sequence[str]:
    """Return the statements that create the indexes, to run after inserting rows."""
    return (
        RECORDS.key_statement(schema),
        *(
            f"CREATE INDEX {name} ON {schema}.records USING gin ({FOUND_BY})"
            f" WITH (gin_pending_list_limit = {_PENDING_KB}) WHERE {part}"
            for name, part in _INDEXES.items()
        ),
        *(
            f"ALTER INDEX {schema}.{name} ALTER COLUMN 1 SET STATISTICS 0"
            for name in _INDEXES
        ),
        f"CREATE INDEX records_by_owner ON {schema}.records USING gin (owners)",
        f"ANALYZE {schema}.records",
    )
