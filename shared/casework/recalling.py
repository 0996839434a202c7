"""What a service has decided and does not remember, found in the log.

Its memory is emptied to be rebuilt, or is that of an earlier state of the database.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import Cursor

from shared.entry import Entry
from shared.event_log import SELECT_ROWS, EventLog, Row

_BEYOND = (
    SELECT_ROWS
    + "JOIN unnest(%s::text[], %s::bigint[]) AS held (stream, version)"
    + " ON originator_id = stream AND originator_version > version"
)


def beyond(
    log: EventLog, cursor: Cursor[tuple[Any, ...]], held: Mapping[str, int]
) -> list[Entry]:
    """Return the entries of these streams after the versions we know of."""
    streams = (list(held), list(held.values()))
    rows = cursor.execute(_BEYOND, streams, binary=True).fetchall()
    return log.entries([Row(*row) for row in rows])
