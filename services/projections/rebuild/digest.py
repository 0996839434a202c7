"""One value for all a generation says: two that say the same have the same."""

from typing import Any

from services.projections.read_model import Cursors, ReadModel

_SUM = """
SELECT count(*), sum(hash_record_extended(t, 0)::numeric),
       sum(hash_record_extended(t, 1)::numeric)
FROM ({rows}) AS t
"""
_PARKED = "SELECT position, stream FROM {schema}.parked"


def digest(cursor: Cursors, model: ReadModel[Any], schema: str) -> str:
    """Return the digest of a generation, whatever the order of its rows.

    For each table the number of rows and the sums of two 64-bit hashes of each; then
    which events are parked. PostgreSQL computes it, about a million rows a second.
    """
    return " ".join(
        _sum(cursor, rows.format(schema=schema)) for rows in (*model.compared, _PARKED)
    )


def _sum(cursor: Cursors, rows: str) -> str:
    row = cursor.execute(_SUM.format(rows=rows)).fetchone() or ()
    return "/".join(str(value or 0) for value in row)
