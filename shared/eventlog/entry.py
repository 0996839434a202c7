"""An event with its position in the log, and the hash chain over events.

Each event's hash covers its row and the previous hash. Encrypted fields are hashed as
ciphertext, so the chain remains valid when a key is destroyed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson

from shared.domain.events import AnyEvent


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    `position` is gapless over the whole log from 1, `version` within `stream` from 1;
    `recorded_at` never decreases with `position`.
    """

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    command_id: UUID | None
    event: AnyEvent


GENESIS = bytes(32)
"""The hash before the first event."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Link(NamedTuple):
    """The hashed data of an event; `state` as stored, `recorded_at` aware."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    command_id: UUID | None
    state: bytes


def chained(before: bytes, link: Link) -> bytes:
    """Return the 32-byte hash of `link` after an event whose hash is `before`.

    SHA-256 over `before`; the compact JSON array of position, stream, version, type,
    `recorded_at` in microseconds since 1970 and command id or null; a newline; the
    stored bytes. Such an array contains no newline, so the encoding is unambiguous.
    """
    microseconds = (link.recorded_at - _EPOCH) // _MICROSECOND
    head = (*link[:4], microseconds, link.command_id)
    return sha256(before + orjson.dumps(head) + b"\n" + link.state).digest()
