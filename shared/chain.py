"""The hash chain: each event's hash covers its row and the hash before it.

Sealed fields are hashed as ciphertext, so a destroyed key leaves the chain whole.
"""

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

GENESIS = bytes(32)
"""What stands before the first event."""


class Link(NamedTuple):
    """What the chain covers of one event; `state` as stored, `recorded_at` in UTC."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    command_id: UUID | None
    state: bytes


def chained(before: bytes, link: Link) -> bytes:
    """Return the 32-byte hash of `link` after an event whose hash is `before`.

    SHA-256 over `before`, then the head fields in ASCII joined by `|`, a newline, and
    the stored bytes. Streams and types hold neither, so no two links read alike.
    """
    microseconds = int(link.recorded_at.timestamp()) * 1_000_000
    microseconds += link.recorded_at.microsecond
    head = (
        f"{link.position}|{link.stream}|{link.version}|{link.type}|"
        f"{microseconds}|{link.command_id or ''}\n"
    )
    return sha256(before + head.encode() + link.state).digest()
