"""Cuts the log into parts of whole records that can be folded apart.

A record is an incident with all streams about it, or any other stream by itself.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.projections.read_model import Cursors
from shared.domain.identifiers import about

CHUNK_EVENTS = 10_000

LAST_NAME = "z" * 160
"""Comes after every name a stream can have behind its kind, in any collation."""

# Order and comparison are those of the index, whatever the collation; only, what two
# names have in common at their beginning must not matter to it.
_NEXT_STREAM = """
SELECT originator_id FROM log.events WHERE originator_id > %s
ORDER BY originator_id LIMIT 1
"""
_REACHED = """
SELECT min(substr(stream, length(kind) + 2)) FROM unnest(%s::text[]) AS kind, LATERAL (
    SELECT originator_id AS stream FROM log.events
    WHERE originator_id > kind || '-' || %s AND originator_id <= kind || '-' || %s
      AND split_part(originator_id, '-', 1) = kind
    ORDER BY originator_id, originator_version OFFSET %s LIMIT 1
) AS reached
"""


class Chunk(NamedTuple):
    """Streams of `kinds` whose names behind it come after one, up to the other."""

    kinds: Sequence[str]
    after: str
    last: str


def chunks(cursor: Cursors, events: int) -> Iterator[Chunk]:
    """Yield parts of about `events` events of each kind; a huge record is one part."""
    found = list(_kinds(cursor))
    about_incidents = [kind for kind in found if about(f"{kind}-") is not None]
    alone = [[kind] for kind in found if kind not in about_incidents]
    for kinds in filter(None, [about_incidents, *alone]):
        after = ""
        while after != LAST_NAME:
            given = (kinds, after, LAST_NAME, events)
            row = cursor.execute(_REACHED, given).fetchone()
            last = (row and row[0]) or LAST_NAME
            yield Chunk(kinds, after, last)
            after = last


def _kinds(cursor: Cursors) -> Iterator[str]:
    """Yield the kinds of streams there are: what stands before the first dash."""
    stream = ""
    while row := cursor.execute(_NEXT_STREAM, (stream,)).fetchone():
        kind = str(row[0]).partition("-")[0]
        yield kind
        stream = f"{kind}-{LAST_NAME}"
