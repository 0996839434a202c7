"""Documents stored next to the log: events refer to them by their hash.

`log.documents` is append-only; the database checks hash and size when it stores one,
and `load` checks them again when it reads one.
"""

from hashlib import sha256
from typing import NamedTuple

from shared.database.cursors import Cursors
from shared.eventlog.errors import Unavailable

_STORE = """
INSERT INTO log.documents (hash, size, body) VALUES (%b, %s, %b) ON CONFLICT DO NOTHING
"""
_LOAD = "SELECT body FROM log.documents WHERE hash = %b"


class DocumentName(NamedTuple):
    """Identifies a document: the SHA-256 of its bytes in hex, and its size."""

    hash: str
    size: int


class UnreadableDocument(Unavailable):
    """The database does not contain a document to which the log refers.

    The log cannot be read as it was written until the document is restored: as with an
    unavailable database, nothing is decided and everything is retried.
    """


def name_of(body: bytes) -> DocumentName:
    """Return the name of a document with these bytes."""
    return DocumentName(sha256(body).hexdigest(), len(body))


def store(cursor: Cursors, body: bytes) -> DocumentName:
    """Store a document in the caller's transaction; storing it again is idempotent.

    Call it before the append lock is taken.
    """
    name = name_of(body)
    cursor.execute(_STORE, (bytes.fromhex(name.hash), name.size, body))
    return name


def find(cursor: Cursors, wanted: str) -> bytes | None:
    """Return the bytes with this hash, verified; None if they are not stored.

    Raises `UnreadableDocument` if they differ from those that were stored.
    """
    row = cursor.execute(_LOAD, (bytes.fromhex(wanted),), binary=True).fetchone()
    if row is None:
        return None
    body = bytes(row[0])
    found = name_of(body)
    if found.hash != wanted:
        raise UnreadableDocument(
            f"document {wanted} was changed: log.documents has {found.size} bytes with "
            f"the hash {found.hash}; restore it from a backup"
        )
    return body


def load(cursor: Cursors, name: DocumentName) -> bytes:
    """Return the bytes of a document, verified. Raises `UnreadableDocument`."""
    body = find(cursor, name.hash)
    if body is None:
        raise UnreadableDocument(
            f"document {name.hash} is missing from log.documents: restore it from a "
            "backup"
        )
    if len(body) != name.size:
        raise UnreadableDocument(
            f"document {name.hash} has {len(body)} bytes, but the event that names it "
            f"says {name.size}"
        )
    return body
