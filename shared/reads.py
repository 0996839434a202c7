"""Records that somebody read personal words, by functions of the database.

The rows are beside the log. No service may read, change or delete them: `reads.ask`
alone shows them, and it records who asks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from shared.database.cursors import Cursors

Served = Literal[
    "record", "timeline", "file", "list", "link", "body", "search", "export", "log"
]
"""What was served: a record, its timeline, a file, a list, a page behind a link, a raw
body; or the results of a search, rows for a spreadsheet, events of the log."""

_NOTE = "SELECT reads.note(%s, %s, %s, %s)"
_REQUEST = "SELECT reads.request(%s, %s, %s, %s, %s)"


class Read(NamedTuple):
    """Somebody read personal words of a record, or a list of them."""

    reader: str
    """Who, as the actor of an event."""
    record: str
    """A reference, or the name of a list: `queue:all`."""
    served: Served
    at: datetime


class Request(NamedTuple):
    """A search, an export or a page of the log: recorded each time."""

    reader: str
    served: Served
    address: str
    records: Sequence[str]
    """The records that it shows."""
    at: datetime


def note(cursor: Cursors, reads: Sequence[Read]) -> None:
    """Record reads: one row for each reader, record and quarter of an hour."""
    if reads:
        readers, records, kinds, instants = map(list, zip(*reads, strict=True))
        cursor.execute(_NOTE, (readers, records, kinds, instants))


def note_request(cursor: Cursors, made: Request) -> None:
    """Record a request, and that its reader read the records that it shows."""
    cursor.execute(
        _REQUEST,
        (made.reader, made.served, made.address, list(made.records), made.at),
    )
