"""Verifies the documents that the log names: each is there, with its hash and size.

An event of the first shape carries its document, which the chain covers.
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.projections.audit.walk import Finding
from services.projections.log_rows import rows_of_stream
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.eventlog.documents import UnreadableDocument
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import document_of

PAGE = 100
"""Events read at once; of their documents one at a time."""


class Documents(NamedTuple):
    """How many documents are as the log names them, and the first that is not."""

    verified: int
    finding: Finding | None


def verify_documents(log: EventLog) -> Documents:
    """Read each document that the log names. Blocks."""
    verified = 0
    for entry in _applied(log):
        event = entry.event
        if not isinstance(event, PolicyApplied) or event.document is not None:
            continue
        try:
            with log.transaction() as cursor:
                document_of(cursor, event)
        except UnreadableDocument as error:
            sentence = f"the policy applied at {entry.position} cannot be read: {error}"
            return Documents(verified, Finding(entry.position, "document", sentence))
        verified += 1
    return Documents(verified, None)


def _applied(log: EventLog) -> Iterator[Entry]:
    after = 0
    while True:
        with log.transaction() as cursor:
            rows = rows_of_stream(cursor, STREAM, after, PAGE)
        yield from log.entries(rows)
        if len(rows) < PAGE:
            return
        after = rows[-1].position
