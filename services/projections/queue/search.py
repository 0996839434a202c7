"""Finds incidents by words, as a condition that pages of a queue add to their own."""

from typing import Any

from psycopg import Cursor

from services.projections.queue.filters import Filters, Standing, standing
from services.projections.queue.tables import ROWS
from services.projections.queue.words import as_tsquery, searched
from shared.directory import ids_by_word
from shared.domain.identifiers import is_incident_ref

Where = tuple[str, tuple[object, ...]]
COLLECTED_MAX = 3_000
"""Incidents that a search collects before they are put in order."""

_COLLECT = """
SELECT ref FROM {}.{} WHERE rank IS {} AND search @@ %s::tsquery LIMIT %s
"""


def matching_words(
    cursor: Cursor[tuple[Any, ...]], schema: str, filters: Filters
) -> list[Where]:
    """Return what the rows of a search have in common; nothing if there is none.

    Few matches are collected by the index of words, then put in order. Where there are
    many, the index in the order of the page soon meets enough of them.
    """
    if filters.q is None:
        return []
    ref = filters.q.strip().upper()
    if is_incident_ref(ref):
        return [("ref = %s", (ref,))]
    words = searched(filters.q)
    if not words:
        return [("false", ())]
    query = as_tsquery(words, ids_by_word(cursor, words) if filters.by_name else {})
    rank = "NOT NULL" if standing(filters) is Standing.OPEN else "NULL"
    found = cursor.execute(
        _COLLECT.format(schema, ROWS, rank), (query, COLLECTED_MAX + 1)
    ).fetchall()
    if len(found) <= COLLECTED_MAX:
        return [("ref = ANY(%s)", ([ref for (ref,) in found],))]
    # No index answers `IS TRUE`: PostgreSQL would else collect all of them.
    return [("(search @@ %s::tsquery) IS TRUE", (query,))]
