"""Cuts the log into parts of whole streams that can be folded apart."""

from collections.abc import Iterator
from typing import NamedTuple

from services.projections.read_model import Cursors

CHUNK_EVENTS = 25_000

# Order and comparison are those of the index, whatever the collation.
_NEXT = """
SELECT originator_id FROM log.events WHERE originator_id > %s
ORDER BY originator_id, originator_version OFFSET %s LIMIT 1
"""
_LAST = "SELECT max(originator_id) FROM log.events"


class Chunk(NamedTuple):
    """Streams after the first name, up to and with the last."""

    after: str
    last: str


def chunks(cursor: Cursors, events: int) -> Iterator[Chunk]:
    """Yield parts of about `events` events each; one huge stream is one part."""
    row = cursor.execute(_LAST).fetchone()
    end = row[0] if row else None
    after = ""
    while end is not None and after != end:
        row = cursor.execute(_NEXT, (after, events)).fetchone()
        last = row[0] if row else end
        yield Chunk(after, last)
        after = last
